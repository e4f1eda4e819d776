"""Public-space reports, one row each: as the reporting system says where it is asked, otherwise from its daily lists of open reports.

Of a report that is only known from lists, closing is inferred from disappearance.
"""

import ibis
from ibis import _

from groningen_data.gate.recipe import MartContext

_AS_LAST_SEEN = (
    "created_at",
    "created_on",
    "main_category_code",
    "category_code",
    "waste_kind",
    "longitude",
    "latitude",
    "neighbourhood_code",
    "location_status",
)
_SEEN = ("first_seen_on", "last_seen_on", "snapshots_seen")
_COLUMNS = ("report_id", *_AS_LAST_SEEN, *_SEEN, "closed_on", "is_open", "is_closing_inferred")


def expression(context: MartContext) -> ibis.Table:
    """One row per report that is not split into others and not removed.

    The reporting system knows everything that was open on the first local day or later. Where it is asked, lists say nothing of
    that time: they may number the same reports in another way. Their reports that were gone before are kept.
    """
    listed = _from_lists(context)
    states = context.table("core.waste_report_states")
    known = _from_states(states, listed)
    asked = states.aggregate(asked=_.count() > 0)
    first_day = ibis.date(context.settings.first_local_day.isoformat())
    rest = listed.anti_join(states, "report_id").cross_join(asked)
    rest = rest.filter(~rest.asked | (rest.last_seen_on < first_day))
    return ibis.union(*(table.select(*(_alike(table, name) for name in _COLUMNS)) for table in (known, rest)))


def _from_lists(context: MartContext) -> ibis.Table:
    """Category and place as in the last list that has a report."""
    listed = context.table("core.waste_open_reports")
    snapshots = listed.select("snapshot_on").distinct()
    order = ibis.window(order_by="snapshot_on")
    following = snapshots.mutate(closed_on=snapshots.snapshot_on.lead().over(order)).rename(last_seen_on="snapshot_on")
    reports = listed.group_by("report_id").aggregate(
        **{name: listed[name].argmax(listed.snapshot_on) for name in _AS_LAST_SEEN},
        first_seen_on=listed.snapshot_on.min(),
        last_seen_on=listed.snapshot_on.max(),
        snapshots_seen=listed.count(),
    )
    return reports.join(following, "last_seen_on").mutate(is_open=_.closed_on.isnull(), is_closing_inferred=True)


def _from_states(states: ibis.Table, listed: ibis.Table) -> ibis.Table:
    """What the reporting system says; on which lists a report stood stays with it."""
    counted = states.filter(~_.is_parent & ~_.is_removed)
    joined = counted.left_join(listed.select("report_id", *_SEEN), "report_id", rname="{name}_listed")
    return joined.mutate(snapshots_seen=joined.snapshots_seen.fill_null(0), is_open=~joined.is_closed, is_closing_inferred=False)


def _alike(table: ibis.Table, name: str) -> ibis.Column:
    """A column without what Ibis knows of its nulls: that differs between the two kinds of reports."""
    column = table[name]
    return column.cast(column.type().copy(nullable=True)).name(name)
