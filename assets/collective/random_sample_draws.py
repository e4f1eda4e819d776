"""The log of draws of the random sample."""

from checks.collective.random_sample_draws import SUITE
from groningen_data.contracts.collective.random_sample_draws import RandomSampleDraws
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import random_sample

RECIPE = Recipe(
    contract=RandomSampleDraws,
    suite=SUITE,
    uses_if_there=("collective.random_sample_commitments", "core.welfare_sample_cases"),
    analysis=Analysis(random_sample.draws, also=random_sample.this_month),
)
