"""Benefit cases under pseudonyms, from the benefit administration."""

from checks.welfare.benefit_cases import SUITE
from groningen_data.contracts.welfare.benefit_cases import WelfareBenefitCases
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import benefit_administration

RECIPE = Recipe(
    contract=WelfareBenefitCases,
    suite=SUITE,
    feeds=(Feed(benefit_administration.CASES, benefit_administration.parse_cases),),
    judged_with=("core.reference_neighbourhoods",),
)
