"""Where waste lies beside containers more often than chance would have it: what is read, and a row per container that stands out.

The tests themselves are in `hotspot_statistics`.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from ibis import _

from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.collective.container_hotspots import ContainerHotspots
from groningen_data.gate.recipe import AnalysisContext
from groningen_data.marts import hotspot_statistics as statistics
from groningen_data.marts.container_day import METRES_PER_DEGREE
from groningen_data.marts.hotspot_statistics import Comparison, Floats, Ints

BAND_M = 250
"""How far around a container is looked: people carry their waste, and inspections of one container alone are too few."""
BESIDE_M = 25
"""A report this near to a container is about what lies beside it: people stand there, and their telephone errs by ten metres."""
ELSEWHERE_M = 1_000
"""Inspections further away than this tell what is usual in the city."""
TOGETHER_M = 100
"""Containers that stand out and are no further apart than this are one hotspot."""
PERIOD_DAYS = 28
"""Four weeks: each weekday counts as often, and a place shows up soon after it changes."""
WEEKDAY_DAYS = 84
"""Twelve weeks: a weekday comes too seldom in four."""
_LATITUDE = 53.2
_CELL_M = 25
_INSPECTED = ("inspected_on", "container_code", "longitude", "latitude", "is_waste_beside", "bulky_items", "cause_code")
_REPORTED = ("created_on", "longitude", "latitude", "waste_kind")
_KINDS = ("bulky", "construction")
_CAUSES = {"full": "full_container", "bulky": "bulky_waste", "construction": "construction"}


@dataclass(frozen=True)
class Seen:
    """All that is known around the containers.

    Args:
        containers: container_code, location_name, fraction_code, neighbourhood_code, longitude, latitude; in order of code.
        inspections: inspected_on, longitude, latitude, is_waste_beside, bulky_items, and cause (of `_CAUSES`, or null).
        reports: created_on, longitude, latitude, and cause.
        full_days: container_code, local_date and alarm_hours, of days with any.
        works: starts_on, ends_on, longitude, latitude of road works and closures.
        first_on: First day of which anything is known.
        last_on: Last such day.
    """

    containers: pl.DataFrame
    inspections: pl.DataFrame
    reports: pl.DataFrame
    full_days: pl.DataFrame
    works: pl.DataFrame
    first_on: date
    last_on: date


def compute(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """The hotspots of each period that ends on a Sunday of the month being made, from the first to the last day that is known."""
    known = read(context)
    [(first,)] = context.frame(context.month.name("month").as_table()).rows()
    sundays = [
        day for day in (first + timedelta(days=n) for n in range(31)) if day.isoweekday() == 7 and day.month == first.month
    ]
    yield pl.DataFrame(schema=polars_schema(ContainerHotspots))
    for sunday in sundays:
        if known.first_on <= sunday <= known.last_on and known.containers.height:
            compared = compare(known, sunday)
            context.notes[f"compared until {sunday}"] = {test: found.comparisons for test, found in compared.items()}
            yield rows_of(known, sunday, compared)


def read(context: AnalysisContext) -> Seen:
    """What the tests need, of the month being made and as long before it as they look."""
    listed = context.table("core.waste_containers")
    listed = listed.filter(_.location_status == "inside", _.longitude.notnull(), _.latitude.notnull())
    columns = ("container_code", "location_name", "fraction_code", "neighbourhood_code", "longitude", "latitude")
    containers = context.frame(listed.select(*columns, "source_code")).sort("container_code", "source_code")
    days = context.during_month(context.table("collective.container_day"), "local_date", WEEKDAY_DAYS)
    full_days = days.filter(days.alarm_hours > 0).select("container_code", "local_date", "alarm_hours")
    inspections = context.during_month(context.table("core.waste_inspections"), "inspected_on", PERIOD_DAYS)
    inspections = inspections.filter(_.longitude.notnull(), _.latitude.notnull(), _.location_status == "inside")
    reports = context.during_month(context.table("core.waste_reports"), "created_on", WEEKDAY_DAYS)
    reports = reports.filter(_.longitude.notnull(), _.latitude.notnull(), _.location_status == "inside", _.waste_kind.notnull())
    works = context.table("core.traffic_events")
    works = works.filter(_.event_kind.isin(["road_works", "closure"]), _.longitude.notnull(), _.latitude.notnull())
    return seen(
        containers.unique("container_code", keep="first", maintain_order=True).select(columns),
        context.frame(inspections.select(*_INSPECTED)),
        context.frame(reports.select(*_REPORTED)),
        context.frame(full_days),
        context.frame(works.select("starts_on", "ends_on", "longitude", "latitude")),
        context.frame(days.select("local_date").distinct())["local_date"],
    )


def seen(
    containers: pl.DataFrame,
    inspections: pl.DataFrame,
    reports: pl.DataFrame,
    full_days: pl.DataFrame,
    works: pl.DataFrame,
    days: pl.Series,
) -> Seen:
    """What is known around containers, with causes.

    Args:
        containers: As in `Seen`.
        inspections: inspected_on, container_code, longitude, latitude, is_waste_beside, bulky_items and cause_code.
        reports: created_on, longitude, latitude and waste_kind.
        full_days: As in `Seen`.
        works: As in `Seen`.
        days: The days of which anything is known.
    """
    return Seen(
        containers,
        _with_cause_found(inspections, full_days),
        _with_cause_told(reports, containers, full_days),
        full_days,
        works,
        days.min() or date.max,  # type: ignore[arg-type]
        days.max() or date.min,  # type: ignore[arg-type]
    )


def compare(known: Seen, sunday: date) -> dict[str, Comparison]:
    """The three tests of the period that ends on a Sunday, by name; without those for which nothing was known."""
    places = metres(known.containers)
    compared: dict[str, Comparison] = {}
    inspections = _until(known.inspections, "inspected_on", sunday, PERIOD_DAYS)
    if inspections.height:
        near, around = (statistics.within(places, metres(inspections), radius) for radius in (BAND_M, ELSEWHERE_M))
        found = inspections["is_waste_beside"].to_numpy()
        weekday = inspections["inspected_on"].dt.weekday().to_numpy().astype(np.int64)
        causes = _flags(inspections["cause"], found)
        compared["inspections"] = statistics.compare_inspections(near, around, weekday, found, causes, _KINDS)
    reports = _until(known.reports, "created_on", sunday, PERIOD_DAYS)
    nearest, away = _nearest(places, reports)
    reports, nearest, away = reports.filter(away <= BAND_M), nearest[away <= BAND_M], away[away <= BAND_M]
    if reports.height:
        is_beside = away <= BESIDE_M
        near = statistics.within(places, metres(reports), BAND_M)
        causes = _flags(reports["cause"], is_beside)
        compared["reports"] = statistics.compare_reports(near, is_beside, _ground(places), nearest, causes)
    reports = _until(known.reports, "created_on", sunday, WEEKDAY_DAYS)
    reports = reports.filter(_nearest(places, reports)[1] <= BAND_M)
    if reports.height:
        near = statistics.within(places, metres(reports), BAND_M)
        day = (pl.lit(sunday) - pl.col("created_on")).dt.total_days().cast(pl.Int64)
        causes = _flags(reports["cause"], np.ones(reports.height, dtype=bool))
        compared["weekday"] = statistics.compare_weekdays(near, reports.select(day).to_series().to_numpy(), causes)
    return compared


def rows_of(known: Seen, sunday: date, compared: Mapping[str, Comparison]) -> pl.DataFrame:
    """The containers that stand out in the period that ends on a Sunday, with likely cause and evidence: rows of the contract."""
    frames = [_standing_out(known, sunday, test, comparison) for test, comparison in compared.items()]
    found = pl.concat([pl.DataFrame(schema=polars_schema(ContainerHotspots)), *frames])
    if not found.height:
        return found
    strongest = statistics.groups_of(metres(found), found["p_value"].to_numpy(), TOGETHER_M)
    return found.with_columns(hotspot_code=found["container_code"].gather(strongest))


def _standing_out(known: Seen, sunday: date, test: str, comparison: Comparison) -> pl.DataFrame:
    is_out, q_value = statistics.standing_out(comparison), statistics.corrected(comparison)
    days = WEEKDAY_DAYS if test == "weekday" else PERIOD_DAYS
    names, cause_observed, cause_expected, cause_p = statistics.likely_causes(comparison)
    is_told = np.array([name is not None for name in names])
    causes: list[str] = [_CAUSES[name] if name else "unexplained" for name in names]
    weekday: Any = pl.lit(None, pl.Int64)
    if comparison.weekday is not None:
        # The reports that fell on this weekday are themselves the evidence, unless full containers account for most of the excess.
        is_full = is_told & (cause_observed - cause_expected > (comparison.observed - comparison.expected) / 2)
        causes = [cause if full else "weekday" for cause, full in zip(causes, is_full, strict=True)]
        cause_observed = np.where(is_full, cause_observed, comparison.observed)
        cause_expected = np.where(is_full, cause_expected, comparison.expected)
        cause_p = np.where(is_full, cause_p, comparison.p_value)
        is_told, weekday = np.ones(len(names), dtype=bool), pl.Series(comparison.weekday)
    columns: dict[str, Any] = {
        "trials": comparison.trials,
        "observed": comparison.observed,
        "expected": comparison.expected,
        "excess_ratio": comparison.observed / np.maximum(comparison.expected, 1e-9),
        "p_value": comparison.p_value,
        "q_value": q_value,
        "likely_cause_code": causes,
        "cause_observed": cause_observed,
        "cause_expected": cause_expected,
        "cause_p_value": cause_p,
        **_evidence(known, sunday, days),
    }
    told = [name for name in columns if name.startswith("cause_")]
    frame = known.containers.with_columns(pl.Series(name, values) for name, values in columns.items())
    frame = frame.with_columns(
        weekday.alias("weekday"),
        *(pl.when(pl.Series(is_told)).then(name).alias(name) for name in told),
        month=sunday.replace(day=1),
        period_start_on=sunday - timedelta(days=days - 1),
        period_end_on=sunday,
        test_code=pl.lit(test),
        hotspot_code=pl.lit(""),
        comparisons=comparison.comparisons,
    )
    schema = polars_schema(ContainerHotspots)
    return frame.filter(pl.Series(is_out)).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _evidence(known: Seen, sunday: date, days: int) -> dict[str, Ints]:
    """What happened within `BAND_M` of each container in the period, whatever the test."""
    places = metres(known.containers)
    full = _until(known.full_days, "local_date", sunday, days).group_by("container_code").agg(pl.col("alarm_hours").sum())
    hours = known.containers.join(full, "container_code", how="left", maintain_order="left")["alarm_hours"].fill_null(0)
    found = _until(known.inspections, "inspected_on", sunday, days)
    began = sunday - timedelta(days=days - 1)
    works = known.works.filter(pl.col("starts_on") <= sunday, pl.col("ends_on").fill_null(sunday) >= began)
    counted = {
        "alarm_hours": (places, hours.to_numpy()),
        "bulky_items": (metres(found), found["bulky_items"].fill_null(0).to_numpy()),
        "works_250_m": (metres(works), np.ones(works.height)),
    }
    return {
        name: (statistics.within(places, where, BAND_M) @ values.astype(float)).astype(np.int64)
        for name, (where, values) in counted.items()
    }


def _with_cause_found(inspections: pl.DataFrame, full_days: pl.DataFrame) -> pl.DataFrame:
    """With the cause of what each inspection found: bulky items, builders' waste, or a container over its alarm limit that day."""
    days = full_days.select("container_code", inspected_on="local_date", is_full=pl.lit(True))
    joined = inspections.join(days, ["container_code", "inspected_on"], how="left", maintain_order="left")
    cause = (
        pl.when(~pl.col("is_waste_beside"))
        .then(None)
        .when((pl.col("bulky_items") > 0) | (pl.col("cause_code") == "bulky"))
        .then(pl.lit("bulky"))
        .when(pl.col("cause_code") == "construction")
        .then(pl.lit("construction"))
        .when(pl.col("is_full") | (pl.col("cause_code") == "full"))
        .then(pl.lit("full"))
    )
    return joined.with_columns(cause=cause).drop("is_full")


def _with_cause_told(reports: pl.DataFrame, containers: pl.DataFrame, full_days: pl.DataFrame) -> pl.DataFrame:
    """With the cause of each report: it says bulky waste, or a container beside it was over its alarm limit that day."""
    if not containers.height or not reports.height:
        return reports.with_columns(cause=pl.lit(None, pl.String))
    beside = statistics.within(metres(containers), metres(reports), BESIDE_M).tocoo()
    pairs = pl.DataFrame(
        {"report": beside.col.astype(np.int64), "container_code": containers["container_code"].gather(beside.row)}
    )
    numbered = reports.with_row_index("report").cast({"report": pl.Int64})
    is_full = pairs.join(numbered.select("report", local_date="created_on"), "report").join(
        full_days, ["container_code", "local_date"]
    )
    cause = (
        pl.when(pl.col("waste_kind") == "bulky")
        .then(pl.lit("bulky"))
        .when(pl.col("report").is_in(is_full["report"].unique().to_list()))
        .then(pl.lit("full"))
    )
    return numbered.with_columns(cause=cause).drop("report")


def _flags(causes: pl.Series, counts: Any) -> dict[str, Any]:
    return {cause: (causes == cause).fill_null(False).to_numpy() & counts for cause in _CAUSES if (causes == cause).any()}


def _until(frame: pl.DataFrame, column: str, sunday: date, days: int) -> pl.DataFrame:
    return frame.filter(pl.col(column).is_between(sunday - timedelta(days=days - 1), sunday))


def metres(frame: pl.DataFrame) -> Floats:
    """Metres east and north, on a plane that touches the earth at the latitude of the Netherlands' north: right within 1 %."""
    east = frame["longitude"].to_numpy() * (METRES_PER_DEGREE * math.cos(math.radians(_LATITUDE)))
    return np.stack([east, frame["latitude"].to_numpy() * METRES_PER_DEGREE], axis=1)


def _nearest(places: Floats, events: pl.DataFrame) -> tuple[Ints, Floats]:
    """Of each event the nearest place, and how far it is in metres."""
    from scipy.spatial import cKDTree

    if not events.height:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    away, nearest = cKDTree(places).query(metres(events))
    return nearest.astype(np.int64), away


def _ground(places: Floats) -> Floats:
    """Per place, how much ground within `BAND_M` lies beside a container against how much does not, on a grid of 25 metres."""
    from scipy.spatial import cKDTree

    low, high = places.min(axis=0) - BAND_M, places.max(axis=0) + BAND_M
    grid = np.stack(np.meshgrid(*(np.arange(a, b, _CELL_M) for a, b in zip(low, high, strict=True))), axis=-1).reshape(-1, 2)
    away = cKDTree(places).query(grid, distance_upper_bound=BAND_M)[0]
    grid, is_beside = grid[away <= BAND_M], away[away <= BAND_M] <= BESIDE_M
    near = statistics.within(places, grid, BAND_M)
    beside = near @ is_beside.astype(float)
    return np.asarray(np.maximum(beside, 1) / np.maximum(near @ (~is_beside).astype(float), 1))
