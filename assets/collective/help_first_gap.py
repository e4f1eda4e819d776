"""Households with a low income beside people who receive social assistance, per neighbourhood."""

from checks.collective.help_first_gap import SUITE
from groningen_data.contracts.collective.help_first_gap import HelpFirstGap
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import help_first

RECIPE = Recipe(
    contract=HelpFirstGap,
    suite=SUITE,
    expression=help_first.gap,
    uses=("core.reference_neighbourhoods",),
    uses_if_there=("core.reference_key_figures", "core.welfare_recipients"),
)
