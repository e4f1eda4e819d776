"""Irrevocably closed cases of unlawful payment, from the benefit administration."""

from checks.welfare.closed_cases import SUITE
from groningen_data.contracts.welfare.closed_cases import WelfareClosedCases
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import benefit_administration

RECIPE = Recipe(
    contract=WelfareClosedCases,
    suite=SUITE,
    feeds=(Feed(benefit_administration.CLOSED, benefit_administration.parse_closed),),
)
