"""What rounds are planned with, from small frames: the fixed schedule, weights, outlook; and that the plan beats the schedule."""

from datetime import date, time, timedelta

import numpy as np
import polars as pl
import pytest

from groningen_data.marts import collection, collection_backtest, collection_plan
from groningen_data.routing.matrix import estimated
from groningen_data.routing.replay import replay
from groningen_data.routing.rounds import Truck
from groningen_data.settings import load_settings

MONDAY = date(2026, 3, 9)


def emptyings(*rows):
    names = ("container_code", "weekday", "vehicle_code", "days", "local_s", "weight_kg", "weighed")
    return pl.DataFrame(rows, names, orient="row", schema_overrides={"weight_kg": pl.Float64})


def test_a_fixed_day_is_one_of_at_least_half_of_the_weeks_and_keeps_the_order_driven():
    containers = pl.DataFrame({"container_code": ["a", "b", "c", "d"], "fraction_code": ["residual"] * 3 + ["glass"]})
    driven = emptyings(
        ("a", 1, "31", 4, 30_000.0, 100.0, 4),
        ("b", 1, "31", 2, 29_000.0, 100.0, 2),
        ("c", 1, "31", 1, 28_000.0, 100.0, 1),
        ("c", 2, "31", 1, 28_000.0, 100.0, 1),
        ("c", 2, "32", 3, 28_500.0, 100.0, 3),
        ("d", 1, "31", 4, 31_000.0, 100.0, 4),
        ("unknown", 1, "31", 4, 31_000.0, 100.0, 4),
    )
    fixed = collection.fixed_schedule(driven, containers)
    # The vehicle of the glass container collects residual waste that day, of which it empties more.
    assert fixed.select("weekday", "vehicle_code", "container_code").rows() == [(1, "31", "b"), (1, "31", "a"), (2, "32", "c")]


def test_a_percent_weighs_what_four_weeks_of_emptyings_weigh_over_what_came_in():
    days = [MONDAY - timedelta(days=n) for n in range(1, 29)]
    inflow = pl.DataFrame(
        [(code, day, rise) for code, rise in (("a", 10.0), ("b", 5.0), ("odd", 0.01)) for day in days],
        ("container_code", "local_date", "inflow_pct"),
        orient="row",
    )
    driven = emptyings(
        ("a", 1, "31", 4, 0.0, 140.0, 4), ("b", 1, "31", 4, 0.0, 140.0, 2), ("odd", 1, "31", 4, 0.0, 140.0, 4),
        ("unmeasured", 1, "31", 4, 0.0, 90.0, 4),
    )  # fmt: skip
    per_pct, per_emptying = collection.weights(["a", "b", "odd", "unmeasured", "never"], driven, inflow)
    # 4 × 140 kg over 28 × 10 %, and over 28 × 5 %; their median and that of the odd one (2,000 kg) is 4.
    assert per_pct == pytest.approx([2, 4, 4, 4, 4])
    assert per_emptying == pytest.approx([140, 140, 140, 90, 127.5])


def test_the_next_round_is_on_the_next_day_that_the_fraction_is_collected():
    fixed = pl.DataFrame({"weekday": [1, 4, 6]})
    assert [collection_plan.days_until_next(fixed, weekday) for weekday in (1, 4, 6, 7)] == [3, 2, 2, 1]
    assert collection_plan.days_until_next(pl.DataFrame({"weekday": [2]}), 2) == 7


def test_the_outlook_reaches_to_the_middle_of_the_next_shift():
    forecast = pl.DataFrame(
        {
            "container_code": ["a", "a"],
            "horizon_days": [1, 2],
            "inflow_pct": [20.0, 30.0],
            "fill_pct": [70.0, 100.0],
            # Standard deviations of 5 and 13 %.
            "fill_low_pct": [70 - 5 * 1.2816, 100 - 13 * 1.2816],
            "fill_high_pct": [70 + 5 * 1.2816, 100 + 13 * 1.2816],
        }
    )
    seen = collection_plan.outlook(["a", "b"], forecast, next_in_days=1, by_midshift=0.5)
    assert seen.fill_pct == pytest.approx([60, np.nan], nan_ok=True)
    # 85 % expected, variance 25 + 0.5 × (169 − 25) = 97: 1.523 standard deviations below full.
    assert seen.chance == pytest.approx([0.0639, np.nan], abs=1e-3, nan_ok=True)


def test_a_window_of_a_neighbourhood_goes_before_that_of_its_district(tmp_path):
    windows = {"WK001400": (time(6, 30), time(11)), "BU00140003": (time(7), time(9))}
    settings = load_settings(profile="sample", data_dir=tmp_path, collection_windows=windows)
    assert collection.window_of(settings, "BU00140001") == (23_400, 39_600)
    assert collection.window_of(settings, "BU00140003") == (25_200, 32_400)
    assert collection.window_of(settings, "BU00140100") is None
    assert collection.window_of(settings, None) is None


def scene(tmp_path, seed: int, size: int = 70) -> collection_backtest.Scene:
    """A small city with two vehicles: each container has two fixed days; a tenth fills twice as fast as they allow for."""
    chance = np.random.default_rng(seed)
    codes = [f"c{number:03}" for number in range(size)]
    days = [MONDAY + timedelta(days=n) for n in range(-42, 7)]
    rate = chance.uniform(4, 20, size)
    rate[: size // 10] = 45
    came_in = rate[:, None] * np.exp(0.25 * chance.standard_normal((size, len(days))))
    came_in[chance.random(came_in.shape) < 0.03] = np.nan
    inflow = pl.DataFrame(
        {
            "container_code": np.repeat(codes, len(days)),
            "local_date": days * size,
            "inflow_pct": pl.Series(came_in.ravel(), nan_to_null=True),
            "last_fill_pct": np.repeat(chance.uniform(10, 60, size), len(days)),
            "rest_share": 0.0,
            "weighings": 0,
        }
    )
    weeks = [((1, 4), (2, 5), (3, 6))[n % 3] for n in range(size)]
    fixed = pl.DataFrame(
        [("residual", day, "ab"[n % 2], code, float(n)) for n, code in enumerate(codes) for day in weeks[n]],
        ("fraction_code", "weekday", "vehicle_code", "container_code", "local_s"),
        orient="row",
    ).sort("weekday", "vehicle_code", "local_s")
    listed = pl.DataFrame({"container_code": codes, "neighbourhood_code": [None] * size})
    driven = emptyings(*((code, 1, "a", 8, 0.0, 100.0, 8) for code in codes))
    points = [(6.606, 53.219), (6.621, 53.199), *((6.5 + 0.12 * x, 53.18 + 0.06 * y) for x, y in chance.random((size, 2)))]
    settings = load_settings(profile="sample", data_dir=tmp_path, collection_iterations=60)
    trucks = {code: Truck(code, 3_000) for code in "ab"}
    profile = np.linspace(0, 1, 25)
    return collection_backtest.scene_of(
        settings, MONDAY, listed, fixed, driven, inflow, profile, np.ones(size), trucks, estimated(points, 1.3, 25)
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_plan_beats_the_fixed_schedule_on_hours_overfull_and_on_kilometres(tmp_path, seed):
    rows = collection_backtest.rows_of(scene(tmp_path, seed), "residual", 0.02, "code")
    sums = rows.group_by("policy_code").agg(pl.col("overfull_hours", "distance_km", "stops", "expected_reports").sum())
    of = {row["policy_code"]: row for row in sums.rows(named=True)}
    fixed, shorter, plan = (of[policy] for policy in ("fixed_schedule", "fixed_reordered", "plan"))
    assert plan["overfull_hours"] < 0.7 * fixed["overfull_hours"]
    assert plan["distance_km"] < fixed["distance_km"]
    assert shorter["stops"] == fixed["stops"] == 140
    assert shorter["distance_km"] < fixed["distance_km"]
    assert plan["expected_reports"] == pytest.approx(0.02 * plan["overfull_hours"])


def test_a_night_sees_nothing_of_what_comes_after_it(tmp_path):
    whole = scene(tmp_path, 1, size=12)
    again = scene(tmp_path, 1, size=12)
    assert all((a.inflow_pct == b.inflow_pct).all() for a, b in zip(whole.nights, again.nights, strict=True))
    codes = tuple(whole.listed["container_code"])
    days = [MONDAY + timedelta(days=n) for n in range(-42, 7)]
    steady = pl.DataFrame(
        {
            "container_code": np.repeat(codes, len(days)),
            "local_date": days * len(codes),
            "inflow_pct": 10.0,
            "last_fill_pct": 20.0,
            "rest_share": 0.0,
            "weighings": 0,
        }
    )
    jumps = steady.with_columns(
        inflow_pct=pl.when(pl.col("local_date") >= MONDAY + timedelta(days=3)).then(90.0).otherwise(pl.col("inflow_pct"))
    )
    before, _ = collection_backtest.forecasts(codes, steady, MONDAY)
    after, _ = collection_backtest.forecasts(codes, jumps, MONDAY)
    is_same = [np.allclose(a.inflow_pct, b.inflow_pct) for a, b in zip(before, after, strict=True)]
    assert is_same == [True, True, True, True, False, False, False]


def test_the_fixed_schedule_is_driven_in_its_own_order(tmp_path):
    made = scene(tmp_path, 1, size=12)
    monday = collection_backtest.fixed_drives(made)(0, made.containers.start_pct)
    assert [(drive.truck.code, drive.places) for drive in monday] == [("a", (2, 8)), ("b", (5, 11))]
    results = replay(made.containers, collection_backtest.fixed_drives(made), collection.shift_of(made.settings), made.matrix)
    assert [result.stops for result in results] == [4, 4, 4, 4, 4, 4, 0]
