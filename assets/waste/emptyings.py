"""Emptyings of waste containers, as vehicles weigh them."""

from checks.waste.emptyings import SUITE
from groningen_data.contracts.waste.emptyings import WasteEmptyings
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import kilogram

RECIPE = Recipe(
    contract=WasteEmptyings,
    suite=SUITE,
    feeds=(Feed(kilogram.SOURCE, kilogram.parse_emptyings),),
    uses=("core.reference_neighbourhoods",),
    judged_with=("core.waste_containers",),
)
