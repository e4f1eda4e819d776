"""How long waste reports stay open."""

from checks.collective.report_handling import SUITE
from groningen_data.contracts.collective.report_handling import ReportHandling
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import report_handling

RECIPE = Recipe(
    contract=ReportHandling,
    suite=SUITE,
    expression=report_handling.expression,
    may_be_empty=True,
    uses_if_there=("core.waste_reports",),
)
