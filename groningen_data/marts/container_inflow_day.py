"""How much comes into each container per day, and when it was emptied, from what its sensor says and vehicles weigh.

A single reading that stands out is replaced by the running median of three, with Tukey's rule for the last one (J. W. Tukey,
*Exploratory Data Analysis*, 1977, chapter 7); other readings stay as they are, so that a fall stays sharp. An emptying is a fall to a low level, as
for ultrasonic sensors in general (D. Rutqvist, D. Kleyko and F. Blomstedt, *An automated machine learning approach for smart
waste management systems*, IEEE Transactions on Industrial Informatics 16(1), 2020), or a smaller one at the time of a weighing.
"""

import ibis
from ibis import _

from groningen_data.gate.recipe import MartContext
from groningen_data.marts.container_day import readings_of_the_city, registered_containers

OVERFULL_PCT = 100
SPIKE_PCT = 10
"""A reading so far from the median of itself and its neighbours counts as a spike."""
FALL_PCT, EMPTY_PCT = 10, 25
"""An emptying is a fall of at least so much, by half, and to at most so much."""
WEIGHED_FALL_PCT = 3
"""At the time of a weighing a fall of so much is enough: six times the spread of a reading."""
WEIGHED_WITHIN_MIN = 30
"""Clocks of vehicles and sensors differ by at most so much."""
LONGEST_STEP_H = 24
"""Between readings further apart nothing is known of a single day."""
PROFILE_STEP_H = 4
MEASURED_SHARE = 0.5
"""A day's inflow is known when at least so much of a usual day's was measured."""

_DAYS_BEFORE = 2
_PRIOR_HOURS = 20
_LEAST_RATE = 0.1
_MINUTES, _HOURS = 60, 24


def expression(context: MartContext) -> ibis.Table:
    """One row per container with a sensor and local day of the month being made."""
    readings = readings_of_the_city(context, registered_containers(context), days_before=_DAYS_BEFORE)
    sent = context.during_month(readings, "local_date")
    weighings = context.during_month(context.table("core.waste_emptyings"), "local_date", days_before=_DAYS_BEFORE)
    weighings = weighings.filter(_.container_code.notnull()).select("container_code", "emptied_at", "local_date")
    steps = emptied(cleaned_steps(readings), weighings)
    profile = hour_profile(steps)
    measured = _measured(steps, profile)
    known = sent.select("container_code").distinct()
    weighed = weighings.semi_join(known, "container_code").filter(_.local_date >= context.month)
    days = ibis.union(sent.select("local_date"), weighed.select("local_date"), distinct=True)
    grid = known.cross_join(days)
    table = grid.left_join(measured, ["container_code", "local_date"], rname="{name}_m")
    table = table.select("container_code", "local_date", *_MEASURES)
    for name, facts in (
        ("r", _read(steps, profile)),
        ("w", weighings.group_by("container_code", "local_date").aggregate(weighings=_.count())),
    ):
        joined = table.left_join(facts, ["container_code", "local_date"], rname=f"{{name}}_{name}")
        table = joined.select(*table.columns, *(c for c in facts.columns if c not in table.columns))
    share = table.share.fill_null(0.0)
    is_known = share >= MEASURED_SHARE
    none = ibis.null("string")
    return table.select(
        month=context.month,
        local_date=_.local_date,
        weekday=_.local_date.day_of_week.index().cast("int64") + 1,
        container_code=_.container_code,
        inflow_pct=is_known.ifelse(table.risen / table.share, ibis.null("float64")),
        inflow_missing_reason=ibis.cases(
            (is_known, none),
            (table.readings.isnull(), ibis.literal("silent")),
            (share + table.full_share >= MEASURED_SHARE, ibis.literal("overfull")),
            else_=ibis.literal("too_little_measured"),
        ),
        measured_share=ibis.least(share, 1.0),
        readings=_.readings.fill_null(0),
        spikes=_.spikes.fill_null(0),
        inferred_emptyings=_.inferred_emptyings.fill_null(0),
        weighings=_.weighings.fill_null(0),
        matched_weighings=_.matched_weighings.fill_null(0),
        last_measured_at=_.last_measured_at,
        last_fill_pct=_.last_fill_pct,
        rest_share=_.rest_share,
    )


_MEASURES = ("risen", "share", "full_share")


def cleaned_steps(readings: ibis.Table) -> ibis.Table:
    """Each reading with a level, cleaned of single spikes, next to the one before it.

    Args:
        readings: container_code, measured_at, local_date, local_hour, fill_pct.

    Returns:
        container_code, measured_at, local_date, local_hour, clock_hour (with its part), fill_pct as read, level_pct cleaned, the
        same of the reading before as before_at, before_date, before_clock_hour and before_pct, and gap_h between both.
    """
    readings = readings.filter(_.fill_pct.notnull()).select(
        "container_code",
        "measured_at",
        "local_date",
        "local_hour",
        "fill_pct",
        clock_hour=_.local_hour + _.measured_at.minute() / _MINUTES,
    )
    order = ibis.window(group_by="container_code", order_by="measured_at")
    before, after = _.fill_pct.lag().over(order), _.fill_pct.lead().over(order)
    around = readings.mutate(before=before, after=after)
    # Beside an emptying the neighbours differ more than the reading from its median: a peak there is no spike.
    median = _median(around.fill_pct, around.before, around.after)
    off = (around.fill_pct - median).abs()
    is_spike = (off >= SPIKE_PCT) & ((around.before - around.after).abs() <= off)
    smooth = around.mutate(level=is_spike.fill_null(False).ifelse(median, around.fill_pct))
    ends = smooth.mutate(one_before=_.level.lag(1).over(order), two_before=_.level.lag(2).over(order))
    # The last reading has none after it, but the line through the two before it.
    median = _median(ends.level, ends.one_before, 3 * ends.one_before - 2 * ends.two_before)
    is_spike = ends.after.isnull() & ((ends.level - median).abs() >= SPIKE_PCT)
    clean = ends.mutate(level_pct=is_spike.fill_null(False).ifelse(median, ends.level))
    clean = clean.select(*readings.columns, "level_pct")
    lagged = {
        "before_at": clean.measured_at,
        "before_date": clean.local_date,
        "before_clock_hour": clean.clock_hour,
        "before_pct": clean.level_pct,
    }
    steps = clean.mutate(**{name: column.lag().over(order) for name, column in lagged.items()})
    return steps.mutate(gap_h=(steps.measured_at.epoch_seconds() - steps.before_at.epoch_seconds()) / 3600)


def _median(one: ibis.Value, two: ibis.Value, three: ibis.Value) -> ibis.Value:
    return one + two + three - ibis.greatest(one, two, three) - ibis.least(one, two, three)


def emptied(steps: ibis.Table, weighings: ibis.Table) -> ibis.Table:
    """The steps with is_emptied (the container was emptied between the two readings) and how many weighings match that.

    A weighing matches the deepest fall of its container within half an hour of it. Of a sensor that was silent for more than a day
    it is not known on which day its container was emptied: that is no step.

    Args:
        steps: From `cleaned_steps`.
        weighings: container_code, emptied_at.
    """
    in_a_day = steps.gap_h <= LONGEST_STEP_H
    falls = steps.filter(in_a_day, steps.before_pct - steps.level_pct >= WEIGHED_FALL_PCT).select(
        "measured_at", "before_at", container="container_code", fall=_.before_pct - _.level_pct
    )
    slack = ibis.interval(minutes=WEIGHED_WITHIN_MIN)
    pairs = weighings.join(
        falls,
        [
            weighings.container_code == falls.container,
            weighings.emptied_at > falls.before_at - slack,
            weighings.emptied_at <= falls.measured_at + slack,
        ],
    )
    deepest = ibis.window(group_by=["container_code", "emptied_at"], order_by=[ibis.desc("fall"), "measured_at"])
    matched = pairs.mutate(place=ibis.row_number().over(deepest)).filter(_.place == 0)
    matched = matched.group_by("container_code", "measured_at").aggregate(matched_weighings=_.count())
    joined = steps.left_join(matched, ["container_code", "measured_at"], rname="{name}_matched")
    table = joined.select(*steps.columns, "matched_weighings")
    is_low = (table.level_pct <= EMPTY_PCT) & (table.level_pct <= table.before_pct / 2)
    is_fall = (table.gap_h <= LONGEST_STEP_H) & (table.before_pct - table.level_pct >= FALL_PCT) & is_low
    return table.mutate(is_emptied=(is_fall | table.matched_weighings.notnull()).fill_null(False))


def hour_profile(steps: ibis.Table) -> ibis.Table:
    """Which part of a day's inflow comes in each local hour, of all containers together.

    The rise per hour of the steps around each hour; twenty hours at the mean rate count with it, so that little data gives an
    even day, and no hour has less than a tenth of the mean.

    Returns:
        local_hour (0 to 23), share (they add up to 1) and share_before (of the hours before it).
    """
    middle = steps.clock_hour - steps.gap_h / 2
    usable = ~steps.is_emptied & (steps.gap_h > 0) & (steps.gap_h <= PROFILE_STEP_H)
    usable = usable & (steps.level_pct < OVERFULL_PCT) & (steps.before_pct < OVERFULL_PCT)
    around = steps.mutate(hour=((middle + _HOURS).floor() % _HOURS).cast("int64")).filter(usable)
    per_hour = around.group_by("hour").aggregate(rise=(_.level_pct - _.before_pct).sum(), hours=_.gap_h.sum())
    mean = per_hour.aggregate(rate=_.rise.sum() / _.hours.sum())
    hours = ibis.range(_HOURS).unnest().name("local_hour").as_table()
    table = hours.left_join(per_hour, hours.local_hour == per_hour.hour).cross_join(mean)
    usual = ibis.greatest(table.rate.fill_null(1.0), 0.001)
    rate = (table.rise.fill_null(0.0) + _PRIOR_HOURS * usual) / (table.hours.fill_null(0.0) + _PRIOR_HOURS)
    rates = table.select(local_hour=table.local_hour.cast("int64"), rate=ibis.greatest(rate, _LEAST_RATE * usual))
    shares = rates.select("local_hour", share=rates.rate / rates.rate.sum().over(ibis.window()))
    earlier = ibis.window(order_by="local_hour", preceding=None, following=0)
    return shares.mutate(share_before=shares.share.sum().over(earlier) - shares.share)


def _measured(steps: ibis.Table, profile: ibis.Table) -> ibis.Table:
    """Per container and day: how far its level rose, in which part of a usual day, and in which part it was overfull.

    A step over midnight is divided between both days as the inflow usually is.
    """
    steps = steps.filter(_.before_at.notnull(), ~_.is_emptied, _.gap_h > 0, _.gap_h <= LONGEST_STEP_H)
    for prefix in ("", "before_"):
        hours = profile.select(**{f"{prefix}hour": _.local_hour}, share=_.share, share_before=_.share_before)
        steps = steps.mutate(**{f"{prefix}hour": steps[f"{prefix}clock_hour"].floor().cast("int64")})
        joined = steps.join(hours, f"{prefix}hour")
        passed = joined.share_before + joined.share * (joined[f"{prefix}clock_hour"] - joined[f"{prefix}hour"])
        steps = joined.select(*steps.columns, **{f"{prefix}day_part": passed})
    days = (steps.local_date.epoch_days() - steps.before_date.epoch_days()).cast("float64")
    steps = steps.mutate(length=days + steps.day_part - steps.before_day_part).filter(_.length > 0)
    is_same_day = steps.local_date == steps.before_date
    later = steps.select(*_STEP, local_date=steps.local_date, part=is_same_day.ifelse(steps.length, steps.day_part))
    earlier = steps.filter(~is_same_day).select(*_STEP, local_date=_.before_date, part=1.0 - _.before_day_part)
    pieces = ibis.union(later, earlier.select(*later.columns), distinct=False)
    is_full = (pieces.level_pct >= OVERFULL_PCT) | (pieces.before_pct >= OVERFULL_PCT)
    rise = (pieces.level_pct - pieces.before_pct) * pieces.part / pieces.length
    return pieces.group_by("container_code", "local_date").aggregate(
        risen=rise.sum(where=~is_full),
        share=pieces.part.sum(where=~is_full).fill_null(0.0),
        full_share=pieces.part.sum(where=is_full).fill_null(0.0),
    )


_STEP = ("container_code", "level_pct", "before_pct", "length")


def _read(steps: ibis.Table, profile: ibis.Table) -> ibis.Table:
    """Per container and day: readings, spikes, emptyings, the last level, and which part of a usual day comes after it."""
    is_spike = (steps.fill_pct - steps.level_pct).abs() >= SPIKE_PCT
    days = steps.group_by("container_code", "local_date").aggregate(
        readings=_.count(),
        spikes=is_spike.ifelse(1, 0).sum(),
        inferred_emptyings=steps.is_emptied.ifelse(1, 0).sum(),
        matched_weighings=_.matched_weighings.sum().fill_null(0),
        last_measured_at=_.measured_at.max(),
        last_fill_pct=_.level_pct.argmax(_.measured_at),
        last_clock_hour=_.clock_hour.argmax(_.measured_at),
    )
    days = days.mutate(last_hour=_.last_clock_hour.floor().cast("int64"))
    joined = days.join(profile.select("share", "share_before", last_hour=_.local_hour), "last_hour")
    passed = joined.share_before + joined.share * (joined.last_clock_hour - joined.last_hour)
    kept = [c for c in days.columns if c not in ("last_clock_hour", "last_hour")]
    return joined.select(*kept, rest_share=ibis.greatest(1.0 - passed, 0.0))
