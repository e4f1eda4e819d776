"""Open public-space reports per day, from the snapshots of the reporting system."""

from checks.waste.open_reports import SUITE
from groningen_data.contracts.waste.open_reports import WasteOpenReports
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import signalen

RECIPE = Recipe(
    contract=WasteOpenReports,
    suite=SUITE,
    feeds=(Feed(signalen.SOURCE, signalen.parse_open_reports),),
    uses=("core.reference_neighbourhoods",),
)
