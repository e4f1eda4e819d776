"""Which traffic detectors can be trusted on which day."""

from checks.collective.site_quality import SUITE
from groningen_data.contracts.collective.site_quality import SiteQuality
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import site_quality

RECIPE = Recipe(
    contract=SiteQuality,
    suite=SUITE,
    expression=site_quality.expression,
    uses_if_there=("core.traffic_counts", "core.traffic_events", "core.traffic_sites"),
    months_from=("core.traffic_counts",),
    # A closure belongs to the month in which it began.
    looks_back={"core.traffic_counts": 2, "core.traffic_events": 12},
)
