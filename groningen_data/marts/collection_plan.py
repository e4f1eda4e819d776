"""Tomorrow's rounds: which containers to empty, by which vehicle and in which order, from the forecast of how full they will be.

The day's problem is that of Wouda, Aerts-Veenstra and Van Foreest (2024), *An integrated selection and routing policy for urban
waste collection* (arXiv 2409.13386): a container's prize grows with the chance that it overflows before a later round could empty
it; a vehicle makes the stops whose prizes are worth the way. Here the chance comes from the forecast of measured levels, and the
prize grows with the nuisance as well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import polars as pl

from groningen_data.gate.recipe import AnalysisContext
from groningen_data.marts import collection
from groningen_data.routing.matrix import Matrix, matrix_of
from groningen_data.routing.risk import HIGHEST_PRIZE_M, overflow_chance, prizes
from groningen_data.routing.rounds import DEPOT, FIRST_STOP, TIPPING, Round, Stop, Truck, plan_rounds
from groningen_data.settings import Settings

SETTINGS = (
    "addresses",
    "replica_url",
    "timezone",
    "routing_detour_factor",
    "routing_speed_km_h",
    "routing_profile",
    "collection_start",
    "collection_end",
    "collection_windows",
    "collection_stop_s",
    "collection_tipping_s",
    "collection_prize_km",
    "collection_iterations",
    "collection_seed",
)
LEAST_PRIZE_M = 50.0
"""Stops that are worth less are not looked at: hardly a detour is so short, and the search would take longer."""
LIKELY, POSSIBLE = 0.5, 0.05
_DEVIATIONS_BETWEEN = 2 * 1.2816
"""Standard deviations between the 10 % and 90 % points of a normal distribution."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outlook:
    """What is expected of the containers of one fraction. Arrays are in the order of `codes`; nan where no forecast is.

    Args:
        codes: Containers.
        fill_pct: Expected level in the middle of the shift of the day that is planned.
        chance: That each is at or over 100 % in the middle of the shift of the next day with rounds.
    """

    codes: tuple[str, ...]
    fill_pct: Floats
    chance: Floats


def compute(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """Every call of every round of the day after the last known one."""
    fleet = collection.fleet(context)
    forecast = context.frame(context.table("collective.container_forecast").order_by("container_code", "horizon_days"))
    last_on = forecast["made_from_on"].max() if forecast.height else collection.last_emptied_on(context)
    if fleet is None or last_on is None:
        context.notes["no_plan"] = (
            "no vehicles with a depot and a tipping site" if fleet is None else "nothing was measured or weighed"
        )
        return
    assert isinstance(last_on, date)
    day = last_on + timedelta(days=1)
    containers = collection.placed_containers(context)
    emptyings = collection.emptyings_before(context, day)
    schedule = collection.fixed_schedule(emptyings, containers)
    inflow = collection.inflow_between(context, day - timedelta(days=collection.HISTORY_DAYS), last_on)
    by_midshift = midshift_part(context, day)
    for fraction in schedule["fraction_code"].unique(maintain_order=True):
        fixed = schedule.filter(fraction_code=fraction)
        trucks = [fleet.trucks[code] for code in trucks_of(fixed, day.isoweekday()) if code in fleet.trucks]
        listed = containers.filter(pl.col("fraction_code") == fraction)
        codes = tuple(listed["container_code"].to_list())
        per_pct, per_emptying = collection.weights(codes, emptyings, inflow)
        seen = outlook(codes, forecast, days_until_next(fixed, day.isoweekday()), by_midshift)
        weight = collection.nuisance_of(context, codes, day)
        prize = prizes(np.nan_to_num(seen.chance), weight, context.settings.collection_prize_km)
        due = set(fixed.filter(weekday=day.isoweekday())["container_code"])
        is_due = np.array([code in due for code in codes], dtype=bool) & np.isnan(seen.chance)
        prize = np.where(is_due, HIGHEST_PRIZE_M, prize)
        load = np.where(np.isnan(seen.fill_pct), per_emptying, np.clip(seen.fill_pct, 0, 100) * per_pct)
        chosen = np.flatnonzero(prize >= LEAST_PRIZE_M)
        points = [
            fleet.depot,
            fleet.tipping,
            *((row[0], row[1]) for row in listed[chosen].select("longitude", "latitude").rows()),
        ]
        matrix = matrix_of(context.settings, points)
        rounds = rounds_of(
            context.settings, listed[chosen], load[chosen], prize[chosen], trucks, matrix, context.settings.collection_iterations
        )
        context.notes[fraction] = {
            "candidates": len(chosen),
            "trucks": len(trucks),
            "stops": sum(len(found.stops) for found in rounds),
            "left_likely": _left(np.nan_to_num(seen.chance[chosen]) >= LIKELY, rounds),
            "left_on_their_fixed_day": _left(is_due[chosen], rounds),
            **({"distances": matrix.note} if matrix.note else {}),
        }
        facts = listed[chosen].with_columns(
            pl.Series("expected_fill_pct", seen.fill_pct[chosen], nan_to_null=True),
            pl.Series("load_kg", load[chosen]),
            pl.Series("overflow_probability", seen.chance[chosen], nan_to_null=True),
            pl.Series("nuisance_ratio", weight[chosen]),
            pl.Series("prize_km", prize[chosen] / 1000),
        )
        if rounds:
            yield _rows(context.settings, day, fraction, rounds, facts, points, matrix)


def midshift_part(context: AnalysisContext, day: date) -> float:
    """Part of a day's inflow that has come by the middle of the shift."""
    settings = context.settings
    middle = (collection.seconds(settings.collection_start) + collection.seconds(settings.collection_end)) / 2
    return float(np.interp(middle / 3600, np.arange(25), collection.until_hour(context, day)))


def trucks_of(fixed: pl.DataFrame, weekday: int) -> list[str]:
    """Vehicles that collect a fraction on a weekday, as the fixed schedule has them."""
    return sorted(fixed.filter(weekday=weekday)["vehicle_code"].unique().to_list())


def days_until_next(fixed: pl.DataFrame, weekday: int) -> int:
    """Days from a weekday until the next one on which a fraction is collected; seven when there is only one."""
    collected = set(fixed["weekday"].to_list())
    return next((days for days in range(1, 8) if (weekday + days - 1) % 7 + 1 in collected), 7)


def outlook(codes: Sequence[str], forecast: pl.DataFrame, next_in_days: int, by_midshift: float) -> Outlook:
    """What the forecast says of containers on the day that is planned and until the next round.

    The level in the middle of a shift is that of the evening before and a part of the day's inflow; its variance lies in between
    those of both evenings in the same way.

    Args:
        codes: Containers.
        forecast: Rows of `container_forecast`; the day that is planned is at horizon 1.
        next_in_days: Days until the next day with rounds.
        by_midshift: Part of a day's inflow that has come by the middle of the shift.
    """
    by_horizon = {
        int(key[0]): rows.with_columns(
            ((pl.col("fill_high_pct") - pl.col("fill_low_pct")) / _DEVIATIONS_BETWEEN).alias("deviation")
        )
        for key, rows in forecast.group_by("horizon_days")
    }
    wanted = pl.DataFrame({"container_code": list(codes)}, schema={"container_code": pl.String})

    def column(horizon: int, name: str) -> Floats:
        if horizon not in by_horizon:
            return np.full(len(codes), np.nan)
        found = wanted.join(by_horizon[horizon], on="container_code", how="left", maintain_order="left")
        return found[name].cast(pl.Float64).to_numpy()

    today = column(1, "fill_pct") - (1 - by_midshift) * column(1, "inflow_pct")
    following = next_in_days + 1
    expected = column(following, "fill_pct") - (1 - by_midshift) * column(following, "inflow_pct")
    before, after = column(next_in_days, "deviation") ** 2, column(following, "deviation") ** 2
    deviation = np.sqrt(before + by_midshift * np.maximum(after - before, 0))
    chance = np.where(np.isnan(expected), np.nan, overflow_chance(expected, np.nan_to_num(deviation)))
    return Outlook(tuple(codes), np.where(np.isnan(chance), np.nan, np.maximum(today, 0)), chance)


def rounds_of(
    settings: Settings,
    containers: pl.DataFrame,
    load_kg: Floats,
    prize_m: Floats,
    trucks: Sequence[Truck],
    matrix: Matrix,
    iterations: int,
) -> list[Round]:
    """The rounds of one fraction, with the windows of the settings.

    Args:
        settings: Windows, shift and seed.
        containers: Has neighbourhood_code; in the order of the matrix.
        load_kg: What each is expected to hold.
        prize_m: What emptying each is worth.
        trucks: Those that can drive.
        matrix: Between depot, tipping site and containers.
        iterations: Of the search.
    """
    stops = []
    for neighbourhood, load, prize in zip(containers["neighbourhood_code"], load_kg, prize_m, strict=True):
        window = collection.window_of(settings, neighbourhood)
        stops.append(Stop(float(load), float(prize), *window) if window else Stop(float(load), float(prize)))
    return plan_rounds(
        stops,
        trucks,
        collection.shift_of(settings),
        matrix,
        iterations=iterations,
        seed=settings.collection_seed,
    )


def _left(is_wanted: npt.NDArray[np.bool_], rounds: Sequence[Round]) -> int:
    """Containers that should be emptied and that no round empties: too far, too late or too many."""
    is_left = is_wanted.copy()
    is_left[[call.place - FIRST_STOP for found in rounds for call in found.stops]] = False
    return int(is_left.sum())


def _reason(chance: float | None) -> str:
    if chance is None:
        return "fixed_day"
    return "overflow_likely" if chance >= LIKELY else "overflow_possible" if chance >= POSSIBLE else "on_the_way"


def _rows(
    settings: Settings,
    day: date,
    fraction: str,
    rounds: Sequence[Round],
    facts: pl.DataFrame,
    points: Sequence[tuple[float, float]],
    matrix: Matrix,
) -> pl.DataFrame:
    midnight = datetime.combine(day, time())
    zone = ZoneInfo(settings.timezone)
    rows: list[dict[str, Any]] = []
    of_container = facts.rows(named=True)
    for found in rounds:
        for number, call in enumerate(found.calls, start=1):
            local = midnight + timedelta(seconds=call.arrival_s)
            container = of_container[call.place - FIRST_STOP] if call.place >= FIRST_STOP else None
            rows.append(
                {
                    "planned_on": day,
                    "round_code": f"{day:%Y%m%d}-{fraction}-{found.truck.code}",
                    "vehicle_code": found.truck.code,
                    "fraction_code": fraction,
                    "call_number": number,
                    "call_kind": {DEPOT: "depot", TIPPING: "tipping"}.get(call.place, "container"),
                    "longitude": points[call.place][0],
                    "latitude": points[call.place][1],
                    "arrival_at": local.replace(tzinfo=zone).astimezone(UTC),
                    "arrival_local_time": f"{local:%H:%M}",
                    "distance_m": call.distance_m,
                    "load_so_far_kg": call.load_kg,
                    "capacity_kg": found.truck.capacity_kg,
                    "distance_origin": matrix.origin,
                    **(
                        {name: container[name] for name in _OF_CONTAINER}
                        | {"stop_reason_code": _reason(container["overflow_probability"])}
                        if container
                        else dict.fromkeys((*_OF_CONTAINER, "stop_reason_code"))
                    ),
                }
            )
    return pl.DataFrame(rows, schema_overrides=_SCHEMA)


_OF_CONTAINER = (
    "container_code",
    "neighbourhood_code",
    "expected_fill_pct",
    "load_kg",
    "overflow_probability",
    "nuisance_ratio",
    "prize_km",
)
_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "arrival_at": pl.Datetime("us", "UTC"),
    **dict.fromkeys(("expected_fill_pct", "load_kg", "overflow_probability", "nuisance_ratio", "prize_km"), pl.Float64),
}
