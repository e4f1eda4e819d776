"""Level of service per intersection and hour."""

from checks.collective.intersection_hour import SUITE
from groningen_data.contracts.collective.intersection_hour import IntersectionHour
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import intersection_hour

RECIPE = Recipe(
    contract=IntersectionHour,
    suite=SUITE,
    expression=intersection_hour.expression,
    uses_if_there=("collective.approach_hour",),
)
