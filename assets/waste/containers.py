"""Waste containers, from the municipality's own registry and from those of sensor systems and other cities."""

from checks.waste.containers import SUITE
from groningen_data.contracts.waste.containers import WasteContainers
from groningen_data.gate.plan import is_day
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import container_wfs, enevo, schiedam_containers, sidcon


def _is_registry(key: str) -> bool:
    """Sources that deliver fill levels as well have keys of days for those."""
    return not is_day(key[:10])


RECIPE = Recipe(
    contract=WasteContainers,
    suite=SUITE,
    feeds=(
        Feed(container_wfs.SOURCE, container_wfs.parse_containers),
        Feed(schiedam_containers.SOURCE, schiedam_containers.parse_containers),
        Feed(sidcon.SOURCE, sidcon.parse_containers, takes=_is_registry),
        Feed(enevo.SOURCE, enevo.parse_containers, takes=_is_registry),
    ),
    uses=("core.reference_neighbourhoods",),
)
