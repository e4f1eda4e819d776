"""Group counts for the bias audit, from the audit environment."""

from checks.welfare.audit_counts import SUITE
from groningen_data.contracts.welfare.audit_counts import WelfareAuditCounts
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import audit_counts

RECIPE = Recipe(
    contract=WelfareAuditCounts,
    suite=SUITE,
    feeds=(Feed(audit_counts.SOURCE, audit_counts.parse_audit_counts),),
)
