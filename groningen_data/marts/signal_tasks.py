"""Tasks: open signals that meet the condition of a rule in force, in the order in which they were received."""

from collections.abc import Iterator

import ibis
import polars as pl
from ibis import _

from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.collective.signal_rules import ACTIVE
from groningen_data.contracts.welfare.signal_tasks import WelfareSignalTasks
from groningen_data.errors import RuleError
from groningen_data.gate.recipe import AnalysisContext, MartContext
from groningen_data.signals.rules import CompiledRule, register


def compute(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """One row per open signal that some rule asks for; of several rules the first by id is named."""
    schema = dict(polars_schema(WelfareSignalTasks))
    rules = active_rules(context)
    if not rules:
        yield pl.DataFrame(schema=schema)
        return
    signals = context.table("core.welfare_statutory_signals").filter(_.status_code == "open")
    asked = [
        signals.filter(compiled.condition.holds(signals)).mutate(
            rule_id=ibis.literal(compiled.rule.id),
            rule_version=ibis.literal(compiled.rule.version, type="int64"),
            reason_nl=ibis.literal(compiled.rule.reason_nl),
        )
        for compiled in rules
    ]
    today = pl.lit(context.settings.today())
    found = context.frame(ibis.union(*asked) if len(asked) > 1 else asked[0]).sort("received_on", "signal_pseudonym", "rule_id")
    yield (
        found.unique("signal_pseudonym", keep="first", maintain_order=True)
        .with_columns(
            pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("queue_number"),
            (today - pl.col("fact_on")).dt.total_days().alias("fact_age_days"),
            (today - pl.col("received_on")).dt.total_days().alias("waiting_days"),
        )
        .select(*schema)
    )


def active_rules(context: AnalysisContext) -> list[CompiledRule]:
    """The rules that make tasks: accepted, in force today, and not suspended by what they found."""
    listed = context.table("collective.signal_rules").filter(_.status_code.isin(ACTIVE)).select("rule_id", "rule_version")
    active = set(context.frame(listed).iter_rows())
    return [
        entry.compiled
        for entry in register(context.settings)
        if entry.compiled
        and (entry.compiled.rule.id, entry.compiled.rule.version) in active
        and _is_in_force(entry.compiled, context)
    ]


def _is_in_force(compiled: CompiledRule, context: AnalysisContext) -> bool:
    try:
        compiled.require_in_force(context.settings.today())
    except RuleError:
        return False
    return True


def counts(context: MartContext) -> ibis.Table:
    """Tasks per rule and month of receipt."""
    tasks = context.table("core.welfare_signal_tasks")
    return tasks.group_by(
        "rule_id", "rule_version", month_on=_.received_on.cast("timestamp").truncate("M").cast("date")
    ).aggregate(tasks=_.count())
