"""Public-space reports, one row each, derived from what the reporting system says of them, or from its daily lists."""

from checks.waste.reports import SUITE
from groningen_data.contracts.waste.reports import WasteReports
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import waste_reports

RECIPE = Recipe(
    contract=WasteReports,
    suite=SUITE,
    expression=waste_reports.expression,
    uses_if_there=("core.waste_open_reports", "core.waste_report_states"),
)
