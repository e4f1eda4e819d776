"""The register of signal rules, with what their outcomes say of them."""

from checks.collective.signal_rules import SUITE
from groningen_data.contracts.collective.signal_rules import SignalRules
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import signal_rules
from groningen_data.signals.rules import texts

RECIPE = Recipe(
    contract=SignalRules,
    suite=SUITE,
    uses_if_there=("core.welfare_statutory_signals", "collective.signal_rule_results", "collective.bias_incidents"),
    analysis=Analysis(signal_rules.compute, version=2, also=lambda settings: (settings.today(), texts(settings))),
    may_be_empty=True,
)
