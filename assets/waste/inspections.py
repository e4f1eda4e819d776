"""Inspections of container places, in the municipality's own form."""

from checks.waste.inspections import SUITE
from groningen_data.contracts.waste.inspections import WasteInspections
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import inspections

RECIPE = Recipe(
    contract=WasteInspections,
    suite=SUITE,
    feeds=(Feed(inspections.SOURCE, inspections.parse_inspections),),
    uses=("core.reference_neighbourhoods",),
    judged_with=("core.waste_containers",),
)
