"""Which traffic detectors can be trusted on which day, and why not."""

import ibis
from ibis import _

from groningen_data.gate.recipe import MartContext
from groningen_data.marts.traffic_near import places_of_events

DAY_HOURS = (5, 21)
"""First and last local hour of the part of a day by which detectors are judged: 5 to 22 o'clock (Chen et al. 2003)."""
EXPECTED_INTERVALS = (DAY_HOURS[1] - DAY_HOURS[0] + 1) * 12
ERROR_SHARE = 0.2
SILENT_SHARE = 0.5
IMPLAUSIBLE_SHARE = 0.05
MOST_VEH_H = 3_000
"""No lane carries more (PeMS); the base capacity of a motorway lane is 2,400 passenger cars an hour (HCM)."""
MOST_KM_H = 160
REPEATS = 12
"""So many intervals with exactly the reading of the one before make a detector stuck: an hour of the day."""
REPEATED_SHARE = 0.8
"""Where no speed is measured, the same flow may well come twice: then only this share of the intervals with vehicles."""
DRIFT = 0.25
DRIFT_DAYS, DRIFT_DAYS_NEEDED = 7, 5
BASE_DAYS, BASE_DAYS_NEEDED = 28, 14
HISTORY_DAYS = BASE_DAYS + 2 * DRIFT_DAYS


def expression(context: MartContext) -> ibis.Table:
    """One row per detector and local day of the month being made."""
    counts = detector_counts(context, days_before=HISTORY_DAYS)
    days = _with_drift(_with_verdict(_days(counts), context))
    this_month = days.filter(_.local_date >= context.month)
    table = this_month.left_join(_repeated(detector_counts(context)), _KEY, rname="{name}_repeated")
    repeated = table.repeated_intervals.fill_null(0)
    moving = table.moving_intervals
    is_stuck = (repeated >= REPEATS) & ((table.speed_intervals * 2 >= moving) | (repeated >= moving * REPEATED_SHARE))
    none = ibis.null("string")
    reason = ibis.cases(
        (table.reason.isin(["error_flags", "silent"]), table.reason), (is_stuck, ibis.literal("stuck")), else_=table.reason
    )
    deviation = reason.isnull().ifelse(table.week_deviation.exp() - 1, ibis.null("float64"))
    return table.select(
        month=context.month,
        local_date=_.local_date,
        feed_code=_.feed_code,
        site_id=_.site_id,
        series_code=_.series_code,
        expected_intervals=ibis.literal(EXPECTED_INTERVALS, "int64"),
        counted_intervals=_.counted_intervals,
        error_intervals=_.error_intervals,
        implausible_intervals=_.implausible_intervals,
        repeated_intervals=repeated,
        daytime_vehicles=_.daytime_vehicles,
        is_trusted=reason.isnull(),
        untrusted_reason=reason,
        is_road_closed=_.is_road_closed,
        deviation_pct=deviation * 100,
        deviation_missing_reason=ibis.cases(
            (deviation.notnull(), none), (reason.notnull(), ibis.literal("not_trusted")), else_=ibis.literal("too_little_history")
        ),
        is_drifting=(deviation.fill_null(0.0) > DRIFT) | (deviation.fill_null(0.0) < 1 / (1 + DRIFT) - 1),
    )


_KEY = ["feed_code", "site_id", "series_code", "local_date"]


def detector_counts(context: MartContext, days_before: int = 0) -> ibis.Table:
    """Counts of all vehicles together, of the month being made and so many days before: one series per detector."""
    counts = context.during_month(context.table("core.traffic_counts"), "local_date", days_before=days_before)
    return counts.filter(_.vehicle_class == "any", _.flow_missing_reason.fill_null("") != "measured_elsewhere")


def is_plausible(counts: ibis.Table) -> ibis.expr.types.BooleanValue:
    """Whether a count can be true: no more vehicles than a lane can carry, not faster than they can be, and moving if there are any."""
    speed = counts.speed_km_h.fill_null(1.0)
    return (counts.flow_veh_h <= MOST_VEH_H) & (speed <= MOST_KM_H) & ((speed > 0) | (counts.vehicles == 0))


def _days(counts: ibis.Table) -> ibis.Table:
    counts = counts.filter(_.local_hour.between(*DAY_HOURS))
    return counts.group_by(_KEY).aggregate(
        counted_intervals=_.vehicles.count(),
        error_intervals=_.flow_missing_reason.isin(["detector_error", "data_error", "no_input"]).ifelse(1, 0).sum(),
        implausible_intervals=(~is_plausible(counts)).fill_null(False).ifelse(1, 0).sum(),
        daytime_vehicles=_.vehicles.sum(),
        least_vehicles=_.vehicles.min(),
        most_vehicles=_.vehicles.max(),
        moving_intervals=(_.vehicles > 0).ifelse(1, 0).fill_null(0).sum(),
        speed_intervals=((_.vehicles > 0) & _.speed_km_h.notnull()).ifelse(1, 0).fill_null(0).sum(),
    )


def _with_verdict(days: ibis.Table, context: MartContext) -> ibis.Table:
    """With all reasons that a day's totals give; whether a detector is stuck is seen from one interval to the next."""
    closures = places_of_events(context, ("closure",)).select("site_id", "starts_on", "ends_on")
    closed = (
        days.join(closures, "site_id")
        .filter(_.local_date >= _.starts_on, _.local_date <= _.ends_on)
        .group_by("site_id", "local_date")
        .aggregate(closures=_.count())
    )
    table = days.left_join(closed, ["site_id", "local_date"], rname="{name}_closed")
    is_closed = table.closures.notnull()
    reason = ibis.cases(
        (table.error_intervals >= ERROR_SHARE * EXPECTED_INTERVALS, ibis.literal("error_flags")),
        (table.counted_intervals < SILENT_SHARE * EXPECTED_INTERVALS, ibis.literal("silent")),
        (table.implausible_intervals >= IMPLAUSIBLE_SHARE * table.counted_intervals, ibis.literal("implausible")),
        ((table.daytime_vehicles == 0) & ~is_closed, ibis.literal("no_vehicles")),
        else_=ibis.null("string"),
    )
    return table.mutate(is_road_closed=is_closed, reason=reason)


def _with_drift(days: ibis.Table) -> ibis.Table:
    """With how far the last seven days lie above or below the four weeks before them, next to the other detectors.

    The logarithm of a day's vehicles per counted interval, less its mean over the four weeks before, less the median of that
    over all detectors on the same day: what holidays, weather and weekdays do to the whole city drops out.
    """
    # A detector that says the same all day is stuck; its history is not looked at from one interval to the next.
    varies = days.most_vehicles > days.least_vehicles
    is_counted = days.reason.isnull() & varies & ~days.is_road_closed
    level = is_counted.ifelse((days.daytime_vehicles / days.counted_intervals.nullif(0)).ln(), ibis.null("float64"))
    rated = days.mutate(level=level)
    detector = ["feed_code", "site_id", "series_code"]
    before = ibis.range_window(
        preceding=(ibis.interval(days=BASE_DAYS + DRIFT_DAYS - 1), ibis.interval(days=DRIFT_DAYS)),
        group_by=detector,
        order_by="local_date",
    )
    based = rated.mutate(base=rated.level.mean().over(before), base_days=rated.level.count().over(before))
    above = (based.base_days >= BASE_DAYS_NEEDED).ifelse(based.level - based.base, ibis.null("float64"))
    based = based.mutate(above=above)
    city = based.group_by("feed_code", "local_date").aggregate(of_city=_.above.median())
    table = based.left_join(city, ["feed_code", "local_date"], rname="{name}_city")
    table = table.mutate(deviation=table.above - table.of_city)
    week = ibis.range_window(
        preceding=(ibis.interval(days=DRIFT_DAYS - 1), ibis.interval(days=0)), group_by=detector, order_by="local_date"
    )
    enough = table.deviation.count().over(week) >= DRIFT_DAYS_NEEDED
    return table.mutate(week_deviation=enough.ifelse(table.deviation.mean().over(week), ibis.null("float64")))


def _repeated(counts: ibis.Table) -> ibis.Table:
    """How many intervals of a day repeat the reading of the interval before, to the last digit."""
    before = ibis.window(group_by=_KEY, order_by="interval_start_at")
    same = (
        (_.vehicles > 0)
        & (_.flow_veh_h.lag().over(before) == _.flow_veh_h)
        & _.speed_km_h.lag().over(before).identical_to(_.speed_km_h)
    )
    compared = counts.select(*_KEY, is_same=same)
    return compared.group_by(_KEY).aggregate(repeated_intervals=_.is_same.fill_null(False).ifelse(1, 0).sum())
