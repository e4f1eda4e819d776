"""Depots and tipping sites, from the municipality's own list."""

from checks.waste.depots import SUITE
from groningen_data.contracts.waste.depots import WasteDepots
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import fleet

RECIPE = Recipe(
    contract=WasteDepots,
    suite=SUITE,
    feeds=(Feed(fleet.DEPOTS, fleet.parse_depots),),
)
