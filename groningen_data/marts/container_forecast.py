"""How full each container will be in the coming week, and when it reaches its alarm limit and overflows: what is read and said.

The model itself is in `fill_model`.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import ibis
import numpy as np
import polars as pl
from ibis import _

from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.collective.container_forecast import HORIZON_DAYS, ContainerForecast
from groningen_data.contracts.collective.container_outlook import ContainerOutlook
from groningen_data.gate.recipe import AnalysisContext
from groningen_data.marts import fill_model
from groningen_data.marts.container_day import registered_containers
from groningen_data.marts.container_inflow_day import cleaned_steps, emptied, hour_profile
from groningen_data.marts.fill_model import LONGEST_SILENCE_DAYS, WINDOW_DAYS, Floats

PROFILE_DAYS = 14
"""Days whose readings tell at which hours waste comes in."""


def compute_forecast(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """Rows of `collective.container_forecast`."""
    yield pl.DataFrame(schema=polars_schema(ContainerForecast))
    rows = known_days(context)
    if rows.is_empty():
        return
    made = fill_model.forecast(fill_model.history_of(rows), _last_known(rows))
    limits = dict(rows.select("container_code", "alarm_pct").unique().iter_rows())
    context.notes["containers"] = rows["container_code"].n_unique()
    context.notes["forecast"] = len(made.codes)
    yield made.frame(np.array([limits[code] for code in made.codes], dtype=np.float64))


def compute_outlook(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """Rows of `collective.container_outlook`."""
    yield pl.DataFrame(schema=polars_schema(ContainerOutlook))
    rows = known_days(context)
    if rows.is_empty():
        return
    made_from = _last_known(rows)
    forecast = context.frame(context.table("collective.container_forecast"))
    yield outlook_of(rows, made_from, forecast, _passed_by_hour(context, made_from), ZoneInfo(context.settings.timezone))


def known_days(context: AnalysisContext) -> pl.DataFrame:
    """The last `WINDOW_DAYS` days of `collective.container_inflow_day`, with facts of the registry.

    The last of them may have weighings only: when a day of all sensors is missing, rounds are wanted all the same, and what was
    emptied since is known.

    Returns:
        container_code, local_date, inflow_pct, last_measured_at, last_fill_pct, rest_share, weighings, alarm_pct (that of the settings where
        the registry gives none), group (the fraction), neighbourhood_code and location_status; in order of container and day.
    """
    days = context.table("collective.container_inflow_day")
    recent = days.cross_join(days.aggregate(last=_.local_date.max()))
    first = (recent["last"] - ibis.interval(days=WINDOW_DAYS - 1)).cast("date")
    recent = recent.filter(recent.local_date >= first)
    registry = registered_containers(context)
    facts = registry.select("container_code", "alarm_pct", "neighbourhood_code", "location_status", group=registry.fraction_code)
    joined = recent.left_join(facts, "container_code", rname="{name}_registry")
    alarm = ibis.coalesce(joined.alarm_pct, ibis.literal(float(context.settings.container_alarm_pct)))
    columns = ("local_date", "inflow_pct", "last_measured_at", "last_fill_pct", "rest_share", "weighings")
    registered = ("group", "neighbourhood_code", "location_status")
    rows = joined.select("container_code", *columns, *registered, alarm_pct=alarm)
    return context.frame(rows).sort("container_code", "local_date")


def outlook_of(
    rows: pl.DataFrame, made_from: date, forecast: pl.DataFrame, passed_by_hour: Floats, zone: ZoneInfo
) -> pl.DataFrame:
    """When each container reaches its alarm limit and overflows.

    Between the last reading and the ends of the days ahead, a level and the bounds of its interval rise as waste usually comes in.

    Args:
        rows: From `known_days`.
        made_from: The day that the forecast was made from.
        forecast: Rows of `collective.container_forecast`.
        passed_by_hour: Part of a usual day's inflow before each local hour; 25 values, from 0 to 1.
        zone: Time zone of local days.
    """
    heard = rows.drop_nulls("last_fill_pct").group_by("container_code", maintain_order=True)
    last = heard.agg(pl.col("local_date", "last_measured_at", "last_fill_pct").last())
    facts = rows.unique("container_code", maintain_order=True).select(
        "container_code", "alarm_pct", pl.col("group").alias("fraction_code"), "neighbourhood_code", "location_status"
    )
    history = fill_model.history_of(rows).until(made_from)
    starts = pl.DataFrame(dict(zip(("ago", "start_level", "start_rest"), history.starts, strict=True)))
    starts = starts.with_columns(pl.Series("container_code", history.codes))
    table = facts.join(last, on="container_code", how="left").join(starts, on="container_code", how="left")
    levels = ("fill_pct", "fill_low_pct", "fill_high_pct")
    ahead = forecast.sort("container_code", "horizon_days").group_by("container_code", maintain_order=True)
    ahead_of = ahead.agg(*levels, pl.col("inflow_pct").mean().alias("usual_inflow_pct"))
    table = table.join(ahead_of, on="container_code", how="left", maintain_order="left")
    is_forecast = table["fill_pct"].is_not_null()
    chosen = table.filter(is_forecast)
    reached = table.select(
        "container_code",
        "fraction_code",
        "neighbourhood_code",
        "location_status",
        "last_measured_at",
        "last_fill_pct",
        "alarm_pct",
        "usual_inflow_pct",
        pl.lit(made_from).alias("made_from_on"),
        pl.when(pl.col("fill_pct").is_null())
        .then(
            pl.when(pl.col("local_date").is_null() | (pl.col("local_date") < made_from - timedelta(days=LONGEST_SILENCE_DAYS)))
            .then(pl.lit("silent"))
            .otherwise(pl.lit("too_little_history"))
        )
        .alias("forecast_missing_reason"),
    )
    start = -chosen["ago"].to_numpy() - chosen["start_rest"].to_numpy()
    start_level = chosen["start_level"].to_numpy()
    instant = partial(_instants, made_from=made_from, passed_by_hour=passed_by_hour, zone=zone)
    limits = {"alarm": chosen["alarm_pct"].to_numpy(), "overflow": np.full(chosen.height, fill_model.OVERFULL_PCT)}
    found = {"container_code": chosen["container_code"]}
    for event, limit in limits.items():
        times = {
            name: _crossings(
                start, start_level, np.array(chosen[column].to_list(), dtype=np.float64).reshape(-1, HORIZON_DAYS), limit
            )
            for name, column in (("early", "fill_high_pct"), ("expected", "fill_pct"), ("late", "fill_low_pct"))
        }
        is_reached = start_level >= limit
        status = np.select(
            [is_reached, np.isfinite(times["expected"]), np.isfinite(times["early"])],
            ["reached", "expected", "possible"],
            "not_this_week",
        )
        found[f"{event}_status_code"] = pl.Series(status.tolist(), dtype=pl.String)
        for name, column in (("early", f"{event}_early_at"), ("expected", f"{event}_at"), ("late", f"{event}_late_at")):
            found[column] = instant(np.where(is_reached, np.nan, times[name]))
    joined = reached.join(pl.DataFrame(found), on="container_code", how="left")
    unknown = [pl.col(f"{event}_status_code").fill_null("unknown") for event in limits]
    return joined.with_columns(unknown).select(list(polars_schema(ContainerOutlook)))


def _last_known(rows: pl.DataFrame) -> date:
    last = rows["local_date"].max()
    assert isinstance(last, date)
    return last


def _passed_by_hour(context: AnalysisContext, made_from: date) -> Floats:
    """Part of a usual day's inflow before each local hour, of the last two weeks: 25 values, from 0 to 1."""
    first = made_from - timedelta(days=PROFILE_DAYS - 1)
    readings = context.table("core.waste_fill_levels")
    readings = readings.filter(readings.local_date >= first, readings.local_date <= made_from)
    readings = readings.semi_join(context.table("collective.container_inflow_day"), "container_code")
    weighings = context.table("core.waste_emptyings")
    weighings = weighings.filter(weighings.local_date >= first, weighings.container_code.notnull())
    profile = context.frame(hour_profile(emptied(cleaned_steps(readings), weighings))).sort("local_hour")
    return np.append(profile["share_before"].to_numpy(), 1.0)


def _crossings(start: Floats, start_level: Floats, levels: Floats, limit: Floats) -> Floats:
    """When lines from a start through the levels at the ends of days reach a limit; NaN where they do not.

    Args:
        start: Time of the last reading or weighing, in days of usual inflow since the end of the day forecast from.
        start_level: Level then.
        levels: Level at the end of each day ahead: containers × days.
        limit: Per container.

    Returns:
        Times as `start` has them.
    """
    size, days = levels.shape
    times = np.column_stack([start, np.tile(np.arange(1.0, days + 1), (size, 1))])
    line = np.maximum.accumulate(np.column_stack([start_level, levels]), axis=1)
    is_over = line >= limit[:, None]
    first = np.argmax(is_over, axis=1)
    before = np.maximum(first - 1, 0)
    rows = np.arange(size)
    low, high = line[rows, before], line[rows, first]
    part = np.divide(limit - low, high - low, out=np.zeros(size), where=high > low)
    crossing: Floats = times[rows, before] + part * (times[rows, first] - times[rows, before])
    return np.where(is_over.any(axis=1), crossing, np.nan)


def _instants(times: Floats, *, made_from: date, passed_by_hour: Floats, zone: ZoneInfo) -> pl.Series:
    """Times in days of usual inflow since the end of a day as instants (UTC, whole minutes); null for NaN."""
    return pl.Series(
        [_instant(value, made_from, passed_by_hour, zone) if np.isfinite(value) else None for value in times.tolist()],
        dtype=pl.Datetime("us", "UTC"),
    )


def _instant(value: float, made_from: date, passed_by_hour: Floats, zone: ZoneInfo) -> datetime:
    whole = int(np.floor(value))
    day = made_from + timedelta(days=whole + 1)
    midnight, next_midnight = (datetime.combine(d, time(), zone).astimezone(UTC) for d in (day, day + timedelta(days=1)))
    hour = float(np.interp(value - whole, passed_by_hour, np.arange(len(passed_by_hour))))
    # Scaled on the two days of the year on which the clock changes.
    at = midnight + (next_midnight - midnight) * (hour / (len(passed_by_hour) - 1))
    return at.replace(second=0, microsecond=0)
