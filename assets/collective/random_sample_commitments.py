"""Commitments to the seeds of the random sample, before anything is drawn."""

from checks.collective.random_sample_commitments import SUITE
from groningen_data.contracts.collective.random_sample_commitments import RandomSampleCommitments
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import random_sample

RECIPE = Recipe(
    contract=RandomSampleCommitments,
    suite=SUITE,
    uses_if_there=("core.welfare_benefit_cases",),
    analysis=Analysis(random_sample.commitments, also=random_sample.this_month),
)
