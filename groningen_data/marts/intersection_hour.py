"""Level of service of each intersection per hour: its approaches taken together."""

import ibis
from ibis import _

from groningen_data.gate.recipe import MartContext
from groningen_data.marts.approach_hour import LEVELS


def expression(context: MartContext) -> ibis.Table:
    """One row per intersection and hour of the month being made.

    What drivers lost is added up over the approaches; saturation and volume to capacity are those of the worst approach, since
    one full approach is enough to make a crossing jam. The level of service is that of the mean share of the free speed,
    weighted by vehicles (HCM 6, chapter 19, weights the delay of approaches by their flow).
    """
    hours = context.during_month(context.table("collective.approach_hour"), "local_date")
    is_measured = hours.vehicles.notnull()
    moving = hours.mean_speed_km_h.notnull() & (hours.vehicles > 0)
    rated = hours.mutate(
        moving_vehicles=moving.ifelse(hours.vehicles, ibis.null("float64")),
        speed_share=moving.ifelse(hours.vehicles * hours.mean_speed_km_h / hours.free_speed_km_h, ibis.null("float64")),
        delay=moving.ifelse(hours.vehicles * hours.delay_s_per_km, ibis.null("float64")),
        full=is_measured.ifelse(hours.volume_capacity_ratio, ibis.null("float64")),
    )
    table = rated.group_by("intersection_code", "local_date", "local_hour", "weekday", "hour_start_at").aggregate(
        approaches=_.count(),
        measured_approaches=_.vehicles.count(),
        trusted_share=_.trusted_share.mean(),
        vehicles=_.vehicles.sum(),
        volume_capacity_ratio=_.full.max(),
        # Of approaches that are as full, always the same one.
        busiest_site_id=_.site_id.argmin(ibis.struct({"fullest": -_.full, "site_id": _.site_id}), where=_.full.notnull()),
        saturated_minutes=_.saturated_minutes.max(),
        vehicle_loss_h_per_km=_.vehicle_loss_h_per_km.sum(),
        moving_vehicles=_.moving_vehicles.sum(),
        speed_share=_.speed_share.sum(),
        delay=_.delay.sum(),
    )
    none = ibis.null("string")
    share = table.speed_share / table.moving_vehicles.nullif(0)
    return table.select(
        month=context.month,
        local_date=_.local_date,
        local_hour=_.local_hour,
        weekday=_.weekday,
        hour_start_at=_.hour_start_at,
        intersection_code=_.intersection_code,
        approaches=_.approaches,
        measured_approaches=_.measured_approaches,
        trusted_share=_.trusted_share,
        vehicles=_.vehicles,
        vehicles_missing_reason=(table.measured_approaches > 0).ifelse(none, "not_trusted"),
        volume_capacity_ratio=_.volume_capacity_ratio,
        busiest_site_id=_.busiest_site_id,
        saturated_minutes=_.saturated_minutes,
        delay_s_per_km=table.delay / table.moving_vehicles.nullif(0),
        vehicle_loss_h_per_km=_.vehicle_loss_h_per_km,
        los_code=share.notnull().ifelse(
            ibis.cases(*((share > least, ibis.literal(code)) for code, least in LEVELS), else_=ibis.literal("F")), none
        ),
    )
