"""What the bias audit found, from the audit that opened it to the one that clears it."""

from checks.collective.bias_incidents import SUITE
from groningen_data.contracts.collective.bias_incidents import BiasIncidents
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import bias_audit

RECIPE = Recipe(
    contract=BiasIncidents,
    suite=SUITE,
    analysis=Analysis(bias_audit.incidents),
    may_be_empty=True,
    uses_if_there=("collective.bias_audit",),
)
