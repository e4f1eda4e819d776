"""The suites of inflow, forecast, outlook and scores: what passes, and which check an odd row fails."""

from datetime import UTC, date, datetime, timedelta

import duckdb
import polars as pl
import pytest

from checks.collective import container_forecast, container_inflow_day, container_outlook, forecast_scores
from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.collective.container_forecast import ContainerForecast
from groningen_data.contracts.collective.container_inflow_day import ContainerInflowDay
from groningen_data.contracts.collective.container_outlook import ContainerOutlook
from groningen_data.contracts.collective.forecast_scores import BASELINES, ForecastScores

DAY = date(2026, 3, 15)


def at(hour: int) -> datetime:
    return datetime(2026, 3, 17, hour, tzinfo=UTC)


def failing(suite, contract, rows: list[dict]) -> set[str]:
    """Names of the checks that a batch does not pass, beside two containers that were measured yesterday."""
    batch = pl.DataFrame(rows, schema=polars_schema(contract))
    with duckdb.connect() as con:
        con.execute("ATTACH ':memory:' AS lake; CREATE SCHEMA lake.core; CREATE SCHEMA lake.collective")
        con.execute("CREATE TABLE lake.core.waste_containers AS SELECT 'high' AS container_code, 110.0 AS alarm_pct")
        con.execute(
            "CREATE TABLE lake.collective.container_inflow_day AS SELECT code AS container_code, 24 AS readings, "
            "DATE '2026-03-15' AS local_date FROM (VALUES ('a'), ('b'), ('c')) v(code)"
        )
        con.register("batch", batch.to_arrow())
        return {
            expectation.name
            for expectation in suite
            if con.execute(expectation.kwargs["unexpected_rows_query"].replace("{batch}", "batch")).fetchall()
        }


INFLOW = {
    "container_code": "a",
    "local_date": DAY,
    "inflow_pct": 9.0,
    "readings": 24,
    "inferred_emptyings": 1,
    "matched_weighings": 1,
}


@pytest.mark.parametrize(
    ("changed", "failed"),
    [
        ({}, set()),
        ({"inflow_missing_reason": "silent"}, {"inflow_or_its_reason"}),
        ({"inflow_pct": None}, {"inflow_or_its_reason", "most_days_are_known"}),
        ({"inflow_pct": None, "inflow_missing_reason": "overfull"}, {"most_days_are_known"}),
        ({"inferred_emptyings": 0}, {"matches_fit"}),
    ],
)
def test_an_odd_inflow_fails_the_check_that_is_about_it(changed, failed):
    assert failing(container_inflow_day.SUITE, ContainerInflowDay, [INFLOW | changed]) == failed


def week(code: str = "a", **changed: object) -> list[dict]:
    """Seven days of a forecast; what is changed is so on the last."""
    days = [
        {
            "container_code": code,
            "made_from_on": DAY,
            "forecast_on": DAY + timedelta(days=n),
            "horizon_days": n,
            "fill_low_pct": 5.0 * n,
            "fill_pct": 10.0 * n,
            "fill_high_pct": 15.0 * n,
            "alarm_probability": 0.3,
            "overflow_probability": 0.1,
        }
        for n in range(1, 8)
    ]
    return [*days[:-1], days[-1] | changed]


@pytest.mark.parametrize(
    ("rows", "failed"),
    [
        (week() + week("b"), set()),
        (week() + week("b")[:-1], {"every_day_ahead"}),
        (week() + week("b", forecast_on=DAY), {"every_day_ahead"}),
        (week() + week("b", made_from_on=DAY - timedelta(days=1), horizon_days=8), {"every_day_ahead"}),
        (week() + week("b", fill_low_pct=106.0), {"bounds_in_order"}),
        (week() + week("b", alarm_probability=0.05), {"bounds_in_order"}),
        (week() + week("b") + week("high", alarm_probability=0.05), set()),
        (week() + week("b", fill_pct=50.0), {"levels_only_rise"}),
        (week(), {"most_containers_have_one"}),
    ],
)
def test_an_odd_forecast_fails_the_check_that_is_about_it(rows, failed):
    assert failing(container_forecast.SUITE, ContainerForecast, rows) == failed


OUTLOOK = {"container_code": "a", "alarm_pct": 80.0, "alarm_status_code": "expected", "overflow_status_code": "expected"}
OUTLOOK |= {"alarm_early_at": at(1), "alarm_at": at(2), "alarm_late_at": at(3)}
OUTLOOK |= {"overflow_early_at": at(4), "overflow_at": at(5), "overflow_late_at": at(6)}
UNKNOWN = {"alarm_status_code": "unknown", "overflow_status_code": "unknown", "forecast_missing_reason": "silent"}
UNKNOWN |= {"container_code": "a", "alarm_pct": 80.0}


@pytest.mark.parametrize(
    ("row", "failed"),
    [
        (OUTLOOK, set()),
        (OUTLOOK | {"container_code": "d"}, {"every_sensor_is_there"}),
        (UNKNOWN, set()),
        (OUTLOOK | {"alarm_early_at": at(3)}, {"instants_in_order"}),
        (OUTLOOK | {"overflow_late_at": at(4)}, {"instants_in_order"}),
        (OUTLOOK | {"alarm_at": at(6), "alarm_late_at": at(7)}, {"instants_in_order"}),
        (UNKNOWN | {"forecast_missing_reason": None}, {"unknown_has_its_reason"}),
        (OUTLOOK | {"forecast_missing_reason": "silent"}, {"unknown_has_its_reason"}),
        (OUTLOOK | {"overflow_status_code": "possible"}, {"expected_has_its_instant"}),
        (OUTLOOK | {"alarm_at": None}, {"expected_has_its_instant"}),
    ],
)
def test_an_odd_outlook_fails_the_check_that_is_about_it(row, failed):
    others = [UNKNOWN | {"container_code": code} for code in ("b", "c")]
    assert failing(container_outlook.SUITE, ContainerOutlook, [row, *others]) == failed


def scores(**changed: object) -> list[dict]:
    """The scores of all models at one horizon; what is changed is so for the fill model."""
    others = [
        {"month": DAY, "model_code": name, "horizon_days": 1, "forecasts": 900, "fill_mae_pct": 5.0, "fill_crps_pct": 5.0}
        for name in BASELINES
    ]
    return [*others, others[0] | {"model_code": "fill_model", "fill_mae_pct": 4.0, "coverage_80": 0.8} | changed]


@pytest.mark.parametrize(
    ("rows", "failed"),
    [
        (scores(), set()),
        (scores()[1:], {"all_models_on_the_same_days"}),
        (scores(forecasts=899), {"all_models_on_the_same_days"}),
        (scores(fill_mae_pct=5.0), {"forecast_beats_simple_ones"}),
        (scores(coverage_80=0.65), {"intervals_hold"}),
        (scores(coverage_80=0.95), {"intervals_hold"}),
    ],
)
def test_odd_scores_fail_the_check_that_is_about_them(rows, failed):
    assert failing(forecast_scores.SUITE, ForecastScores, rows) == failed
