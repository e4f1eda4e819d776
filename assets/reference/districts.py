"""Districts, from the delivered outlines."""

from checks.reference.districts import SUITE
from groningen_data.contracts.reference.districts import ReferenceDistricts
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import outlines

RECIPE = Recipe(
    contract=ReferenceDistricts,
    suite=SUITE,
    feeds=(Feed(outlines.SOURCE, outlines.parse_districts),),
)
