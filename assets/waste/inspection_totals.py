"""Inspection totals per location, as Amsterdam publishes them."""

from checks.waste.inspection_totals import SUITE
from groningen_data.contracts.waste.inspection_totals import WasteInspectionTotals
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import amsterdam_inspections

RECIPE = Recipe(
    contract=WasteInspectionTotals,
    suite=SUITE,
    feeds=(Feed(amsterdam_inspections.SOURCE, amsterdam_inspections.parse_totals),),
    uses=("core.reference_neighbourhoods",),
)
