"""Where in the process errors arise, over closed cases and without persons."""

from checks.collective.error_patterns import SUITE
from groningen_data.contracts.collective.error_patterns import ErrorPatterns
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import error_patterns

RECIPE = Recipe(
    contract=ErrorPatterns,
    suite=SUITE,
    expression=error_patterns.expression,
    uses_if_there=("core.welfare_closed_cases",),
)
