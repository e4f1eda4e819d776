"""Neighbourhoods, from the delivered outlines."""

from checks.reference.neighbourhoods import SUITE
from groningen_data.contracts.reference.neighbourhoods import ReferenceNeighbourhoods
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import outlines

RECIPE = Recipe(
    contract=ReferenceNeighbourhoods,
    suite=SUITE,
    feeds=(Feed(outlines.SOURCE, outlines.parse_neighbourhoods),),
)
