"""The register of signal rules: every file, accepted or refused, with what its outcomes say of it."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl
from ibis import _

from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.collective.bias_incidents import CLOSED
from groningen_data.contracts.collective.signal_rule_results import BEATS_CHANCE
from groningen_data.contracts.collective.signal_rules import IN_FORCE, ON_TRIAL, SignalRules
from groningen_data.errors import RuleError
from groningen_data.gate.recipe import AnalysisContext
from groningen_data.signals.rules import Entry, register

_NO_BETTER, _BIASED = "finds no more than chance does", "treats a group otherwise (incident of the bias audit)"


def compute(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """One row per rule file."""
    results = context.table("collective.signal_rule_results").filter(_.rule_version > 0)
    last = {(row["rule_id"], row["rule_version"]): row for row in _last_looks(context.frame(results)).iter_rows(named=True)}
    incidents = context.table("collective.bias_incidents").filter(_.process_kind == "rule", _.status_code != CLOSED)
    biased = dict(context.frame(incidents.group_by("process_code").aggregate(since=_.opened_on.min())).iter_rows())
    today = context.settings.today()
    rows = [_row(entry, today, last, biased) for entry in register(context.settings)]
    yield pl.DataFrame(rows, schema=dict(polars_schema(SignalRules)))


def _last_looks(results: pl.DataFrame) -> pl.DataFrame:
    """Per version its last verdict, and the end of the month in which it was suspended first."""
    key = ["rule_id", "rule_version"]
    return (
        results.sort("month_on")
        .group_by(key)
        .agg(
            pl.col("verdict_code", "is_suspended").last(),
            pl.col("month_on").filter(pl.col("is_suspended")).min().dt.offset_by("1mo").alias("suspended_on"),
        )
    )


def _row(entry: Entry, today: date, last: dict[tuple[str, int], dict[str, Any]], biased: dict[str, date]) -> dict[str, object]:
    """A row; a rule is suspended by an incident of the bias audit whatever its version, as the audit counts by rule."""
    if entry.compiled is None:
        return {"rule_id": entry.file, "rule_version": 0, "status_code": "refused", "status_reason": entry.problem}
    rule = entry.compiled.rule
    said = last.get((rule.id, rule.version), {})
    status, reason = (IN_FORCE if said.get("verdict_code") == BEATS_CHANCE else ON_TRIAL), None
    stops = [(on, why) for on, why in ((said.get("suspended_on"), _NO_BETTER), (biased.get(rule.id), _BIASED)) if on]
    if stops:
        status, reason = "suspended", "; ".join(why for _on, why in stops)
    try:
        entry.compiled.require_in_force(today)
    except RuleError as error:
        status, reason = ("expired" if today > rule.valid_to else "not_yet_in_force"), error.problem
    return {
        "rule_id": rule.id,
        "rule_version": rule.version,
        "title_nl": rule.title_nl,
        "status_code": status,
        "status_reason": reason,
        "suspended_on": min((on for on, _why in stops), default=None),
        "legal_basis": rule.legal_basis,
        "purpose": rule.purpose,
        "processing_activity": rule.processing_activity,
        "allowed_fields": ", ".join(rule.allowed_fields),
        "condition": entry.compiled.condition.text,
        "reason_nl": rule.reason_nl,
        "valid_from": rule.valid_from,
        "valid_to": rule.valid_to,
        "owner": rule.owner,
        "approved_by": rule.approved_by,
        "approved_on": rule.approved_on,
        "dpia": rule.dpia,
        "algorithm_register": rule.algorithm_register,
    }
