"""The suites of measures, of what they did, of report handling and of the scorecard: what passes, and which check an odd row fails."""

from datetime import UTC, date, datetime

import duckdb
import polars as pl
import pytest

from checks.collective import kpi_scorecard, measure_effect, report_handling
from checks.traffic import measures
from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.collective.kpi_scorecard import KpiScorecard
from groningen_data.contracts.collective.measure_effect import MeasureEffect
from groningen_data.contracts.collective.report_handling import ReportHandling
from groningen_data.contracts.traffic.measures import TrafficMeasures
from groningen_data.gate.suite import BatchFacts

NOW = datetime(2026, 3, 16, 6, tzinfo=UTC)
DAY = date(2026, 2, 1)


def failing(suite, contract, rows: list[dict]) -> set[str]:
    """Names of the checks by query that a batch does not pass, beside one known site, one measure `M` and 30 reports."""
    batch = pl.DataFrame(rows, schema=polars_schema(contract))
    facts = BatchFacts("snapshot", None, batch.height, (), NOW, "GM0014")
    found = set()
    with duckdb.connect() as con:
        con.execute("ATTACH ':memory:' AS lake; CREATE SCHEMA lake.core")
        con.execute("CREATE TABLE lake.core.traffic_sites AS SELECT 'S' AS site_id")
        con.execute("CREATE TABLE lake.core.traffic_measures AS SELECT 'M' AS measure_id, 'Knip' AS title_nl")
        con.execute("CREATE TABLE lake.core.waste_reports AS SELECT 'dumping' AS waste_kind FROM range(30)")
        con.register("batch", batch.to_arrow())
        for expectation in suite:
            query = (expectation.arguments(facts) or {}).get("unexpected_rows_query")
            if query and con.execute(query.replace("{batch}", "batch")).fetchall():
                found.add(expectation.name)
    return found


MEASURE = {"measure_id": "M", "title_nl": "Knip", "outcome_code": "flow", "site_ids": "S", "starts_on": DAY}
EFFECT = MEASURE | {"verdict_code": "effect", "effect_pct": -12.0, "effect_low_pct": -13.0, "effect_high_pct": -11.0}
EFFECT |= {"p_value": 0.01, "control_site_ids": "C,D"}
HANDLING = {"created_on": DAY, "waste_kind": "dumping", "reports": 10, "judged_reports": 10, "open_over_7_days": 2}
LATER = {"created_on": date(2026, 2, 20), "waste_kind": "dumping", "reports": 3, "judged_reports": 0, "open_over_7_days": 0}
SCORE = {"indicator_id": "a", "is_latest": True, "direction_code": "lower", "value": 9.0, "target": 10.0, "margin_pct": 10.0}
SCORE |= {"status_code": "on_track", "completeness": 1.0, "trend_change": 1.0, "trend_low": 0.0, "trend_high": 2.0}
SCORE |= {"forecast_value": 9.0, "forecast_low": 8.0, "forecast_high": 10.0, "unit_en": "% of hours", "source_table": "t"}
SCORE |= {"query_sql": "SELECT value FROM t"}


@pytest.mark.parametrize(
    ("changed", "failed"),
    [
        ({}, set()),
        ({"site_ids": "S,T"}, {"sites_are_known"}),
        ({"starts_on": date(2036, 1, 1)}, {"not_planned_years_ahead"}),
    ],
)
def test_an_odd_measure_fails_the_check_that_is_about_it(changed, failed):
    assert failing(measures.SUITE, TrafficMeasures, [MEASURE | changed]) == failed


@pytest.mark.parametrize(
    ("changed", "failed"),
    [
        ({}, set()),
        ({"measure_id": "N"}, {"every_measure_has_a_verdict"}),
        ({"verdict_code": "too_little_data"}, {"verdicts_rest_on_figures"}),
        ({"p_value": None}, {"verdicts_rest_on_figures"}),
        ({"effect_pct": -20.0}, {"intervals_hold_their_effect"}),
        ({"effect_high_pct": 1.0}, {"an_effect_excludes_none"}),
        ({"control_site_ids": "C,S"}, {"no_site_controls_itself"}),
        ({"effect_pct": -60.0, "effect_low_pct": -61.0}, {"effects_are_believable"}),
    ],
)
def test_an_odd_effect_fails_the_check_that_is_about_it(changed, failed):
    assert failing(measure_effect.SUITE, MeasureEffect, [EFFECT | changed]) == failed


def test_many_doubts_are_told():
    rows = [EFFECT | {"doubts": "trend_before" if n < 4 else None} for n in range(6)]
    assert failing(measure_effect.SUITE, MeasureEffect, rows) == {"most_effects_are_without_doubt"}
    assert failing(measure_effect.SUITE, MeasureEffect, rows[1:]) == set()


@pytest.mark.parametrize(
    ("rows", "failed"),
    [
        ([HANDLING, LATER], set()),
        ([HANDLING | {"open_over_7_days": 11}], {"late_reports_are_judged_reports"}),
        ([HANDLING | {"reports": 31, "judged_reports": 31}], {"no_report_counts_twice"}),
        ([HANDLING | {"judged_reports": 9}], {"days_are_judged_whole"}),
        ([HANDLING | {"judged_reports": 0, "open_over_7_days": 0}, LATER], {"days_are_judged_whole"}),
    ],
)
def test_odd_handling_fails_the_check_that_is_about_it(rows, failed):
    assert failing(report_handling.SUITE, ReportHandling, rows) == failed


def test_reports_that_are_mostly_late_are_told():
    rows = [HANDLING | {"reports": 200, "judged_reports": 200, "open_over_7_days": 120}]
    assert failing(report_handling.SUITE, ReportHandling, rows) == {"most_reports_are_in_time", "no_report_counts_twice"}


@pytest.mark.parametrize(
    ("changed", "failed"),
    [
        ({}, set()),
        ({"is_latest": False}, {"one_latest_period_each"}),
        ({"status_code": "at_risk"}, {"statuses_follow_their_rule"}),
        ({"value": 11.0}, {"statuses_follow_their_rule"}),
        ({"value": 11.0, "status_code": "at_risk"}, set()),
        ({"direction_code": "higher", "status_code": "at_risk"}, set()),
        ({"completeness": 0.4}, {"statuses_follow_their_rule"}),
        ({"trend_change": None}, {"missing_figures_say_why"}),
        ({"trend_change": None, "trend_missing_reason": "too_few_periods"}, set()),
        ({"forecast_missing_reason": "too_short_history"}, {"missing_figures_say_why"}),
        ({"trend_high": 0.5}, {"intervals_hold_their_figure"}),
        ({"forecast_low": 9.5}, {"intervals_hold_their_figure"}),
        ({"query_sql": "SELECT 9"}, {"each_figure_names_its_question"}),
        ({"value": -1.0}, {"shares_are_shares"}),
        (
            {"value": None, "status_code": "no_data", "status_reason": "no_value"},
            {"most_indicators_have_data"},
        ),
    ],
)
def test_an_odd_score_fails_the_check_that_is_about_it(changed, failed):
    assert failing(kpi_scorecard.SUITE, KpiScorecard, [SCORE | changed]) == failed
