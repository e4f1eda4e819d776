"""Statutory signals under pseudonyms, from the Inlichtingenbureau by way of the benefit administration."""

from checks.welfare.statutory_signals import SUITE
from groningen_data.contracts.welfare.statutory_signals import WelfareStatutorySignals
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import benefit_administration

RECIPE = Recipe(
    contract=WelfareStatutorySignals,
    suite=SUITE,
    feeds=(Feed(benefit_administration.STATUTORY, benefit_administration.parse_statutory),),
    judged_with=("core.welfare_benefit_cases",),
)
