"""What rounds would have done to containers whose inflow is known: the same weeks, driven in another way.

Every policy is judged by the same rules: the same inflow, the same matrix, the same time per stop, and vehicles that tip when the
next container would not fit any more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from groningen_data.routing.matrix import Matrix
from groningen_data.routing.risk import FULL_PCT
from groningen_data.routing.rounds import DEPOT, FIRST_STOP, TIPPING, Shift, Truck

Floats = npt.NDArray[np.float64]
HOURS = 24
_HOUR_S = 3_600


@dataclass(frozen=True)
class Containers:
    """The containers of one fraction and what came into them. Arrays are in the order of the matrix, without depot and tipping site.

    Args:
        inflow_pct: What came into each on each day: containers × days.
        start_pct: How full each was at the first midnight.
        kg_per_pct: Weight of a percent of each.
        is_measured: Whether its level is known; the others are emptied on their days, and do not count as overfull.
        until_hour: Part of a day's inflow that has come by each full hour, from 0 to 1: 25 values.
    """

    inflow_pct: Floats
    start_pct: Floats
    kg_per_pct: Floats
    is_measured: npt.NDArray[np.bool_]
    until_hour: Floats

    @property
    def days(self) -> int:
        return int(self.inflow_pct.shape[1])

    def by(self, seconds: Floats) -> Floats:
        """Part of a day's inflow that has come by a time of day."""
        return np.interp(seconds / _HOUR_S, np.arange(HOURS + 1), self.until_hour)


@dataclass(frozen=True)
class Drive:
    """One vehicle and the containers it empties, in order (positions in the matrix)."""

    truck: Truck
    places: tuple[int, ...]


@dataclass
class DayResult:
    """What one day of a policy came to.

    Args:
        stops: Containers emptied.
        distance_m: Driven.
        work_s: Between leaving the depot and being back, of all vehicles together.
        overtime_s: Of that, after the end of the shift.
        load_kg: Collected.
        rounds: Vehicles that drove.
        tippings: Loads tipped.
        overfull_hours: Hours in which a measured container was at or over 100 %, of all together.
        fill_pct: Mean level of the measured containers that were emptied, just before; nan without any.
    """

    stops: int = 0
    distance_m: int = 0
    work_s: int = 0
    overtime_s: int = 0
    load_kg: float = 0.0
    rounds: int = 0
    tippings: int = 0
    overfull_hours: int = 0
    fill_pct: float = field(default=float("nan"))


# The day's number and the levels at its first hour → what is driven.
Policy = Callable[[int, Floats], Sequence[Drive]]


def replay(containers: Containers, policy: Policy, shift: Shift, matrix: Matrix) -> list[DayResult]:
    """Drive a policy through all days, one result per day."""
    level = containers.start_pct.astype(float).copy()
    results = []
    for day in range(containers.days):
        result, level = _driven(containers, level, day, policy(day, level), shift, matrix)
        results.append(result)
    return results


def _driven(
    containers: Containers, level: Floats, day: int, drives: Sequence[Drive], shift: Shift, matrix: Matrix
) -> tuple[DayResult, Floats]:
    inflow = containers.inflow_pct[:, day]
    result = DayResult()
    emptied_at = np.full(len(level), np.inf)
    before: list[float] = []
    for drive in drives:
        _drive(containers, level, inflow, drive, shift, matrix, result, emptied_at, before)
    start_of_hour = np.arange(HOURS, dtype=float) * _HOUR_S
    hours = level[:, None] + inflow[:, None] * containers.until_hour[None, :HOURS]
    was = level + inflow * containers.by(np.where(np.isinf(emptied_at), 0, emptied_at))
    hours = np.where(start_of_hour[None, :] > emptied_at[:, None], hours - was[:, None], hours)
    result.overfull_hours = int((hours[containers.is_measured] >= FULL_PCT).sum())
    result.fill_pct = float(np.mean(before)) if before else float("nan")
    end = level + inflow
    return result, np.where(np.isinf(emptied_at), end, end - was)


def _drive(
    containers: Containers,
    level: Floats,
    inflow: Floats,
    drive: Drive,
    shift: Shift,
    matrix: Matrix,
    result: DayResult,
    emptied_at: Floats,
    before: list[float],
) -> None:
    """One vehicle's day: adds to the result, and notes when each container was emptied and how full it was."""
    if not drive.places:
        return
    clock, place, load = shift.start_s, DEPOT, 0.0

    def go(to: int, stands_s: int) -> None:
        nonlocal clock, place
        clock += int(matrix.duration_s[place, to]) + stands_s
        result.distance_m += int(matrix.distance_m[place, to])
        place = to

    for number in drive.places:
        container = number - FIRST_STOP
        at = float(clock + matrix.duration_s[place, number])
        content = _content(containers, level, inflow, container, at)
        if load and load + content > drive.truck.capacity_kg:
            go(TIPPING, shift.tipping_s)
            result.tippings += 1
            result.load_kg += load
            load = 0.0
            at = float(clock + matrix.duration_s[place, number])
            content = _content(containers, level, inflow, container, at)
        emptied_at[container] = at
        if containers.is_measured[container]:
            before.append(float(level[container] + inflow[container] * containers.by(np.array(at))))
        load += content
        result.stops += 1
        go(number, shift.stop_s)
    go(TIPPING, shift.tipping_s)
    result.tippings += 1
    result.load_kg += load
    go(DEPOT, 0)
    result.rounds += 1
    result.work_s += clock - shift.start_s
    result.overtime_s += max(0, clock - shift.end_s)


def _content(containers: Containers, level: Floats, inflow: Floats, container: int, at_s: float) -> float:
    """What a container holds at a time; what lies beside it is not on the vehicle."""
    pct = level[container] + inflow[container] * containers.by(np.array(at_s))
    return float(min(pct, FULL_PCT) * containers.kg_per_pct[container])
