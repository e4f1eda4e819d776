"""Tomorrow's collection rounds, one row per round."""

from checks.collective.collection_round import SUITE
from groningen_data.contracts.collective.collection_round import CollectionRound
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import collection_round

RECIPE = Recipe(
    contract=CollectionRound,
    may_be_empty=True,
    suite=SUITE,
    expression=collection_round.expression,
    uses_if_there=("collective.collection_plan",),
)
