"""Public-space reports, one row each, from the daily snapshots of open reports; closing is inferred from disappearance."""

import ibis

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


def expression(context: MartContext) -> ibis.Table:
    """One row per report; category and place as in the last snapshot that lists it."""
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
    dated = reports.join(following, "last_seen_on")
    return dated.select(
        "report_id",
        *_AS_LAST_SEEN,
        "first_seen_on",
        "last_seen_on",
        "snapshots_seen",
        "closed_on",
        is_open=dated.closed_on.isnull(),
    )
