"""The audit of rules, the random sample and the selection by people, on counts of groups."""

from checks.collective.bias_audit import SUITE
from groningen_data.contracts.collective.bias_audit import BiasAudit
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import bias_audit

RECIPE = Recipe(
    contract=BiasAudit,
    suite=SUITE,
    analysis=Analysis(bias_audit.audit, settings=("bias_ratio_bounds", "bias_confidence")),
    uses_if_there=("core.welfare_audit_counts",),
)
