"""Which stops the rounds of one day make, and in what order: a prize-collecting vehicle routing problem with time windows.

A stop is worth its prize in metres of driving: it is made where the detour costs less. The formulation is that of Wouda,
Aerts-Veenstra and Van Foreest (2024), *An integrated selection and routing policy for urban waste collection* (arXiv 2409.13386),
who studied Groningen's containers; PyVRP (Wouda, Lan and Kool 2024, *INFORMS Journal on Computing* 36) solves it by iterated local
search. With a seed and a number of iterations the answer is the same on every machine; a limit in time would not be.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from groningen_data.errors import GroningenError
from groningen_data.routing.matrix import Matrix

DEPOT, TIPPING, FIRST_STOP = 0, 1, 2
"""Places of a matrix: the depot, the tipping site, and then the stops in their order."""
# For a search of a few hundred iterations. PyVRP's own values are for searches of minutes: penalties that start at 50,000 metres for
# a kilogram too much allow no detour through overloaded rounds, and found rounds that cost 5 to 10 % more. Where the lower ones
# lead to no feasible rounds, its own are tried.
_HISTORY, _ITERATIONS_BETWEEN_PENALTIES = 100, 25
_HIGHEST_PENALTIES = (1_000.0, 100_000.0, 100_000.0)


class RoundsError(GroningenError):
    """No rounds can be planned with what is given."""


@dataclass(frozen=True)
class Stop:
    """A container that could be emptied.

    Args:
        load_kg: What it is expected to hold.
        prize_m: What emptying it is worth, in metres of driving.
        earliest_s: Seconds after local midnight from when it may be emptied.
        latest_s: Until when emptying it may begin.
    """

    load_kg: float
    prize_m: float
    earliest_s: int = 0
    latest_s: int = 86_400


@dataclass(frozen=True)
class Truck:
    """A vehicle and what it can carry before it must tip."""

    code: str
    capacity_kg: float


@dataclass(frozen=True)
class Shift:
    """When vehicles drive, and how long they stand.

    Args:
        start_s: Seconds after local midnight at which they may leave the depot.
        end_s: When they must be back, empty.
        stop_s: Seconds to empty one container.
        tipping_s: Seconds to tip a load.
    """

    start_s: int
    end_s: int
    stop_s: int
    tipping_s: int


@dataclass(frozen=True)
class Call:
    """A place that a round calls at.

    Args:
        place: Its position in the matrix: a stop, the tipping site, or at the end the depot.
        arrival_s: Seconds after local midnight at which work begins there.
        distance_m: Driven from the place before.
        load_kg: On the vehicle when it leaves.
    """

    place: int
    arrival_s: int
    distance_m: int
    load_kg: float


@dataclass(frozen=True)
class Round:
    """One vehicle's day: it leaves the depot empty, and comes back empty."""

    truck: Truck
    start_s: int
    calls: tuple[Call, ...]

    @property
    def stops(self) -> tuple[Call, ...]:
        """The calls at containers."""
        return tuple(call for call in self.calls if call.place >= FIRST_STOP)

    @property
    def distance_m(self) -> int:
        return sum(call.distance_m for call in self.calls)

    @property
    def end_s(self) -> int:
        return self.calls[-1].arrival_s


def plan_rounds(
    stops: Sequence[Stop], trucks: Sequence[Truck], shift: Shift, matrix: Matrix, *, iterations: int, seed: int
) -> list[Round]:
    """The rounds of one fraction on one day; stops whose detour costs more than they are worth are left out.

    A vehicle tips when it is full, as often as it must, and before it goes home.

    Args:
        stops: In the order of the matrix.
        trucks: Those that can drive; one that is not needed gets no round.
        shift: When, and how long a stop takes.
        matrix: Between depot, tipping site and stops (`DEPOT`, `TIPPING`, `FIRST_STOP`).
        iterations: Of the local search; more take longer and find shorter rounds.
        seed: Of the local search.

    Returns:
        Rounds with at least one stop, in the order of the trucks.

    Raises:
        RoundsError: No feasible rounds were found.
    """
    if not stops or not trucks:
        return []
    from pyvrp import (
        Client,
        Depot,
        IteratedLocalSearchParams,
        Location,
        PenaltyParams,
        ProblemData,
        SolveParams,
        VehicleType,
        solve,
    )
    from pyvrp.exceptions import PenaltyBoundWarning
    from pyvrp.stop import MaxIterations

    # For good: what is set for a while is set for all threads, and put back in any order.
    warnings.simplefilter("ignore", PenaltyBoundWarning)
    home_s = shift.tipping_s + int(matrix.duration_s[TIPPING, DEPOT])
    home_m = int(matrix.distance_m[TIPPING, DEPOT])
    data = ProblemData(
        locations=[Location(0, 0) for _ in range(len(stops) + FIRST_STOP)],
        clients=[
            Client(
                location=FIRST_STOP + number,
                pickup=[_whole(stop.load_kg)],
                service_duration=shift.stop_s,
                tw_early=stop.earliest_s,
                tw_late=stop.latest_s,
                prize=_whole(stop.prize_m),
                required=False,
            )
            for number, stop in enumerate(stops)
        ],
        depots=[Depot(DEPOT), Depot(TIPPING, service_duration=shift.tipping_s)],
        # The last drive, from the tipping site home, is the same for all: a fixed cost, and an earlier end.
        vehicle_types=[
            VehicleType(
                capacity=[int(truck.capacity_kg)],
                start_depot=DEPOT,
                end_depot=TIPPING,
                fixed_cost=home_m,
                tw_early=shift.start_s,
                tw_late=shift.end_s - home_s,
                reload_depots=[TIPPING],
                name=truck.code,
            )
            for truck in trucks
        ],
        distance_matrices=[matrix.distance_m],
        duration_matrices=[matrix.duration_s],
    )
    for attempt, highest in enumerate(_HIGHEST_PENALTIES):
        penalty = PenaltyParams(max_penalty=highest, solutions_between_updates=_ITERATIONS_BETWEEN_PENALTIES)
        params = SolveParams(ils=IteratedLocalSearchParams(history_length=_HISTORY), penalty=penalty)
        best = solve(
            data, MaxIterations(iterations * 2**attempt), seed=seed, collect_stats=False, display=False, params=params
        ).best
        if best.is_feasible():
            break
    else:
        raise RoundsError(
            "collection rounds", f"no feasible rounds in {iterations * 2**attempt:,} iterations", "raise the number of iterations"
        )
    found = sorted((route.vehicle_type(), route) for route in best.routes())
    return [_round(trucks[number], route, stops, shift, matrix) for number, route in found]


def _whole(value: float) -> int:
    return max(0, round(value))


def _round(truck: Truck, route: object, stops: Sequence[Stop], shift: Shift, matrix: Matrix) -> Round:
    """What PyVRP calls a route, with its loads, and with the drive home."""
    calls: list[Call] = []
    load, place, start_s = 0.0, DEPOT, 0
    activities = route.schedule()  # type: ignore[attr-defined]
    for position, activity in enumerate(activities):
        if position == 0:
            start_s = activity.end_time
            continue
        following = FIRST_STOP + activity.idx if activity.is_client() else TIPPING
        load = load + stops[activity.idx].load_kg if activity.is_client() else 0.0
        calls.append(Call(following, activity.start_time, int(matrix.distance_m[place, following]), load))
        place = following
    last = calls[-1]
    home_at = last.arrival_s + shift.tipping_s + int(matrix.duration_s[TIPPING, DEPOT])
    calls.append(Call(DEPOT, home_at, int(matrix.distance_m[TIPPING, DEPOT]), 0.0))
    return Round(truck, start_s, tuple(calls))
