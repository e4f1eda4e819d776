"""Risk of problematic debts per municipality, from CBS's map of it."""

from checks.welfare.debt_risk import SUITE
from groningen_data.contracts.welfare.debt_risk import WelfareDebtRisk
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import cbs_debt_risk

RECIPE = Recipe(
    contract=WelfareDebtRisk,
    suite=SUITE,
    feeds=(Feed(cbs_debt_risk.SOURCE, cbs_debt_risk.parse_debt_risk),),
    judged_with=("core.reference_key_figures",),
)
