"""How long waste reports stay open, by the day on which they were made."""

import ibis
from ibis import _

from groningen_data.contracts.collective.report_handling import OPEN_DAYS
from groningen_data.gate.recipe import MartContext


def expression(context: MartContext) -> ibis.Table:
    """One row per day and kind of waste report, since the first day whose reports are all known."""
    reports = context.table("core.waste_reports")
    reports = reports.filter(reports.waste_kind.notnull())
    known = reports.aggregate(
        first_on=_.first_seen_on.min().coalesce(_.created_on.min()),
        last_on=ibis.greatest(_.last_seen_on.max(), _.closed_on.max(), _.created_on.max()),
    )
    aged = reports.cross_join(known).filter(_.created_on >= _.first_on)
    days_open = aged.closed_on.fill_null(aged.last_on).delta(aged.created_on, unit="day")
    aged = aged.mutate(is_late=days_open > OPEN_DAYS, is_judged=aged.last_on.delta(aged.created_on, unit="day") > OPEN_DAYS)
    return aged.group_by("created_on", "waste_kind").aggregate(
        reports=_.count(),
        judged_reports=_.is_judged.sum().cast("int64"),
        open_over_7_days=_.is_late.sum().cast("int64"),
    )
