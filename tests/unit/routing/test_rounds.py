"""Rounds keep to capacities and windows, make the stops that are worth it, and are the same for the same seed."""

import numpy as np
import pytest

from groningen_data.routing.matrix import estimated
from groningen_data.routing.risk import HIGHEST_PRIZE_M, nuisance, overflow_chance, prizes
from groningen_data.routing.rounds import DEPOT, FIRST_STOP, TIPPING, Shift, Stop, Truck, plan_rounds

HOUR = 3_600
SHIFT = Shift(6 * HOUR, 14 * HOUR, 180, 900)
TRUCKS = [Truck("a", 4_000), Truck("b", 6_000)]


def city(seed: int, size: int):
    chance = np.random.default_rng(seed)
    points = [(6.606, 53.219), (6.621, 53.199)]
    points += [(6.5 + 0.12 * x, 53.18 + 0.06 * y) for x, y in chance.random((size, 2))]
    stops = [
        Stop(float(load), float(prize), latest_s=9 * HOUR if number % 4 == 0 else 86_400)
        for number, (load, prize) in enumerate(zip(chance.uniform(80, 400, size), chance.exponential(2_500, size), strict=True))
    ]
    return stops, estimated(points, 1.3, 25)


def planned(seed: int = 1, size: int = 60, search_seed: int = 1):
    stops, matrix = city(seed, size)
    return stops, matrix, plan_rounds(stops, TRUCKS, SHIFT, matrix, iterations=100, seed=search_seed)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rounds_keep_to_capacity_shift_and_windows_and_add_up(seed):
    stops, matrix, rounds = planned(seed)
    emptied = [call.place for found in rounds for call in found.stops]
    assert len(emptied) == len(set(emptied)) > 20
    for found in rounds:
        clock, place, load = found.start_s, DEPOT, 0.0
        assert clock >= SHIFT.start_s
        for call in found.calls:
            clock += int(matrix.duration_s[place, call.place])
            assert call.arrival_s >= clock
            assert call.distance_m == matrix.distance_m[place, call.place]
            if call.place >= FIRST_STOP:
                stop = stops[call.place - FIRST_STOP]
                assert stop.earliest_s <= call.arrival_s <= stop.latest_s
                load += stop.load_kg
                clock = call.arrival_s + SHIFT.stop_s
            else:
                load, clock = 0.0, call.arrival_s + (SHIFT.tipping_s if call.place == TIPPING else 0)
            assert call.load_kg == pytest.approx(load)
            assert load <= found.truck.capacity_kg + 1
            place = call.place
        assert [call.place for call in found.calls[-2:]] == [TIPPING, DEPOT]
        assert found.end_s <= SHIFT.end_s


def test_a_full_vehicle_tips_and_goes_on():
    stops, matrix, _ = planned(size=30)
    everything = [Stop(stop.load_kg, 50_000) for stop in stops]
    (found,) = plan_rounds(everything, [Truck("a", 2_500)], SHIFT, matrix, iterations=200, seed=1)
    assert sum(call.place == TIPPING for call in found.calls) >= 2
    assert sum(stop.load_kg for stop in everything) > 2_500 < sum(stops[c.place - FIRST_STOP].load_kg for c in found.stops)


@pytest.mark.parametrize("seed", range(5))
def test_the_overfull_are_emptied_and_hardly_anything_that_is_worth_nothing(seed):
    stops, matrix = city(seed, 40)
    chance = np.where(np.arange(40) < 8, 1.0, 0.0)
    worth = prizes(chance, np.ones(40), prize_km=30)
    rounds = plan_rounds(
        [Stop(stop.load_kg, prize) for stop, prize in zip(stops, worth, strict=True)],
        TRUCKS,
        SHIFT,
        matrix,
        iterations=100,
        seed=1,
    )
    emptied = {call.place - FIRST_STOP for found in rounds for call in found.stops}
    assert set(range(8)) <= emptied
    assert len(emptied) <= 9


def test_the_same_seed_gives_the_same_rounds():
    assert planned()[2] == planned()[2]


def test_without_stops_or_trucks_there_are_no_rounds():
    stops, matrix = city(1, 3)
    assert plan_rounds([], TRUCKS, SHIFT, matrix, iterations=10, seed=1) == []
    assert plan_rounds(stops, [], SHIFT, matrix, iterations=10, seed=1) == []


def test_a_chance_is_that_of_the_normal_distribution():
    expected, deviation = np.array([100.0, 87.184, 110.0, 90.0]), np.array([5.0, 10.0, 0.0, 0.0])
    assert overflow_chance(expected, deviation) == pytest.approx([0.5, 0.1, 1, 0], abs=1e-4)


def test_nuisance_draws_few_inspections_to_the_usual_share_and_caps_reports():
    # 12 of 120 inspections found something: a tenth. (10 + 0.5) / 25, (0 + 0.5) / 5, (2 + 0.5) / 105.
    found = nuisance(np.array([10.0, 0, 2]), np.array([20.0, 0, 100]), np.array([0.25, 3.0, 0]))
    assert found == pytest.approx([1 + 0.42 + 0.25, 1 + 0.1 + 1, 1 + 2.5 / 105])
    assert nuisance(np.zeros(1), np.zeros(1), np.zeros(1)).tolist() == [1.0]


def test_a_prize_grows_with_chance_and_nuisance_to_a_limit():
    assert prizes(np.array([0.5, 1.0]), np.array([1.0, 3.0]), 10).tolist() == [5_000, 30_000]
    assert prizes(np.array([1.0]), np.array([3.0]), 90).tolist() == [HIGHEST_PRIZE_M]
