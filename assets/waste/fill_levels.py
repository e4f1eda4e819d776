"""Fill levels of waste containers, from every measuring system."""

from checks.waste.fill_levels import SUITE
from groningen_data.contracts.waste.fill_levels import WasteFillLevels
from groningen_data.gate.plan import is_day
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import enevo, prague_sensors, sidcon, telemetry


def _is_reading(key: str) -> bool:
    """Sources that deliver registries as well have keys without a day for those."""
    return is_day(key[:10])


RECIPE = Recipe(
    contract=WasteFillLevels,
    suite=SUITE,
    feeds=(
        Feed(telemetry.SOURCE, telemetry.parse_fill_levels),
        Feed(sidcon.SOURCE, sidcon.parse_fill_levels, takes=_is_reading),
        Feed(enevo.SOURCE, enevo.parse_fill_levels, takes=_is_reading),
        Feed(prague_sensors.SOURCE, prague_sensors.parse_fill_levels),
    ),
    judged_with=("core.waste_containers",),
)
