"""Outcomes of checks under pseudonyms, from the benefit administration."""

from checks.welfare.signal_outcomes import SUITE
from groningen_data.contracts.welfare.signal_outcomes import WelfareSignalOutcomes
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import benefit_administration

RECIPE = Recipe(
    contract=WelfareSignalOutcomes,
    suite=SUITE,
    feeds=(Feed(benefit_administration.OUTCOMES, benefit_administration.parse_outcomes),),
    judged_with=("core.welfare_sample_cases",),
)
