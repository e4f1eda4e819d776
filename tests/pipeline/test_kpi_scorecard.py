"""The scorecard: values, statuses, trends and forecasts by hand; nothing suppressed comes back; each question gives its figure."""

from dataclasses import replace
from datetime import date, timedelta

import duckdb
import numpy as np
import pytest

from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import facts_of
from groningen_data.marts import kpi_scorecard
from groningen_data.marts.kpi_indicators import indicators
from groningen_data.marts.kpi_scorecard import Period, forecast, status_of, trend
from groningen_data.serving.protect import protected_select
from groningen_data.serving.query import query
from tests.pipeline.conftest import sample_settings
from tests.pipeline.memory_lake import MemoryLake

TABLE = "collective.kpi_scorecard"
OVERFULL = next(i for i in indicators() if i.id == "overfull_container_hours")
CYCLISTS = next(i for i in indicators() if i.id == "cyclists")
RECIPIENTS = next(i for i in indicators() if i.id == "benefit_recipients")
WASTE = [i for i in indicators() if i.id == "residual_waste_per_inhabitant"]


@pytest.fixture
def lake(tmp_path):
    return MemoryLake(sample_settings(tmp_path))


def scored(lake: MemoryLake, indicator: str, columns: str) -> list[tuple]:
    return lake.ask(f"SELECT {columns} FROM lake.{TABLE} WHERE indicator_id = ? ORDER BY period_start_on", indicator)


def container_days(first: date, days: int, overfull: int) -> list[dict]:
    return [
        {
            "local_date": first + timedelta(days=n),
            "container_code": "C",
            "fraction_code": "residual",
            "reading_hours": 24,
            "overfull_hours": overfull,
            "inspections": 0,
        }
        for n in range(days)
    ]


def test_a_value_is_that_of_its_month_with_the_share_of_days_it_rests_on(lake):
    lake.put("collective.container_day", container_days(date(2026, 1, 1), 31, 6))
    lake.put("collective.container_day", container_days(date(2026, 2, 1), 20, 0))
    lake.put("collective.container_day", container_days(date(2026, 3, 1), 10, 12))
    lake.make(TABLE)
    rows = scored(lake, OVERFULL.id, "value, round(completeness, 3), status_code, status_reason, is_latest, missed_pct")
    assert rows == [
        (25.0, 1.0, "off_track", None, False, 2400.0),
        (0.0, 0.714, "on_track", None, True, -100.0),
        (50.0, 0.323, "no_data", "incomplete", False, 4900.0),
    ]
    trends = scored(lake, OVERFULL.id, "trend_code, trend_periods, trend_missing_reason, forecast_missing_reason")
    # Weeks with five days or more: seven from 5 January until 20 February, and that of 2 March.
    assert trends[0] == (None, 0, "earlier_period", "earlier_period")
    assert trends[1][1:] == (8, None, "too_short_history")


@pytest.mark.parametrize("gap", [0, 330])
def test_a_trend_by_week_of_a_long_history_is_that_of_its_last_weeks(lake, monkeypatch, gap):
    """Most often only the last year is asked; after a long gap, years before it are as well."""
    started, drawn = date(2023, 6, 8), np.random.default_rng(5)
    for n in range(1000):
        if not 1000 - 40 - gap <= n < 1000 - 40:
            lake.put("collective.container_day", container_days(started + timedelta(days=n), 1, int(drawn.integers(0, 24))))
    asked, ask = [], kpi_scorecard._asked

    def asking(context, indicator, period, protect, since=date.min):
        asked.append((indicator.id, period, since))
        return ask(context, indicator, period, protect, since)

    monkeypatch.setattr(kpi_scorecard, "_asked", asking)
    lake.make(TABLE)
    columns = "trend_code, trend_periods, trend_change, trend_low, trend_high"
    row = next(row for row in scored(lake, OVERFULL.id, f"is_latest, {columns}") if row[0])
    weeks = [since for name, period, since in asked if (name, period) == (OVERFULL.id, "week")]
    assert weeks == [date(2025, 2, 1), *([date.min] if gap else [])]
    lake.con.execute(f"TRUNCATE lake.{TABLE}")
    monkeypatch.setattr(kpi_scorecard, "_asked", lambda *of, since=date.min: ask(*of[:4]))
    lake.make(TABLE)
    assert row == next(row for row in scored(lake, OVERFULL.id, f"is_latest, {columns}") if row[0])
    assert row[2] == kpi_scorecard.MOST_PERIODS


def test_an_indicator_without_rows_is_there_and_says_so(lake):
    lake.make(TABLE)
    rows = lake.ask(f"SELECT DISTINCT status_code, status_reason, value, is_latest FROM lake.{TABLE}")
    assert rows == [("no_data", "no_rows", None, True)]
    assert lake.one(f"SELECT count(*) FROM lake.{TABLE}") == (len({i.id for i in indicators()}),)


def test_figures_about_people_are_made_of_protected_counts(lake):
    usual = {"period_code": "2025KW04", "period_end_on": date(2025, 12, 31), "level_code": "partner", "area_code": "GM0014"}
    none = dict.fromkeys(("open_households", "not_taken_up_households", "helped_households", "solved_households"), 0)
    partners = [("landlord", 44, 14), ("water", 40, 9), ("energy", 36, 33), ("health_insurer", 104, 55)]
    lake.put(
        "collective.help_first_funnel",
        [
            usual | none | {"partner_code": p, "households": 200, "tried_households": tried, "reached_households": reached}
            for p, tried, reached in partners
        ],
    )
    lake.make(TABLE)
    # Served are 10 of 40, nothing of 40 (below ten), nothing of 36 (nearly everyone), and 60 of 100.
    [(value,)] = scored(lake, "early_signals_reached", "value")
    assert value == pytest.approx(100 * (10 + 60) / (40 + 100))
    assert value != pytest.approx(100 * (14 + 9 + 33 + 55) / (44 + 40 + 36 + 104))


def test_each_period_keeps_the_version_that_held_then(lake):
    usual = {"region_code": "GM0014", "region_level": "municipality", "waste_kind_code": "T001", "fraction_code": "residual"}
    usual |= {"source_table": "83452NED"}
    lake.put(
        "core.reference_household_waste",
        [usual | {"year": year, "kg_per_inhabitant": 200.0 - 4 * (year - 2006)} for year in range(2006, 2026)],
    )
    lake.put("core.reference_household_waste", [usual | {"region_level": "country", "year": 2025, "kg_per_inhabitant": 1.0}])
    lake.make(TABLE)
    rows = scored(lake, WASTE[0].id, "year(period_start_on), version, value, target, status_code")
    assert rows[0] == (2006, 1, 200.0, None, "context")
    assert rows[8] == (2014, 2, 168.0, 100.0, "off_track")
    assert rows[-1] == (2025, 3, 124.0, 30.0, "off_track")
    latest = scored(lake, WASTE[0].id, "trend_code, trend_change, forecast_period_start_on, forecast_value, forecast_target")[-1]
    # Each year 4 kg less: drift has never erred, so it is chosen, and it goes on so.
    assert latest == ("better", pytest.approx(-4), date(2026, 1, 1), pytest.approx(120), 30.0)


@pytest.mark.parametrize(
    ("indicator", "value", "completeness", "status"),
    [
        (OVERFULL, 1.0, 1.0, ("on_track", None)),
        (OVERFULL, 1.1, 1.0, ("at_risk", None)),
        (OVERFULL, 1.11, 1.0, ("off_track", None)),
        (OVERFULL, 0.5, 0.5, ("on_track", None)),
        (OVERFULL, 0.5, 0.49, ("no_data", "incomplete")),
        (OVERFULL, None, 1.0, ("no_data", "no_value")),
        (replace(OVERFULL, margin=50.0), 1.5, 1.0, ("at_risk", None)),
        (CYCLISTS, 4000.0, 1.0, ("on_track", None)),
        (CYCLISTS, 3600.0, 1.0, ("at_risk", None)),
        (CYCLISTS, 3599.0, 1.0, ("off_track", None)),
        (RECIPIENTS, 55.0, 1.0, ("context", None)),
    ],
)
def test_a_status_follows_from_value_target_and_margin(indicator, value, completeness, status):
    assert status_of(indicator, value, completeness) == status


def weeks(values: list[float]) -> list[Period]:
    return [Period(date(2026, 1, 5) + timedelta(weeks=n), value, 1.0) for n, value in enumerate(values)]


def years(values: list[float | None]) -> list[Period]:
    return [Period(date(2000 + n, 1, 1), value, 1.0) for n, value in enumerate(values)]


def test_a_trend_is_the_median_change_whatever_one_odd_week_does():
    falling = [10, 9, 8, 7, 20, 5, 4, 3, 2, 1]
    found = trend(OVERFULL, weeks(falling))
    assert (found["trend_code"], found["trend_change"], found["trend_periods"]) == ("better", -1.0, 10)
    assert found["trend_low"] <= -1 <= found["trend_high"] < 0
    assert trend(OVERFULL, weeks(falling[::-1]))["trend_code"] == "worse"
    assert trend(replace(CYCLISTS, trend_period="week"), weeks(falling))["trend_code"] == "worse"
    assert trend(replace(RECIPIENTS, trend_period="week"), weeks(falling))["trend_code"] == "falling"
    assert trend(OVERFULL, weeks([1, 3, 2, 3, 1, 2, 2, 3, 1, 2]))["trend_code"] == "none_found"
    assert trend(OVERFULL, weeks([1, 2, 3, 4, 5])) == {"trend_periods": 5, "trend_missing_reason": "too_few_periods"}


def test_a_missing_week_does_not_make_a_trend_steeper():
    gap = [period for n, period in enumerate(weeks([1, 2, 3, 4, 5, 6, 7, 8, 9])) if n not in (3, 4)]
    assert trend(OVERFULL, gap)["trend_change"] == 1.0


def test_a_series_without_trend_is_forecast_at_its_level():
    found = forecast(WASTE, years([10, 12, 9, 11, 10, 12, 9, 11, 10, 12, 9, 11]))
    assert found["forecast_method"] == "smoothing"
    assert found["forecast_value"] == pytest.approx(10.5, abs=0.5)
    assert found["forecast_low"] < 9 and found["forecast_high"] > 12


def test_a_forecast_reaches_to_the_end_of_the_year_and_needs_a_history_without_gaps():
    found = forecast([CYCLISTS], [Period(date(2026 + n // 12, n % 12 + 1, 1), 4_000.0 + n % 3, 1.0) for n in range(22)])
    assert found["forecast_period_start_on"] == date(2027, 12, 1)
    short = {"forecast_missing_reason": "too_short_history"}
    assert forecast(WASTE, years([1, 2, 1, 2, 1, 2, 1])) == short
    assert forecast(WASTE, years([1, 2, 1, 2, None, 2, 1, 2, 1, 2, 1, 2])) == short
    # January is the last month known: December is eleven months ahead, of which a year's history holds no forecast.
    assert forecast([CYCLISTS], [Period(date(2026 + n // 12, n % 12 + 1, 1), 4_000.0, 1.0) for n in range(13)]) == short


def test_nine_forecasts_in_ten_and_more_hold_the_truth():
    """Of 95 % intervals, over series with and without memory and trend, 12 periods each."""
    chance = np.random.default_rng(1)
    held = []
    for n in range(45):
        noise = chance.standard_normal(13)
        series = [50 + 3 * noise, 50 + np.cumsum(noise), 50 - 0.5 * np.arange(13) + noise][n % 3]
        found = forecast(WASTE, years(series[:12].tolist()))
        held.append(found["forecast_low"] <= series[12] <= found["forecast_high"])
    assert 0.88 <= np.mean(held) <= 1.0


def served(lake: MemoryLake) -> duckdb.DuckDBPyConnection:
    """What analysts would see of the lake."""
    con = lake.con.cursor()
    con.execute("ATTACH ':memory:' AS serving")
    for name, contract in all_contracts().items():
        if facts_of(contract).served and name != TABLE:
            sql = protected_select(contract, f"lake.{name}")
            if "ST_" not in sql:
                con.execute(f"CREATE TABLE serving.main.{name.split('.')[1]} AS {sql}")
    con.execute("USE serving")
    return con


def test_each_question_gives_its_figure_from_what_is_served(lake):
    lake.put("collective.container_day", container_days(date(2026, 1, 1), 31, 5))
    lake.put("collective.container_day", container_days(date(2026, 2, 1), 28, 7))
    month = {"month": date(2026, 2, 1), "waste_reports_completeness": 0.5, "cyclists_completeness": 1.0}
    month |= {"waste_reports": 7, "daily_cyclists": 1234.5, "inhabitants": 1_234, "inhabitants_15_plus": 1_001, "recipients": 57}
    lake.put("collective.neighbourhood_month", [month | {"neighbourhood_code": f"BU0014000{n}"} for n in range(3)])
    lake.put("collective.neighbourhood_month", [month | {"neighbourhood_code": "BU00140009", "recipients": 9}])
    lake.make(TABLE)
    figures = lake.ask(f"SELECT indicator_id, query_sql, value FROM lake.{TABLE} WHERE value IS NOT NULL")
    con = served(lake)
    assert {name: con.execute(sql).fetchall() for name, sql, _ in figures} == {name: [(v,)] for name, _, v in figures}
    told = {name: value for name, _, value in figures}
    # 7 reports of 1,230 people in half a month, four times; 60 recipients of 1,000 people, three times.
    assert told["waste_reports"] == pytest.approx(1000 * 30 * 28 / (4 * 1_230 * 14), abs=1e-6)
    assert told["benefit_recipients"] == pytest.approx(1000 * 180 / 3_000, abs=1e-6)
    assert set(told) == {"overfull_container_hours", "waste_reports", "cyclists", "benefit_recipients"}


def test_every_figure_of_the_sample_city_can_be_looked_up(sample_lake):
    figures = list(query(sample_lake, "SELECT indicator_id, query_sql, value FROM kpi_scorecard WHERE value IS NOT NULL").rows)
    assert {name for name, *_ in figures} == {indicator.id for indicator in indicators()}
    for name, sql, value in figures:
        assert list(query(sample_lake, sql).rows) == [(pytest.approx(value, abs=2e-6),)], name
