"""Traffic per measurement site and hour."""

from checks.collective.site_hour import SUITE
from groningen_data.contracts.collective.site_hour import SiteHour
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import site_hour

RECIPE = Recipe(
    contract=SiteHour,
    suite=SUITE,
    expression=site_hour.expression,
    uses_if_there=("core.traffic_counts", "core.traffic_sites"),
    months_from=("core.traffic_counts",),
    looks_back={"core.traffic_counts": 2},
)
