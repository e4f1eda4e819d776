"""Which intersection each traffic measurement site is an approach of."""

from checks.collective.intersection_approach import SUITE
from groningen_data.contracts.collective.intersection_approach import IntersectionApproach
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import intersection_approach

RECIPE = Recipe(
    contract=IntersectionApproach,
    suite=SUITE,
    may_be_empty=True,
    analysis=Analysis(intersection_approach.compute),
    uses_if_there=("core.traffic_sites",),
)
