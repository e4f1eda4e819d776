"""A replay adds up, recomputed by hand on two containers."""

import numpy as np
import pytest

from groningen_data.routing.matrix import Matrix
from groningen_data.routing.replay import Containers, Drive, replay
from groningen_data.routing.rounds import Shift, Truck

# Depot, tipping site and two containers on a line: 0, 3, 1 and 2 kilometres along it; a kilometre takes 100 seconds.
_AT = np.array([0, 3, 1, 2])
_KM = np.abs(np.subtract.outer(_AT, _AT))
LINE = Matrix(_KM * 1_000, _KM * 100, "straight_line")
SHIFT = Shift(start_s=6 * 3_600, end_s=7 * 3_600, stop_s=300, tipping_s=600)
EVENLY = np.linspace(0, 1, 25)


def containers(is_measured=(True, True)):
    """The first fills by 24 % a day from 90 %, the second by 48 % from 40 %: a percent each hour, and two."""
    return Containers(
        inflow_pct=np.array([[24.0, 24.0], [48.0, 48.0]]),
        start_pct=np.array([90.0, 40.0]),
        kg_per_pct=np.array([2.0, 1.0]),
        is_measured=np.array(is_measured),
        until_hour=EVENLY,
    )


def test_nothing_driven_is_nothing_but_overfull():
    first, second = replay(containers(), lambda day, level: [], SHIFT, LINE)
    # The first is full from 10 o'clock on; the second holds 88 % at midnight and is full from 6 o'clock on.
    assert (first.overfull_hours, second.overfull_hours) == (14, 24 + 18)
    assert (first.distance_m, first.stops, first.work_s, first.rounds) == (0, 0, 0, 0)
    assert np.isnan(first.fill_pct)


def test_one_round_by_hand():
    first, second = replay(containers(), lambda day, level: [Drive(Truck("a", 1_000), (2, 3))] if day == 0 else [], SHIFT, LINE)
    # 0 → 1 → 2 → 3 → 0 km.
    assert first.distance_m == 6_000
    # 100 + 300, 100 + 300, 100 + 600, and 300 s home: half an hour and no overtime.
    assert (first.work_s, first.overtime_s) == (1_800, 0)
    assert (first.stops, first.rounds, first.tippings) == (2, 1, 1)
    # Emptied at 6:01:40 with 90 % and 6.03 hours, and at 6:08:20 with 40 % and two percent for 6.14 hours.
    at_first, at_second = 90 + 6 + 100 / 3_600, 40 + 2 * (6 + 500 / 3_600)
    assert first.load_kg == pytest.approx(2 * at_first + at_second)
    assert first.fill_pct == pytest.approx((at_first + at_second) / 2)
    # The first is never full; on the second day it begins with what came after six and ends at 42 %. The second: 36 and 84 %.
    assert (first.overfull_hours, second.overfull_hours) == (0, 0)


def test_a_vehicle_that_cannot_take_the_next_tips_first():
    (first, _) = replay(containers(), lambda day, level: [Drive(Truck("a", 200), (2, 3))] if day == 0 else [], SHIFT, LINE)
    # 0 → 1 → 3 (tips) → 2 → 3 (tips) → 0 km: 192 kg and then 53 kg, not 245 kg at once.
    assert (first.distance_m, first.tippings) == (1_000 + 2_000 + 1_000 + 1_000 + 3_000, 2)
    # The shift ends after an hour; this takes 100 + 300 + 200 + 600 + 100 + 300 + 100 + 600 + 300 s.
    assert (first.work_s, first.overtime_s) == (2_600, 0)
    late = Shift(SHIFT.start_s, SHIFT.start_s + 2_000, SHIFT.stop_s, SHIFT.tipping_s)
    (first, _) = replay(containers(), lambda day, level: [Drive(Truck("a", 200), (2, 3))] if day == 0 else [], late, LINE)
    assert first.overtime_s == 600


def test_what_lies_beside_a_container_is_not_on_the_vehicle():
    full = Containers(np.array([[0.0], [0.0]]), np.array([130.0, 0.0]), np.array([2.0, 1.0]), np.array([True, True]), EVENLY)
    (only,) = replay(full, lambda day, level: [Drive(Truck("a", 1_000), (2,))], SHIFT, LINE)
    assert only.load_kg == 200
    assert only.fill_pct == 130


def test_containers_without_a_level_do_not_count_as_overfull():
    first, second = replay(containers((False, True)), lambda day, level: [], SHIFT, LINE)
    assert (first.overfull_hours, second.overfull_hours) == (0, 18)


def test_a_policy_sees_the_levels_that_it_left_itself():
    seen = []

    def policy(day, level):
        seen.append(level.copy())
        return [Drive(Truck("a", 1_000), (2,))]

    replay(containers(), policy, SHIFT, LINE)
    assert seen[0].tolist() == [90, 40]
    assert seen[1] == pytest.approx([24 - 6 - 100 / 3_600, 88])
