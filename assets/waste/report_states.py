"""State of each public-space report, as the reporting system says it."""

from checks.waste.report_states import SUITE
from groningen_data.contracts.waste.report_states import WasteReportStates
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import signalen_states

RECIPE = Recipe(
    contract=WasteReportStates,
    suite=SUITE,
    feeds=(Feed(signalen_states.SOURCE, signalen_states.parse_states),),
    uses=("core.reference_neighbourhoods",),
)
