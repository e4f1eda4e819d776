"""Numbers of open public-space reports per day, from the public map."""

from checks.waste.public_report_counts import SUITE
from groningen_data.contracts.waste.public_report_counts import WastePublicReportCounts
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import signalen_map

RECIPE = Recipe(
    contract=WastePublicReportCounts,
    suite=SUITE,
    feeds=(Feed(signalen_map.SOURCE, signalen_map.parse_counts),),
    uses=("core.reference_neighbourhoods",),
)
