"""The mart of what measures did: by hand, on series of which the effect is known, and on the sample city over five seeds."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from benchmarks.measures import judged, no_events
from groningen_data.marts import measure_effect
from groningen_data.marts.measure_effect import change_without_trend, effect_of, level_change, log_ratio, placebo_in_space, trend
from groningen_data.sample.policy_measures import IDLE, RECENT, WORKING
from groningen_data.sample.traffic_world import MEASURE_FACTOR, MEASURE_SITES
from tests.pipeline.conftest import sample_settings
from tests.pipeline.memory_lake import MemoryLake

TABLE = "collective.measure_effect"
START = date(2026, 2, 2)
FIRST = START - timedelta(days=28)
ORDER = np.arange(56) + FIRST.toordinal()
AFTER = np.greater_equal(ORDER, START.toordinal())
CONTROLS = [f"C{n:02d}" for n in range(45)]


def measure(**changed) -> dict:
    usual = {"measure_id": "M", "title_nl": "Knip", "title_en": None, "outcome_code": "flow", "site_ids": "A,B"}
    usual |= {"control_site_ids": None, "starts_on": START, "ends_on": None, "expected_effect_pct": -10.0, "decision": "x"}
    return usual | changed


def series(factor: float = 0.8, days: int = 56, noise: float = 0.01, seed: int = 1) -> pl.DataFrame:
    """Two sites and their controls; from the first day of the measure on the two carry `factor` of their traffic."""
    chance = np.random.default_rng(seed)
    names = ["A", "B", *CONTROLS]
    on = [FIRST + timedelta(days=n) for n in range(days)]
    busy = np.where([day.isoweekday() > 5 for day in on], 0.5, 1.0)[:, None] * np.linspace(4_000, 9_000, len(names))
    flow = busy * np.exp(noise * chance.standard_normal(busy.shape))
    flow[[day >= START for day in on], :2] *= factor
    frame = pl.DataFrame(flow, schema=names).with_columns(local_date=pl.Series(on))
    return frame.unpivot(index="local_date", variable_name="site_id", value_name="flow").with_columns(speed=pl.lit(40.0))


def places(**elsewhere: tuple[float, float]) -> pl.DataFrame:
    """All sites far from each other, but those given."""
    at = {name: (6.0 + n / 10, 53.0) for n, name in enumerate(["A", "B", *CONTROLS])} | elsewhere
    return pl.DataFrame([(name, *point) for name, point in at.items()], schema=("site_id", "longitude", "latitude"), orient="row")


def test_the_ratio_is_that_of_the_sites_to_the_middle_control():
    treated = np.log([[2.0, 8.0], [4.0, np.nan], [np.nan, np.nan]])
    controls = np.log([[1.0, 2.0, 1_000.0], [2.0, np.nan, 2.0], [1.0, 1.0, 1.0]])
    ratio = log_ratio(treated, controls)
    assert ratio[:2] == pytest.approx(np.log([2.0, 2.0]))
    assert np.isnan(ratio[2])


def test_a_change_is_told_apart_from_weekdays_and_from_a_trend():
    weekday = np.array([0.0, 0.1, 0.2, 0.0, -0.1, 0.5, -0.5])[ORDER % 7]
    noise = 0.001 * np.random.default_rng(1).standard_normal(56)
    growing = 0.02 * (ORDER - ORDER[0]) / 7 + weekday + noise
    found = level_change(growing - 0.3 * AFTER, AFTER, ORDER)
    assert found.effect == pytest.approx(-0.3, abs=0.003)
    assert found.low < found.effect < found.high and found.p_value < 1e-6
    assert level_change(growing, AFTER, ORDER).p_value > 0.01
    # Without the trend term, a site that grows all the time looks like a measure: its middles lie 4 weeks of 0.02 apart.
    assert change_without_trend(growing, AFTER, ORDER) == pytest.approx(0.08, abs=0.003)
    assert trend(growing, ORDER).effect == pytest.approx(0.02, abs=0.001)


def test_placebo_groups_are_all_there_are_or_a_reproducible_draw():
    controls = np.random.default_rng(1).standard_normal((56, 45))
    share, groups = placebo_in_space(controls, 1, AFTER, ORDER, 100.0)
    assert (share, groups) == (1 / 46, 45)
    share, groups = placebo_in_space(controls, 2, AFTER, ORDER, 0.0)
    assert (share, groups) == (1.0, measure_effect.PLACEBO_GROUPS)
    assert placebo_in_space(controls, 2, AFTER, ORDER, 0.2) == placebo_in_space(controls, 2, AFTER, ORDER, 0.2)
    assert placebo_in_space(controls[:, :38], 1, AFTER, ORDER, 1.0) == (None, 0)


def test_an_effect_is_found_with_its_size_and_its_certainty():
    row = effect_of(measure(), series(), places(), no_events())
    assert (row["verdict_code"], row["doubts"]) == ("effect", None)
    assert row["effect_low_pct"] < -20 < row["effect_high_pct"] < -15
    assert (row["days_before"], row["days_after"], row["control_sites"]) == (28, 28, 45)
    assert (row["site_ids"], row["control_choice_code"]) == ("A,B", "by_rule")
    assert row["placebo_space_p_value"] == 1 / 200


def test_without_effect_none_is_found_and_it_is_told_how_large_one_could_have_been():
    row = effect_of(measure(), series(factor=1.0), places(), no_events())
    assert row["verdict_code"] == "no_effect_found"
    assert row["effect_low_pct"] < 0 < row["effect_high_pct"]
    half = (row["effect_high_pct"] - row["effect_low_pct"]) / 2
    # 2.8 standard errors against 2.01 (Student's t, 47 degrees of freedom).
    assert row["detectable_effect_pct"] / half == pytest.approx(2.8 / 2.01, abs=0.03)


@pytest.mark.parametrize(
    ("changed", "days", "reason"),
    [
        ({}, 28 + 13, "too_few_days_after"),
        ({"starts_on": FIRST + timedelta(days=13)}, 56, "too_few_days_before"),
        ({"ends_on": START + timedelta(days=12)}, 56, "too_few_days_after"),
        ({"site_ids": "X"}, 56, "no_counts_at_sites"),
        ({"control_site_ids": "X,Y"}, 56, "too_few_control_sites"),
    ],
)
def test_too_little_data_says_why_and_gives_no_effect(changed, days, reason):
    row = effect_of(measure(**changed), series(days=days), places(), no_events())
    assert (row["verdict_code"], row["verdict_reason"]) == ("too_little_data", reason)
    assert "effect_pct" not in row


def test_sites_near_the_measure_or_near_works_are_no_controls():
    works = {
        "event_kind": "road_works",
        "starts_on": START,
        "ends_on": START + timedelta(days=3),
        "longitude": 7.0,
        "latitude": 53.0,
    }
    events = pl.concat(
        [no_events(), pl.DataFrame([works], schema={name: no_events().schema[name] for name in works})], how="diagonal"
    )
    # A hundredth of a degree of longitude is 670 m here, a thousandth 67 m.
    near, by_works, far = (6.001, 53.0), (7.001, 53.0), (6.01, 53.0)
    row = effect_of(measure(), series(), places(C00=near, C01=by_works, C02=far, C08=(20.0, 53.0)), events)
    controls = row["control_site_ids"].split(",")
    assert {"C00", "C01"} & set(controls) == set() and {"C02", "C08"} <= set(controls)
    assert row["doubts"] is None
    assert effect_of(measure(), series(), places(A=(7.002, 53.0)), events)["doubts"] == "other_event_near"


def test_named_controls_are_used_and_no_others():
    row = effect_of(measure(control_site_ids="C07,C03"), series(), places(), no_events())
    assert (row["control_site_ids"], row["control_choice_code"], row["placebo_space_p_value"]) == ("C03,C07", "named", None)
    assert row["verdict_code"] == "effect"


def test_a_site_that_shrank_before_its_measure_is_doubted():
    frame = series(factor=1.0)
    weeks = (pl.col("local_date") - FIRST).dt.total_days() / 7
    shrinking = pl.when(pl.col("site_id").is_in(["A", "B"])).then(pl.col("flow") * (-0.03 * weeks).exp()).otherwise("flow")
    row = effect_of(measure(), frame.with_columns(flow=shrinking), places(), no_events())
    assert row["verdict_code"] == "no_effect_found" and "trend_before" in row["doubts"]
    assert row["trend_before_pct_week"] == pytest.approx(-3, abs=0.3)
    assert row["effect_without_trend_pct"] == pytest.approx(100 * (np.exp(-0.12) - 1), abs=1)


def hours_of(frame: pl.DataFrame) -> pl.DataFrame:
    """The same days as hours of the mart below: a 24th of the day's vehicles in each."""
    hours = frame.drop("speed").join(pl.DataFrame({"local_hour": range(24)}, schema={"local_hour": pl.Int64}), how="cross")
    return hours.select(
        "site_id",
        "local_date",
        "local_hour",
        vehicles=pl.col("flow") / 24,
        mean_speed_km_h=pl.lit(40.0),
        good_share=pl.lit(1.0),
        expected_intervals=pl.lit(12, pl.Int64),
    )


def test_the_mart_reads_full_days_only_and_no_list_gives_no_rows(tmp_path):
    lake = MemoryLake(sample_settings(tmp_path))
    lake.make(TABLE)
    assert lake.ask(f"SELECT * FROM lake.{TABLE}") == []
    lake.put("core.traffic_measures", [measure()])
    lake.put("core.traffic_sites", places())
    hours = hours_of(series())
    # Two days of which hours are missing or most minutes were bad would look quiet; they must not count.
    broken = START + timedelta(days=3), START + timedelta(days=4)
    hours = hours.filter(~((pl.col("local_date") == broken[0]) & (pl.col("local_hour") < 6)))
    is_bad = pl.col("local_date") == broken[1]
    hours = hours.with_columns(good_share=pl.when(is_bad).then(0.5).otherwise(pl.col("good_share")))
    lake.put("collective.site_hour", hours)
    lake.make(TABLE)
    verdict, effect, before, after = lake.one(f"SELECT verdict_code, effect_pct, days_before, days_after FROM lake.{TABLE}")
    assert (verdict, before, after) == ("effect", 28, 26)
    assert effect == pytest.approx(-20, abs=1)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_the_measure_that_works_is_found_and_the_one_that_does_not_is_not(seed):
    found = judged(seed)
    working, idle, recent = found[WORKING], found[IDLE], found[RECENT]
    assert working["verdict_code"] == "effect" and working["site_ids"] == ",".join(sorted(MEASURE_SITES))
    assert working["effect_pct"] == pytest.approx(100 * (MEASURE_FACTOR - 1), abs=1.5)
    assert idle["effect_pct"] == pytest.approx(0, abs=2.5)
    # One city in about thirty finds an effect where there is none; none of these does.
    assert idle["verdict_code"] == "no_effect_found"
    assert (recent["verdict_code"], recent["verdict_reason"]) == ("too_little_data", "too_few_days_after")
