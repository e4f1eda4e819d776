"""What became of households in arrears, per quarter, by neighbourhood and by partner."""

from checks.collective.help_first_funnel import SUITE
from groningen_data.contracts.collective.help_first_funnel import HelpFirstFunnel
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import help_first

RECIPE = Recipe(
    contract=HelpFirstFunnel,
    suite=SUITE,
    expression=help_first.funnel,
    may_be_empty=True,
    uses_if_there=("core.welfare_early_signals",),
)
