"""Early signals of arrears under pseudonyms, from the benefit administration."""

from checks.welfare.early_signals import SUITE
from groningen_data.contracts.welfare.early_signals import WelfareEarlySignals
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import benefit_administration

RECIPE = Recipe(
    contract=WelfareEarlySignals,
    suite=SUITE,
    feeds=(Feed(benefit_administration.SIGNALS, benefit_administration.parse_signals),),
    judged_with=("core.reference_neighbourhoods",),
)
