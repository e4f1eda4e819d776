"""Level of service of each approach of an intersection per hour: capacity, volume to capacity, delay and saturation."""

import ibis
from ibis import _

from groningen_data.gate.recipe import MartContext
from groningen_data.marts.site_quality import detector_counts, is_plausible

REFERENCE_DAYS = 28
"""Capacity and free speed follow from the month itself and so many days before it."""
LIGHT_SHARE = 0.35
"""Traffic is light, and free, below this share of the highest flow."""
LEAST_VEHICLES = 3
CAPACITY_QUANTILE = 0.98
BREAKDOWNS_NEEDED = 8
SATURATED_SPEED_SHARE = 0.5
SATURATED_LEAST_VEH_H = 60
FAST_ROAD_KM_H = 65
FAST_LANE_VEH_H = 1_700
"""Capacity of one direction of a road without signals (HCM 6, chapter 15: two-lane highways)."""
SIGNALISED_LANE_VEH_H = 855
"""Base saturation flow of 1,900 vehicles an hour (HCM 6, chapter 19) in 45 % of the time green."""
LEAST_TRUSTED_SHARE = 0.5
LEVELS = (("A", 0.85), ("B", 0.67), ("C", 0.5), ("D", 0.4), ("E", 0.3))
"""Levels of service of urban street segments: mean speed above this share of the free speed (HCM 6, exhibit 18-1); else F."""
_INTERVALS_PER_HOUR = 12


def expression(context: MartContext) -> ibis.Table:
    """One row per site and hour of the month being made in which any interval was delivered."""
    intervals = _intervals(context)
    reference = _reference(intervals)
    this_month = intervals.filter(_.local_date >= context.month).left_join(reference, "site_id", rname="{name}_reference")
    hours = _hours(this_month)
    approaches = context.table("collective.intersection_approach").select("site_id", "intersection_code")
    table = hours.left_join(approaches, "site_id", rname="{name}_approach")
    is_measured = (table.trusted_share >= LEAST_TRUSTED_SHARE) & table.flow_lane_veh_h.notnull()
    none, no_number = ibis.null("string"), ibis.null("float64")
    speed = is_measured.ifelse(table.speed, no_number)
    ratio = speed / table.free_speed
    has_ratio = ratio.notnull()
    delay = ibis.greatest(3600 / speed - 3600 / table.free_speed, 0.0)
    return table.select(
        month=context.month,
        local_date=_.local_date,
        local_hour=_.local_hour,
        weekday=_.weekday,
        hour_start_at=_.hour_start_at,
        site_id=_.site_id,
        intersection_code=ibis.coalesce(table.intersection_code, table.site_id),
        trusted_share=_.trusted_share,
        lanes=_.lanes,
        vehicles=is_measured.ifelse(table.vehicles, no_number),
        vehicles_missing_reason=is_measured.ifelse(none, "not_trusted"),
        mean_speed_km_h=speed,
        speed_missing_reason=ibis.cases(
            (speed.notnull(), none),
            (~is_measured, ibis.literal("not_trusted")),
            (table.vehicles == 0, ibis.literal("no_vehicles")),
            else_=ibis.literal("not_measured"),
        ),
        free_speed_km_h=_.free_speed,
        capacity_veh_h=table.capacity_lane * table.lanes,
        capacity_method=table.capacity_method,
        volume_capacity_ratio=is_measured.ifelse(table.peak_flow_lane / table.capacity_lane, no_number),
        saturated_minutes=is_measured.ifelse(table.saturated_intervals * 5, ibis.null("int64")),
        delay_s_per_km=delay,
        vehicle_loss_h_per_km=ibis.coalesce(
            delay * table.vehicles / 3600, (is_measured & (table.vehicles == 0)).ifelse(0.0, no_number)
        ),
        los_code=has_ratio.ifelse(
            ibis.cases(*((ratio > least, ibis.literal(code)) for code, least in LEVELS), else_=ibis.literal("F")), none
        ),
    )


def _intervals(context: MartContext) -> ibis.Table:
    """Per site and five minutes, of the feed with most counts that day: flow per lane and mean speed, over trusted detectors."""
    quality = context.table("collective.site_quality")
    quality = context.during_month(quality, "local_date", days_before=REFERENCE_DAYS)
    per_feed = quality.group_by("site_id", "feed_code", "local_date").aggregate(
        counted=_.counted_intervals.sum(), lanes=_.series_code.nunique()
    )
    best_first = ibis.window(group_by=["site_id", "local_date"], order_by=[ibis.desc("counted"), "feed_code"])
    best = per_feed.mutate(place=ibis.row_number().over(best_first)).filter(_.place == 0)
    trusted = quality.join(best, ["site_id", "feed_code", "local_date"]).select(
        "feed_code", "site_id", "series_code", "local_date", "lanes", "is_trusted"
    )
    counts = detector_counts(context, days_before=REFERENCE_DAYS)
    table = counts.join(trusted, ["feed_code", "site_id", "series_code", "local_date"])
    is_good = table.is_trusted & is_plausible(table).fill_null(False)
    flow, speed = is_good.ifelse(table.flow_veh_h, ibis.null("float64")), table.speed_km_h
    moving = flow.notnull() & (flow > 0) & speed.notnull() & (speed > 0)
    table = table.mutate(flow=flow, density=moving.ifelse(flow / speed, ibis.null("float64")), moving=moving)
    table = table.mutate(moving_flow=table.moving.ifelse(table.flow, ibis.null("float64")))
    sums = table.group_by("site_id", "local_date", "local_hour", "weekday", "interval_start_at").aggregate(
        lanes=_.lanes.max(),
        trusted_lanes=_.flow.count(),
        flow_lane=_.flow.mean(),
        vehicles=(_.flow * _.measured_minutes / 60).sum(),
        moving_flow=_.moving_flow.sum(),
        density=_.density.sum(),
    )
    return sums.mutate(speed=sums.moving_flow / sums.density.nullif(0))


def _reference(intervals: ibis.Table) -> ibis.Table:
    """Per site: free speed and capacity of a lane, from the month and the weeks before it.

    Free speed is the median speed in light traffic: below `LIGHT_SHARE` of the highest flow, and three vehicles a lane or more,
    so that single drivers do not count. Flows are those of a quarter of an hour, as the HCM has it.

    Where traffic broke down (at half the free speed or less) in at least `BREAKDOWNS_NEEDED` quarters, capacity is what passed
    at most: the 98th percentile of flow, which is reached just before a breakdown and while the queue discharges (Brilon,
    Geistefeldt and Regler 2005 call for exactly such flows). Elsewhere nobody saw the capacity, and it is that of the HCM for
    the kind of road, or the 98th percentile where that is higher.
    """
    quarters = intervals.group_by("site_id", quarter=_.interval_start_at.bucket(minutes=15)).aggregate(
        flow=_.flow_lane.mean(), moving_flow=_.moving_flow.sum(), density=_.density.sum()
    )
    highest = quarters.group_by("site_id").aggregate(highest=_.flow.quantile(CAPACITY_QUANTILE))
    rated = intervals.join(highest, "site_id")
    is_light = (rated.flow_lane <= LIGHT_SHARE * rated.highest) & (rated.flow_lane * 5 / 60 >= LEAST_VEHICLES)
    free = rated.group_by("site_id").aggregate(
        highest=_.highest.max(),
        free_speed=ibis.coalesce(rated.speed.median(where=is_light), rated.speed.median()),
    )
    spots = quarters.mutate(speed=quarters.moving_flow / quarters.density.nullif(0)).join(free, "site_id")
    broke = spots.group_by("site_id").aggregate(
        breakdowns=((_.speed <= SATURATED_SPEED_SHARE * _.free_speed) & (_.flow >= SATURATED_LEAST_VEH_H)).sum().fill_null(0)
    )
    table = free.join(broke, "site_id")
    is_fast = (table.free_speed >= FAST_ROAD_KM_H).fill_null(False)
    usual = is_fast.ifelse(FAST_LANE_VEH_H, SIGNALISED_LANE_VEH_H).cast("float64")
    is_seen = table.breakdowns >= BREAKDOWNS_NEEDED
    return table.select(
        "site_id",
        "free_speed",
        capacity_lane=is_seen.ifelse(table.highest, ibis.greatest(usual, table.highest)),
        capacity_method=ibis.cases(
            (is_seen, ibis.literal("observed_at_breakdown")),
            (table.highest > usual, ibis.literal("observed_highest")),
            (is_fast, ibis.literal("default_fast_road")),
            else_=ibis.literal("default_signalised"),
        ),
    )


def _hours(intervals: ibis.Table) -> ibis.Table:
    """Per site and hour, next to its reference."""
    is_slow = (intervals.speed <= SATURATED_SPEED_SHARE * intervals.free_speed) & (intervals.flow_lane >= SATURATED_LEAST_VEH_H)
    marked = intervals.mutate(is_saturated=is_slow.fill_null(False), quarter=intervals.interval_start_at.bucket(minutes=15))
    key = ["site_id", "local_date", "local_hour", "weekday"]
    peaks = marked.group_by("site_id", "quarter").aggregate(flow=_.flow_lane.mean())
    peaks = peaks.group_by("site_id", hour_start_at=_.quarter.truncate("h")).aggregate(peak_flow_lane=_.flow.max())
    hours = marked.group_by(*key, hour_start_at=_.interval_start_at.truncate("h")).aggregate(
        lanes=_.lanes.max(),
        good=_.trusted_lanes.sum(),
        flow_lane_veh_h=_.flow_lane.mean(),
        vehicles=_.vehicles.sum(),
        moving_flow=_.moving_flow.sum(),
        density=_.density.sum(),
        saturated_intervals=_.is_saturated.ifelse(1, 0).sum(),
        free_speed=_.free_speed.max(),
        capacity_lane=_.capacity_lane.max(),
        capacity_method=_.capacity_method.max(),
    )
    table = hours.left_join(peaks, ["site_id", "hour_start_at"], rname="{name}_peak")
    return table.mutate(
        trusted_share=ibis.least(table.good / (table.lanes * _INTERVALS_PER_HOUR), 1.0),
        speed=table.moving_flow / table.density.nullif(0),
    )
