"""Traffic per measurement site and hour, next to what was usual there in the weeks before."""

import ibis
from ibis import _

from groningen_data.gate.recipe import MartContext

USUAL_DAYS = 56
GOOD_SHARE = 0.8
USUAL_HOURS_NEEDED = 3
_INTERVALS_PER_HOUR, _INTERVAL_MINUTES = 12, 5


def expression(context: MartContext) -> ibis.Table:
    """One row per site and hour of the month being made in which any interval was delivered."""
    hours = _hours(context)
    rated = _with_usual(hours).filter(_.local_date >= context.month)
    sites = context.table("core.traffic_sites").select("site_id", "neighbourhood_code", "location_status")
    table = rated.left_join(sites, "site_id", rname="{name}_site").drop("site_id_site")
    is_good = table.good_share >= GOOD_SHARE
    has_usual = table.usual_hours >= USUAL_HOURS_NEEDED
    usual = has_usual.ifelse(table.usual, ibis.null("float64"))
    ratio = (is_good & has_usual & (table.usual > 0)).ifelse(table.full_hour / table.usual, ibis.null("float64"))
    none = ibis.null("string")
    return table.select(
        month=context.month,
        local_date=_.local_date,
        local_hour=_.local_hour,
        weekday=_.weekday,
        hour_start_at=_.hour_start_at,
        site_id=_.site_id,
        feed_code=_.feed_code,
        neighbourhood_code=_.neighbourhood_code,
        location_status=_.location_status,
        vehicles=_.vehicles,
        vehicles_missing_reason=table.vehicles.isnull().ifelse(ibis.literal("no_good_interval"), none),
        mean_speed_km_h=_.mean_speed_km_h,
        speed_missing_reason=ibis.cases(
            (table.mean_speed_km_h.notnull(), none),
            (table.vehicles == 0, ibis.literal("no_vehicles")),
            else_=ibis.literal("not_measured"),
        ),
        good_intervals=_.good_intervals,
        expected_intervals=_.expected_intervals,
        good_share=_.good_share,
        usual_vehicles=usual,
        usual_hours=_.usual_hours,
        flow_ratio=ratio,
        flow_ratio_missing_reason=ibis.cases(
            (ratio.notnull(), none),
            (~is_good, ibis.literal("incomplete_hour")),
            (~has_usual, ibis.literal("too_little_history")),
            else_=ibis.literal("usually_none"),
        ),
    )


def _hours(context: MartContext) -> ibis.Table:
    """Per site and hour of the month and the weeks before it: what the best feed of each day counted.

    Intervals that a feed delivered for a site at any hour of a day are expected at every hour of it. Of an interval that was
    measured in part, only the minutes measured count: its vehicles are those of these minutes.
    """
    counts = context.during_month(context.table("core.traffic_counts"), "local_date", days_before=USUAL_DAYS)
    counts = counts.filter(_.vehicle_class == "any")
    per_hour = counts.group_by(
        "site_id", "feed_code", "local_date", "local_hour", "weekday", hour_start_at=_.interval_start_at.truncate("h")
    ).aggregate(
        vehicles=_.vehicles.sum(),
        good_intervals=_.vehicles.count(),
        good_minutes=_.measured_minutes.sum(where=_.vehicles.notnull()).fill_null(0),
        speed_weight=_.vehicles.sum(where=_.speed_km_h.notnull()),
        speed_sum=(_.vehicles * _.speed_km_h).sum(),
    )
    per_day = counts.group_by("site_id", "feed_code", "local_date").aggregate(
        good_of_day=_.measured_minutes.sum(where=_.vehicles.notnull()).fill_null(0),
        series=_.series_code.nunique(where=_.flow_missing_reason.fill_null("") != "measured_elsewhere"),
    )
    best_first = ibis.window(group_by=["site_id", "local_date"], order_by=[ibis.desc("good_of_day"), "feed_code"])
    best = per_day.mutate(place=ibis.row_number().over(best_first)).filter(_.place == 0)
    chosen = per_hour.join(best.select("site_id", "feed_code", "local_date", "series"), ["site_id", "feed_code", "local_date"])
    expected = ibis.greatest(chosen.series, 1) * _INTERVALS_PER_HOUR
    minutes = expected * _INTERVAL_MINUTES
    return chosen.select(
        "site_id",
        "feed_code",
        "local_date",
        "local_hour",
        "weekday",
        "hour_start_at",
        "vehicles",
        "good_intervals",
        mean_speed_km_h=chosen.speed_sum / chosen.speed_weight.nullif(0),
        expected_intervals=expected,
        good_share=ibis.least(chosen.good_minutes / minutes, 1.0),
        full_hour=chosen.vehicles / chosen.good_minutes.nullif(0) * minutes,
    )


def _with_usual(hours: ibis.Table) -> ibis.Table:
    """The hours with the mean full hour of the same weekday and hour in the eight weeks before, and how many hours it rests on."""
    before = ibis.range_window(
        preceding=(ibis.interval(days=USUAL_DAYS), ibis.interval(days=1)),
        group_by=["site_id", "weekday", "local_hour"],
        order_by="local_date",
    )
    good = (hours.good_share >= GOOD_SHARE).ifelse(hours.full_hour, ibis.null("float64"))
    return hours.mutate(usual=good.mean().over(before), usual_hours=good.count().over(before))
