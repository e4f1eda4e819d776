"""What recurs is told from what happens once, and trends from holidays and rain."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from groningen_data.marts.congestion_ranking import ranked

MONDAY = date(2026, 1, 5)


def days(count=60, code="x", saturated=0.0, flow=None, **columns) -> pl.DataFrame:
    """Working days at one intersection in the evening peak of two hours; every argument may be a list per day."""
    on = [day for n in range(count * 2) if (day := MONDAY + timedelta(days=n)).isoweekday() <= 5][:count]
    facts = {
        "intersection_code": code,
        "intersection_name": code.upper(),
        "longitude": 6.5,
        "latitude": 53.2,
        "neighbourhood_code": None,
        "period_code": "evening_peak",
        "hours": 2,
        "measured_hours": 2,
        "approaches": 2,
        "measured_approaches": 2.0,
        "trusted_share": 1.0,
        "saturated_minutes": saturated,
        "loss_h_per_km": 1.0,
        "vehicles": [2_000.0] * count if flow is None else list(flow),
        "volume_capacity_ratio": 0.5,
        "is_public_holiday": False,
        "is_school_holiday": False,
        "has_event": None,
        "rain_mm_h": 0.0,
        "has_snow": None,
        "is_drifting": None,
    } | columns
    frame = {name: value if isinstance(value, list) else [value] * count for name, value in facts.items()}
    types = {"neighbourhood_code": pl.String, "has_event": pl.Boolean, "has_snow": pl.Boolean, "is_drifting": pl.Boolean}
    frame |= {"local_date": on, "weekday": [day.isoweekday() for day in on]}
    return pl.DataFrame(frame, schema_overrides=types, strict=False)


def one(frame: pl.DataFrame) -> dict:
    (row,) = ranked(frame).iter_rows(named=True)
    return row


def noisy(count, seed, slope=0.0):
    chance = np.random.default_rng(seed)
    return 2_000 * np.exp(0.03 * chance.standard_normal(count) + slope * np.arange(count) / 5)


@pytest.mark.parametrize(
    ("congested", "kind"), [(0, "none"), (1, "incidental"), (12, "incidental"), (24, "persistent"), (60, "persistent")]
)
def test_congestion_is_persistent_when_it_is_sure_to_be_there_on_more_than_a_fifth_of_ordinary_days(congested, kind):
    row = one(days(saturated=[60.0] * congested + [0.0] * (60 - congested), flow=noisy(60, 1)))
    assert row["congestion_kind"] == kind
    assert row["congested_share"] == congested / 60
    assert row["congested_share_low"] - 1e-9 <= row["congested_share"] <= row["congested_share_high"] + 1e-9


def test_days_in_holidays_with_events_and_with_bad_weather_are_counted_apart():
    jammed = [60.0] * 20 + [0.0] * 40
    row = one(
        days(
            saturated=jammed,
            flow=noisy(60, 1),
            is_school_holiday=[n < 5 for n in range(60)],
            has_event=[True if n < 12 else None for n in range(60)],
            rain_mm_h=[2.0 if n < 20 else 0.0 for n in range(60)],
        )
    )
    assert row["congestion_kind"] == "incidental" and row["ordinary_congested_days"] == 0
    told = ("holiday", "event", "bad_weather")
    assert [row[f"{kind}_congested_days"] for kind in told] == [5, 7, 8]
    assert row["measured_days"] == row["ordinary_days"] + sum(row[f"{kind}_days"] for kind in told) == 60


def test_what_cannot_be_trusted_is_not_ranked_and_says_why():
    found = ranked(pl.concat([days(code="good"), days(code="bad", measured_hours=0), days(code="short", count=3)]))
    rows = {row["intersection_code"]: row for row in found.iter_rows(named=True)}
    assert (rows["bad"]["rank"], rows["bad"]["kind_missing_reason"]) == (None, "not_trusted")
    assert (rows["short"]["rank"], rows["short"]["kind_missing_reason"]) == (2, "too_few_days")
    assert (rows["good"]["rank"], rows["good"]["congestion_kind"]) == (1, "none")


def test_the_most_saturated_minutes_rank_first_and_then_the_most_lost_hours():
    frames = [days(code="c", loss_h_per_km=3.0), days(code="b", loss_h_per_km=9.0), days(code="a", saturated=40.0)]
    assert ranked(pl.concat(frames))["intersection_code"].to_list() == ["a", "b", "c"]


def test_a_trend_is_found_within_its_interval_and_a_holiday_is_taken_out():
    holiday = [20 <= n < 30 for n in range(60)]
    flow = noisy(60, 3, slope=0.02) * np.where(holiday, 0.8, 1.0)
    row = one(days(flow=flow, is_school_holiday=holiday))
    assert row["trend_low_pct_week"] < 2.02 < row["trend_high_pct_week"] and row["is_trend_clear"]
    assert row["school_holiday_effect_pct"] == pytest.approx(-20, abs=4)


def test_a_trend_is_seldom_clear_where_there_is_none():
    found = ranked(pl.concat([days(code=f"x{seed:03}", flow=noisy(60, seed)) for seed in range(120)]))
    outside = found.filter((pl.col("trend_low_pct_week") > 0) | (pl.col("trend_high_pct_week") < 0)).height
    assert outside <= 17
    assert found["is_trend_clear"].sum() <= 3


def test_days_with_an_event_or_an_unmeasured_approach_do_not_make_a_trend():
    flow = noisy(60, 4)
    flow[50:] *= 0.3
    row = one(days(flow=flow, measured_approaches=[2.0] * 50 + [1.0] * 10))
    assert abs(row["trend_pct_week"]) < 1
    row = one(days(flow=flow, has_event=[None] * 50 + [True] * 10))
    assert abs(row["trend_pct_week"]) < 1


def test_an_empty_road_has_no_trend():
    row = one(days(flow=np.zeros(60)))
    assert (row["trend_pct_week"], row["trend_missing_reason"]) == (None, "no_traffic")


def test_what_happens_on_the_first_day_alone_is_no_cause():
    row = one(days(flow=noisy(60, 5), rain_mm_h=[3.0] + [0.0] * 59, is_school_holiday=[True] + [False] * 59))
    assert row["trend_pct_week"] is not None
    assert row["rain_effect_pct"] is None and row["school_holiday_effect_pct"] is None
