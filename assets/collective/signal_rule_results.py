"""What signal rules find beside chance, month by month."""

from checks.collective.signal_rule_results import SUITE
from groningen_data.contracts.collective.signal_rule_results import SignalRuleResults
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import signal_rule_results
from groningen_data.marts.random_sample import this_month

RECIPE = Recipe(
    contract=SignalRuleResults,
    suite=SUITE,
    uses_if_there=("core.welfare_signal_outcomes",),
    analysis=Analysis(signal_rule_results.compute, settings=("signal_minimum_outcomes",), also=this_month),
    may_be_empty=True,
)
