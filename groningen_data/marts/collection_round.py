"""Tomorrow's rounds in short, from their calls."""

import ibis
from ibis import _

from groningen_data.gate.recipe import MartContext


def expression(context: MartContext) -> ibis.Table:
    """One row per round."""
    calls = context.table("collective.collection_plan")
    is_stop, is_end = calls.call_kind == "container", calls.call_kind == "depot"
    return calls.group_by(
        "planned_on", "round_code", "vehicle_code", "fraction_code", "capacity_kg", "distance_origin"
    ).aggregate(
        stops=is_stop.ifelse(1, 0).sum(),
        overflow_likely_stops=(calls.stop_reason_code == "overflow_likely").fill_null(False).ifelse(1, 0).sum(),
        fixed_day_stops=(calls.stop_reason_code == "fixed_day").fill_null(False).ifelse(1, 0).sum(),
        tippings=(calls.call_kind == "tipping").ifelse(1, 0).sum(),
        first_stop_at=_.arrival_at.min(),
        end_at=_.arrival_at.max(where=is_end),
        distance_km=_.distance_m.sum() / 1000,
        load_kg=_.load_kg.sum().fill_null(0.0),
    )
