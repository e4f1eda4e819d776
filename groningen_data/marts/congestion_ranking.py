"""Intersections ranked by congestion per part of the week: persistent against incidental, and the trend of traffic.

Recurring and non-recurring congestion are told apart as FHWA does (Traffic Congestion and Reliability, 2005): what happens on
ordinary days recurs; holidays, events, works and bad weather are counted apart.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import polars as pl
from ibis import _

from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.collective.congestion_ranking import CongestionRanking
from groningen_data.gate.recipe import AnalysisContext
from groningen_data.marts.traffic_near import places_of_events

PERIOD_HOURS: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "morning_peak": ((1, 5), (7, 8)),
    "day": ((1, 5), (9, 15)),
    "evening_peak": ((1, 5), (16, 17)),
    "evening": ((1, 5), (18, 22)),
    "weekend": ((6, 7), (10, 17)),
}
"""Weekdays and local hours of each period, first and last."""
WINDOW_DAYS = 91
CONGESTED_MINUTES = 10
"""A day is congested when so many minutes an hour are saturated."""
EVENT_WITHIN_M = 1_000
WET_MM_PER_H = 1.0
PERSISTENT_SHARE = 0.2
DAYS_NEEDED, TREND_DAYS_NEEDED = 5, 15
MEASURED_SHARE = 0.5
LEAST_VEHICLES_PER_H = 5.0
_CONFIDENCE = 0.05
_ITERATIONS = 4
_MOST_MEMORY = 0.9
_Floats = npt.NDArray[np.float64]


def compute(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """One row per intersection and period in which anything was delivered during the last `WINDOW_DAYS` days with counts."""
    days = context.frame(_days(context))
    if days.is_empty():
        yield pl.DataFrame(schema=polars_schema(CongestionRanking))
        return
    yield ranked(days)


def ranked(days: pl.DataFrame) -> pl.DataFrame:
    """The ranking.

    Args:
        days: One row per intersection, period and local day: intersection_code, intersection_name, longitude, latitude,
            neighbourhood_code, period_code, local_date, hours, measured_hours, approaches, measured_approaches (means),
            trusted_share, saturated_minutes, loss_h_per_km, vehicles, volume_capacity_ratio, is_public_holiday,
            is_school_holiday, has_event, rain_mm_h, has_snow, is_drifting.

    Returns:
        The columns of the contract.
    """
    days = _with_kind(days)
    key = ["period_code", "intersection_code"]
    rows = days.group_by(key).agg(*_facts()).sort(key)
    kinds = pl.DataFrame([_share(row) for row in rows.iter_rows(named=True)], schema=_SHARES)
    parts = days.filter("is_measured").sort("local_date").partition_by(key, as_dict=True)
    trends = pl.DataFrame([_trend(parts.get(group)) for group in rows.select(key).iter_rows()], schema=_TRENDS)
    found = pl.concat([rows, kinds, trends], how="horizontal").with_columns(_clear(trends["trend_p"]))
    worst_first = ["saturated_min_per_h", "vehicle_loss_h_per_km_day"]
    found = found.sort("period_code", *worst_first, "intersection_code", descending=[False, True, True, False], nulls_last=True)
    place = pl.int_range(1, pl.len() + 1).over("period_code")
    found = found.with_columns(rank=pl.when(pl.col("measured_days") > 0).then(place))
    return found.select([pl.col(name).cast(dtype) for name, dtype in polars_schema(CongestionRanking).items()])


_SHARES = {
    "congestion_kind": pl.String,
    "kind_missing_reason": pl.String,
    "congested_share": pl.Float64,
    "congested_share_low": pl.Float64,
    "congested_share_high": pl.Float64,
}
_TRENDS = {
    "trend_pct_week": pl.Float64,
    "trend_low_pct_week": pl.Float64,
    "trend_high_pct_week": pl.Float64,
    "trend_p": pl.Float64,
    "trend_missing_reason": pl.String,
    "school_holiday_effect_pct": pl.Float64,
    "rain_effect_pct": pl.Float64,
}


def _days(context: AnalysisContext) -> ibis.Table:
    hours = context.table("collective.intersection_hour")
    last = hours.aggregate(last_on=_.local_date.max())
    period = ibis.cases(
        *(
            (hours.weekday.between(*weekdays) & hours.local_hour.between(*of_day), ibis.literal(code))
            for code, (weekdays, of_day) in PERIOD_HOURS.items()
        ),
        else_=ibis.null("string"),
    )
    hours = hours.mutate(period_code=period).filter(_.period_code.notnull()).cross_join(last)
    hours = hours.filter(hours.local_date > hours.last_on - ibis.interval(days=WINDOW_DAYS))
    weather = context.table("core.reference_weather_hours")
    weather = weather.filter(_.station_code == context.settings.weather_station).select(
        "hour_start_at", "precipitation_mm", "has_snow"
    )
    hours = hours.left_join(weather, "hour_start_at", rname="{name}_weather")
    days = hours.group_by("intersection_code", "period_code", "local_date", "weekday").aggregate(
        hours=_.count(),
        measured_hours=_.vehicles.count(),
        approaches=_.approaches.max(),
        measured_approaches=_.measured_approaches.mean(),
        trusted_share=_.trusted_share.mean(),
        saturated_minutes=_.saturated_minutes.sum(),
        loss_h_per_km=_.vehicle_loss_h_per_km.sum(),
        vehicles=_.vehicles.sum(),
        volume_capacity_ratio=_.volume_capacity_ratio.mean(),
        rain_mm_h=_.precipitation_mm.mean(),
        has_snow=_.has_snow.any(),
    )
    calendar = context.table("core.reference_calendar").select("is_public_holiday", "is_school_holiday", local_date="calendar_on")
    days = days.left_join(calendar, "local_date", rname="{name}_calendar").drop("local_date_calendar")
    approaches = context.table("collective.intersection_approach")
    places = approaches.group_by("intersection_code").aggregate(
        intersection_name=_.intersection_name.min(),
        longitude=_.longitude.min(),
        latitude=_.latitude.min(),
        neighbourhood_code=_.neighbourhood_code.min(),
    )
    days = days.left_join(places, "intersection_code", rname="{name}_place").drop("intersection_code_place")
    near = places_of_events(context, ("event", "road_works", "closure"), EVENT_WITHIN_M)
    near = near.join(approaches.select("site_id", "intersection_code"), "site_id")
    near = near.select("intersection_code", "starts_on", "ends_on").distinct()
    told = days.select("intersection_code", "local_date").distinct().join(near, "intersection_code")
    told = told.filter(_.local_date >= _.starts_on, _.local_date <= _.ends_on)
    told = told.select("intersection_code", "local_date", has_event=True).distinct()
    days = days.left_join(told, ["intersection_code", "local_date"], rname="{name}_told")
    days = days.drop("intersection_code_told", "local_date_told")
    drifting = context.table("collective.site_quality").filter(_.is_drifting).select("site_id", "local_date")
    drifting = drifting.join(approaches.select("site_id", "intersection_code"), "site_id")
    drifting = drifting.select("intersection_code", "local_date", is_drifting=True).distinct()
    days = days.left_join(drifting, ["intersection_code", "local_date"], rname="{name}_drift")
    return days.drop("intersection_code_drift", "local_date_drift")


def _with_kind(days: pl.DataFrame) -> pl.DataFrame:
    """Days with what they were: measured, congested, and ordinary or not; each day that is not counts under its first reason."""
    is_measured = (pl.col("measured_hours") >= MEASURED_SHARE * pl.col("hours")) & (pl.col("measured_hours") > 0)
    minutes = pl.col("saturated_minutes") / pl.col("measured_hours")
    reason = (
        pl.when(pl.col("is_public_holiday").fill_null(False) | pl.col("is_school_holiday").fill_null(False))
        .then(pl.lit("holiday"))
        .when(pl.col("has_event").fill_null(False))
        .then(pl.lit("event"))
        .when((pl.col("rain_mm_h").fill_null(0) > WET_MM_PER_H) | pl.col("has_snow").fill_null(False))
        .then(pl.lit("weather"))
        .otherwise(pl.lit("ordinary"))
    )
    return days.with_columns(
        is_measured.alias("is_measured"),
        (is_measured & (minutes >= CONGESTED_MINUTES)).fill_null(False).alias("is_congested"),
        reason.alias("day_kind"),
    )


def _facts() -> list[pl.Expr]:
    measured = pl.col("is_measured")

    def counted(kind: str, congested: bool) -> pl.Expr:
        is_so = measured & (pl.col("day_kind") == kind)
        return ((is_so & pl.col("is_congested")) if congested else is_so).sum().cast(pl.Int64)

    names = {"ordinary": "ordinary", "holiday": "holiday", "event": "event", "weather": "bad_weather"}
    hours = pl.col("measured_hours").filter(measured).sum()
    return [
        pl.coalesce(pl.col("intersection_name").first(), pl.col("intersection_code").first()).alias("intersection_name"),
        pl.col("longitude", "latitude", "neighbourhood_code").first(),
        pl.col("local_date").min().alias("first_on"),
        pl.col("local_date").max().alias("last_on"),
        pl.len().cast(pl.Int64).alias("days"),
        measured.sum().cast(pl.Int64).alias("measured_days"),
        pl.col("trusted_share").mean(),
        pl.col("is_drifting").fill_null(False).any().alias("has_drifting_detector"),
        *(counted(kind, False).alias(f"{name}_days") for kind, name in names.items()),
        *(counted(kind, True).alias(f"{name}_congested_days") for kind, name in names.items()),
        (pl.col("saturated_minutes").filter(measured).sum() / _some(hours)).alias("saturated_min_per_h"),
        pl.col("volume_capacity_ratio").filter(measured).mean(),
        (pl.col("loss_h_per_km").filter(measured).sum() / _some(measured.sum())).alias("vehicle_loss_h_per_km_day"),
        (pl.col("vehicles").filter(measured).sum() / _some(hours)).alias("vehicles_per_h"),
    ]


def _some(count: pl.Expr) -> pl.Expr:
    return pl.when(count > 0).then(count)


def _share(row: Mapping[str, Any]) -> dict[str, Any]:
    """Whether congestion is persistent, by the Wilson interval (1927) of the share of ordinary days that are congested."""
    from statsmodels.stats.proportion import proportion_confint

    days, congested = row["ordinary_days"], row["ordinary_congested_days"]
    if row["measured_days"] < DAYS_NEEDED or days < DAYS_NEEDED:
        reason = "not_trusted" if row["days"] >= DAYS_NEEDED > row["measured_days"] else "too_few_days"
        return dict.fromkeys(_SHARES) | {"kind_missing_reason": reason}
    low, high = proportion_confint(congested, days, _CONFIDENCE, method="wilson")
    others = row["holiday_congested_days"] + row["event_congested_days"] + row["bad_weather_congested_days"]
    kind = "persistent" if low > PERSISTENT_SHARE else "incidental" if congested + others else "none"
    shares = {"congested_share": congested / days, "congested_share_low": float(low), "congested_share_high": float(high)}
    return dict.fromkeys(_SHARES) | {"congestion_kind": kind} | shares


def _trend(days: pl.DataFrame | None) -> dict[str, Any]:
    """The weekly trend of the logarithm of vehicles per hour, on days without event or public holiday on which all was measured.

    Generalised least squares with weekdays, school holidays and rain as further causes, and errors of which each depends on the
    one before (Cochrane and Orcutt 1949): so few days allow for no more than that. How much it depends on it is corrected for the
    number of causes; by simulation half of that number by the days keeps false trends near one in twenty.
    """
    nothing = dict.fromkeys(_TRENDS)
    if days is None:
        return nothing | {"trend_missing_reason": "too_few_days"}
    whole = pl.col("measured_approaches") >= 0.99 * pl.col("measured_approaches").max()
    ordinary = ~pl.col("has_event").fill_null(False) & ~pl.col("is_public_holiday").fill_null(False)
    days = days.filter(whole, ordinary, pl.col("trusted_share") > 0.9 * pl.col("trusted_share").max())
    flow = (days["vehicles"] / days["measured_hours"]).to_numpy()
    is_busy = flow >= LEAST_VEHICLES_PER_H
    if not is_busy.any() and days.height:
        return nothing | {"trend_missing_reason": "no_traffic"}
    if is_busy.sum() < TREND_DAYS_NEEDED:
        return nothing | {"trend_missing_reason": "too_few_days"}
    return nothing | _fitted(days.filter(pl.Series(is_busy)), np.log(flow[is_busy]))


def _fitted(days: pl.DataFrame, level: _Floats) -> dict[str, Any]:
    from statsmodels.regression.linear_model import GLSAR

    weeks = (days["local_date"] - days["local_date"].min()).dt.total_days().to_numpy() / 7.0
    causes = {
        "school_holiday_effect_pct": days["is_school_holiday"].fill_null(False).cast(pl.Float64).to_numpy(),
        "rain_effect_pct": days["rain_mm_h"].fill_null(0.0).to_numpy(),
    }
    weekdays = days["weekday"].to_numpy()
    columns: dict[str, _Floats] = {"trend": weeks}
    # The first day only tells what the second remembers: what holds on that day alone cannot be estimated.
    columns |= {name: values for name, values in causes.items() if np.ptp(values[1:]) > 0}
    columns |= {f"weekday_{n}": (weekdays == n).astype(float) for n in sorted(set(weekdays[1:]))[1:]}
    design = np.column_stack([np.ones(len(level)), *columns.values()])
    if np.linalg.matrix_rank(design[1:]) < design.shape[1] or len(level) <= design.shape[1] + 2:
        return {"trend_missing_reason": "too_few_days"}
    model = GLSAR(level, design, rho=1)
    model.iterative_fit(_ITERATIONS)
    # Residuals resemble each other less than errors do, the more the more causes are fitted to few days (Kendall 1954).
    memory = min(max(float(model.rho[0]), 0.0) + design.shape[1] / len(level) / 2, _MOST_MEMORY)
    fit = GLSAR(level, design, rho=[memory]).fit()
    position = {name: n for n, name in enumerate(columns, start=1)}
    low, high = fit.conf_int(_CONFIDENCE)[position["trend"]]
    found = {
        "trend_pct_week": _per_cent(fit.params[position["trend"]]),
        "trend_low_pct_week": _per_cent(low),
        "trend_high_pct_week": _per_cent(high),
        "trend_p": float(fit.pvalues[position["trend"]]),
    }
    return found | {name: _per_cent(fit.params[position[name]]) for name in causes if name in position}


def _per_cent(logarithm: float) -> float:
    return 100 * math.expm1(float(logarithm))


def _clear(p_values: pl.Series) -> pl.Series:
    """Which trends are clear when all of them are looked at together (Benjamini and Hochberg 1995, one false in twenty)."""
    from statsmodels.stats.multitest import multipletests

    clear: list[bool | None] = [None] * len(p_values)
    told = [n for n, p in enumerate(p_values) if p is not None]
    if told:
        for n, is_clear in zip(told, multipletests([p_values[n] for n in told], _CONFIDENCE, method="fdr_bh")[0], strict=True):
            clear[n] = bool(is_clear)
    return pl.Series("is_trend_clear", clear, pl.Boolean)
