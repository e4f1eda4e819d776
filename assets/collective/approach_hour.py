"""Level of service per approach of an intersection and hour."""

from checks.collective.approach_hour import SUITE
from groningen_data.contracts.collective.approach_hour import ApproachHour
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import approach_hour

RECIPE = Recipe(
    contract=ApproachHour,
    suite=SUITE,
    expression=approach_hour.expression,
    uses_if_there=("collective.intersection_approach", "collective.site_quality", "core.traffic_counts"),
    months_from=("core.traffic_counts",),
    looks_back={"collective.site_quality": 1, "core.traffic_counts": 1},
)
