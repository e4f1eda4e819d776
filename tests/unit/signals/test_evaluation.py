"""Rules beside chance: intervals by hand, looks month by month, and how often rules are judged wrongly."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from benchmarks.signal_rules import share_kept
from groningen_data.contracts.collective.signal_rule_results import BEATS_CHANCE, NO_BETTER, TOO_FEW
from groningen_data.signals.evaluation import looks, verdicts, wilson

SAMPLE, TODAY = "random_sample", date(2026, 4, 2)


def months(*rows) -> pl.DataFrame:
    named = [
        (rule, version, date.fromisoformat(f"{month}-01"), checks, unlawful, 0) for rule, version, month, checks, unlawful in rows
    ]
    schema = {"rule_id": pl.String, "rule_version": pl.Int64, "month_on": pl.Date}
    schema |= dict.fromkeys(("checks", "unlawful", "fact_wrong"), pl.Int64)
    return pl.DataFrame(named, schema=schema, orient="row")


def told(found: pl.DataFrame, rule: str, *columns: str) -> list[tuple]:
    return found.filter(rule_id=rule).select(*columns).rows()


def test_intervals_are_those_of_wilson():
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    low, high = wilson(np.array([81, 15, 0, 1]), np.array([263, 148, 20, 29]))
    assert np.round(low, 4).tolist() == [0.2553, 0.0624, 0.0, 0.0061]
    assert np.round(high, 4).tolist() == [0.3662, 0.1605, 0.1611, 0.1718]
    assert np.isnan(wilson(np.array([0]), np.array([0]))).all()


@pytest.mark.parametrize(
    ("hits", "checks", "base_hits", "base_checks", "verdict"),
    [
        (80, 200, 10, 200, BEATS_CHANCE),
        (10, 200, 10, 200, NO_BETTER),
        (18, 200, 10, 200, NO_BETTER),
        (80, 199, 10, 200, TOO_FEW),
        (80, 200, 10, 199, TOO_FEW),
        (0, 200, 0, 200, NO_BETTER),
    ],
)
def test_a_rule_must_lie_above_chance_with_its_whole_interval(hits, checks, base_hits, base_checks, verdict):
    assert verdicts(np.array([hits]), np.array([checks]), np.array([base_hits]), np.array([base_checks]), 200).tolist() == [
        verdict
    ]


def test_a_version_is_looked_at_every_month_with_all_its_outcomes():
    found = looks(
        months(("a", 1, "2026-01", 90, 40), ("a", 1, "2026-03", 20, 9), (SAMPLE, 0, "2025-12", 300, 15)), 100, SAMPLE, TODAY
    )
    assert told(found, "a", "checks", "checks_to_date", "unlawful_to_date", "verdict_code") == [
        (90, 90, 40, TOO_FEW),
        (0, 90, 40, TOO_FEW),
        (20, 110, 49, BEATS_CHANCE),
    ]


def test_chance_is_that_of_twelve_months():
    found = looks(months((SAMPLE, 0, "2025-01", 50, 5), (SAMPLE, 0, "2026-03", 70, 7)), 100, SAMPLE, TODAY)
    to_date = dict(told(found, SAMPLE, "month_on", "checks_to_date"))
    assert (to_date[date(2025, 12, 1)], to_date[date(2026, 1, 1)], to_date[date(2026, 3, 1)]) == (50, 0, 70)
    assert found["verdict_code"].to_list() == [None] * 15 == found["is_suspended"].to_list()


def test_a_suspended_version_stays_suspended_and_the_next_begins_anew():
    rows = [
        ("a", 1, "2026-01", 100, 5),
        ("a", 1, "2026-02", 500, 400),
        ("a", 2, "2026-03", 40, 30),
        (SAMPLE, 0, "2025-12", 300, 15),
    ]
    found = looks(months(*rows), 100, SAMPLE, TODAY)
    assert told(found, "a", "rule_version", "verdict_code", "is_suspended") == [
        (1, NO_BETTER, True),
        (1, BEATS_CHANCE, True),
        (1, BEATS_CHANCE, True),
        (2, TOO_FEW, False),
    ]


def test_a_month_that_has_not_ended_is_not_looked_at():
    found = looks(months(("a", 1, "2026-03", 10, 1), ("a", 1, "2026-04", 10, 1)), 100, SAMPLE, TODAY)
    assert found["month_on"].to_list() == [date(2026, 3, 1)]
    assert looks(months(("a", 1, "2026-04", 10, 1)), 100, SAMPLE, TODAY).is_empty()


def test_without_a_sample_nothing_can_be_said():
    found = looks(months(("a", 1, "2026-01", 900, 800)), 100, SAMPLE, TODAY)
    assert set(found["verdict_code"]) == {TOO_FEW}


def test_a_useless_rule_is_hardly_ever_kept_and_a_good_one_hardly_ever_suspended():
    assert share_kept(rule_share=0.05, base_share=0.05, seeds=200) <= 0.02
    assert share_kept(rule_share=0.35, base_share=0.05, seeds=200) >= 0.99
