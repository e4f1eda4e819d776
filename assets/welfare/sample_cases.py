"""The frozen lists of running cases, and who was drawn from them."""

from checks.welfare.sample_cases import SUITE
from groningen_data.contracts.welfare.sample_cases import WelfareSampleCases
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import random_sample

RECIPE = Recipe(
    contract=WelfareSampleCases,
    suite=SUITE,
    uses_if_there=("core.welfare_benefit_cases", "collective.random_sample_commitments"),
    analysis=Analysis(
        random_sample.cases, settings=("checks_a_month", "sample_share_pct"), also=lambda settings: settings.today()
    ),
    may_be_empty=True,
)
