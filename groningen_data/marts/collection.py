"""What rounds are planned with: the fixed schedule as it was driven, containers, vehicles, weights and nuisance, from published tables.

Not a mart itself: `collection_plan` and `collection_backtest` are made of it, so that the plan of tomorrow and the plan of the past
are judged by the same figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

import ibis
import numpy as np
import numpy.typing as npt
import polars as pl
from ibis import _

from groningen_data.gate.recipe import AnalysisContext
from groningen_data.marts.container_day import registered_containers
from groningen_data.marts.container_inflow_day import cleaned_steps, emptied, hour_profile
from groningen_data.routing.matrix import Point
from groningen_data.routing.risk import nuisance
from groningen_data.routing.rounds import Shift, Truck
from groningen_data.settings import Settings

HISTORY_DAYS = 28
"""Days before the first planned one that tell the fixed schedule and the weights: every weekday four times."""
FIXED_SHARE = 0.5
"""A container has a fixed day when it was emptied on at least half of such weekdays on which its fraction was collected."""
PROFILE_DAYS = 7
INFLOWS_NEEDED = 10
"""Days of known inflow with which a container counts as measured."""
_WEIGHT_RANGE = 4.0
_HALF_FULL_PCT = 50.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fleet:
    """Where vehicles start and tip, and what each can carry."""

    depot: Point
    tipping: Point
    trucks: dict[str, Truck]


def shift_of(settings: Settings) -> Shift:
    """When vehicles drive, and how long they stand."""
    start, end = seconds(settings.collection_start), seconds(settings.collection_end)
    return Shift(start, end, settings.collection_stop_s, settings.collection_tipping_s)


def seconds(clock: time) -> int:
    """Seconds after midnight."""
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def window_of(settings: Settings, neighbourhood_code: str | None) -> tuple[int, int] | None:
    """Between which seconds of the day a container may be emptied; None where no window is set.

    A window of its neighbourhood goes before one of its district.
    """
    code = neighbourhood_code or ""
    for area in (code, f"WK{code[2:8]}"):
        if area in settings.collection_windows:
            first, last = settings.collection_windows[area]
            return seconds(first), seconds(last)
    return None


def fleet(context: AnalysisContext) -> Fleet | None:
    """The vehicles in service and the sites they drive between; None where one of them is not known.

    Of several depots or tipping sites the first by code counts.
    """
    sites = context.frame(context.table("core.waste_depots").order_by("depot_code"))
    vehicles = context.frame(context.table("core.waste_vehicles").filter(_.is_in_service, _.capacity_kg.notnull()))
    places = {
        kind: [(float(row["longitude"]), float(row["latitude"])) for row in sites.filter(depot_kind=kind).rows(named=True)]
        for kind in ("depot", "tipping")
    }
    if vehicles.is_empty() or not all(places.values()):
        return None
    trucks = {row["vehicle_code"]: Truck(row["vehicle_code"], float(row["capacity_kg"])) for row in vehicles.rows(named=True)}
    return Fleet(places["depot"][0], places["tipping"][0], trucks)


def placed_containers(context: AnalysisContext) -> pl.DataFrame:
    """Containers of the municipality whose place and fraction are known: code, fraction, neighbourhood, longitude and latitude."""
    registry = registered_containers(context)
    placed = registry.filter(
        _.location_status == "inside", _.longitude.notnull(), _.latitude.notnull(), _.fraction_code.notnull()
    ).select("container_code", "fraction_code", "neighbourhood_code", "longitude", "latitude")
    return context.frame(placed.order_by("container_code"))


def last_emptied_on(context: AnalysisContext) -> date | None:
    """The last day on which anything was weighed."""
    found: date | None = context.frame(context.table("core.waste_emptyings").aggregate(day=_.local_date.max()))["day"][0]
    return found


def emptyings_before(context: AnalysisContext, day: date) -> pl.DataFrame:
    """Emptyings in the four weeks before a day, one row per container, weekday and vehicle.

    A weighing of several containers counts for each of them, with an equal part of the weight.

    Returns:
        container_code, weekday, vehicle_code, days (on which it was emptied), local_s (median second of the day), weight_kg (mean)
        and weighed (emptyings with a weight).
    """
    table = context.table("core.waste_emptyings")
    first = day - timedelta(days=HISTORY_DAYS)
    table = table.filter(table.local_date >= first, table.local_date < day, table.container_codes.notnull())
    single = table.select(
        "weekday",
        "vehicle_code",
        "local_date",
        container_code=_.container_codes.split(",").unnest(),
        local_s=_.local_hour * 3600 + _.emptied_at.minute() * 60 + _.emptied_at.second(),
        weight_kg=_.weight_kg / ibis.greatest(_.containers.fill_null(1), 1),
    )
    per_day = single.group_by("container_code", "weekday", "vehicle_code").aggregate(
        days=_.local_date.nunique(), local_s=_.local_s.median(), weight_kg=_.weight_kg.mean(), weighed=_.weight_kg.count()
    )
    return context.frame(per_day.order_by("container_code", "weekday", "vehicle_code"))


def fixed_schedule(emptyings: pl.DataFrame, containers: pl.DataFrame) -> pl.DataFrame:
    """Which container which vehicle empties on which weekday, in the order of its round, as far as a fixed schedule shows.

    Args:
        emptyings: From `emptyings_before`.
        containers: From `placed_containers`.

    Returns:
        fraction_code, weekday, vehicle_code, container_code and local_s; in the order of each round.
    """
    known = emptyings.join(containers.select("container_code", "fraction_code"), on="container_code")
    per_day = known.group_by("container_code", "fraction_code", "weekday").agg(
        pl.col("days").sum(), pl.col("vehicle_code", "local_s").sort_by("days", "vehicle_code").last()
    )
    collected = known.group_by("fraction_code", "weekday").agg(pl.col("days").max().alias("of_days"))
    fixed = per_day.join(collected, on=["fraction_code", "weekday"]).filter(pl.col("days") >= FIXED_SHARE * pl.col("of_days"))
    # A vehicle collects one fraction a day: the one of which it empties most.
    most = fixed.group_by("weekday", "vehicle_code", "fraction_code").len().sort("len", "fraction_code", descending=[True, False])
    of_vehicle = most.unique(["weekday", "vehicle_code"], keep="first", maintain_order=True).drop("len")
    kept = fixed.join(of_vehicle, on=["weekday", "vehicle_code", "fraction_code"], how="semi")
    columns = ["fraction_code", "weekday", "vehicle_code", "container_code", "local_s"]
    return kept.select(columns).sort("fraction_code", "weekday", "vehicle_code", "local_s", "container_code")


def inflow_between(context: AnalysisContext, first: date, last: date) -> pl.DataFrame:
    """Daily inflow of every container with a sensor: container_code, local_date, inflow_pct, last_fill_pct, rest_share and weighings."""
    table = context.table("collective.container_inflow_day")
    table = table.filter(table.local_date >= first, table.local_date <= last)
    rows = table.select("container_code", "local_date", "inflow_pct", "last_fill_pct", "rest_share", "weighings")
    return context.frame(rows.order_by("container_code", "local_date"))


def weights(codes: Sequence[str], emptyings: pl.DataFrame, inflow: pl.DataFrame) -> tuple[Floats, Floats]:
    """What a percent of each container weighs, and what an emptying of each weighed on average.

    Over four weeks a container gives what comes into it: the weight of its emptyings over its inflow. Where either is not known,
    and outside four times the median, the median of all counts.

    Args:
        codes: Containers of one fraction.
        emptyings: From `emptyings_before`.
        inflow: From `inflow_between`, of the same days.

    Returns:
        Kilograms per percent, and kilograms per emptying, in the order of the codes.
    """
    weighed = emptyings.group_by("container_code").agg(
        ((pl.col("weight_kg") * pl.col("weighed")).sum() / pl.col("weighed").sum()).alias("mean_kg"), pl.col("days").sum()
    )
    came_in = inflow.group_by("container_code").agg(pl.col("inflow_pct").mean(), pl.col("inflow_pct").count().alias("known"))
    table = pl.DataFrame({"container_code": list(codes)}, schema={"container_code": pl.String})
    table = table.join(weighed, on="container_code", how="left", maintain_order="left")
    table = table.join(came_in, on="container_code", how="left", maintain_order="left")
    mean_kg = table["mean_kg"].cast(pl.Float64).to_numpy()
    total_kg = mean_kg * table["days"].cast(pl.Float64).to_numpy()
    total_pct = table["inflow_pct"].cast(pl.Float64).to_numpy() * HISTORY_DAYS
    is_known = np.isfinite(total_kg) & (table["known"].fill_null(0).to_numpy() >= INFLOWS_NEEDED) & (total_pct > 0)
    per_pct = np.divide(total_kg, total_pct, out=np.full(len(codes), np.nan), where=is_known)
    usual_kg = float(np.nanmean(mean_kg)) if np.isfinite(mean_kg).any() else 0.0
    usual = float(np.nanmedian(per_pct)) if is_known.any() else usual_kg / _HALF_FULL_PCT
    is_odd = ~np.isfinite(per_pct) | (per_pct > usual * _WEIGHT_RANGE) | (per_pct < usual / _WEIGHT_RANGE)
    return np.where(is_odd, usual, per_pct), np.where(np.isfinite(mean_kg), mean_kg, usual_kg)


def nuisance_of(context: AnalysisContext, codes: Sequence[str], day: date) -> Floats:
    """How bad it is when each container overflows, from what was found and reported in the eight weeks before a day."""
    days = context.table("collective.container_day")
    days = days.filter(days.local_date >= day - timedelta(days=2 * HISTORY_DAYS), days.local_date < day)
    found = context.frame(
        days.group_by("container_code").aggregate(
            beside=_.inspections_waste_beside.sum(),
            inspections=_.inspections.sum(),
            reports_per_week=_.waste_reports_50_m.mean() * 7,
        )
    )
    table = pl.DataFrame({"container_code": list(codes)}, schema={"container_code": pl.String})
    table = table.join(found, on="container_code", how="left", maintain_order="left").fill_null(0)
    beside, inspections, reports = (
        table[name].cast(pl.Float64).to_numpy() for name in ("beside", "inspections", "reports_per_week")
    )
    return nuisance(beside, inspections, reports)


def until_hour(context: AnalysisContext, day: date) -> Floats:
    """Part of a day's inflow that has come by each full hour (25 values), of the week before a day, of all containers together."""
    readings = context.table("core.waste_fill_levels")
    readings = readings.filter(readings.local_date >= day - timedelta(days=PROFILE_DAYS), readings.local_date < day)
    weighings = context.table("core.waste_emptyings")
    weighings = weighings.filter(
        weighings.local_date >= day - timedelta(days=PROFILE_DAYS), weighings.local_date < day, weighings.container_code.notnull()
    ).select("container_code", "emptied_at")
    shares = context.frame(hour_profile(emptied(cleaned_steps(readings), weighings)).order_by("local_hour"))
    return np.concatenate([[0.0], np.cumsum(shares["share"].to_numpy())])
