"""Suite of the bicycle counts: one month of one counter."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from checks.past import not_after_now
from groningen_data.gate.suite import BatchFacts, Expectation

_TABLE = "core.traffic_bicycle_counts"
_PER_DAY = "sum(bicycles) / count(DISTINCT local_date)"


def _than_earlier_months(measure: str, unusual: str, only: str = "true") -> Callable[[BatchFacts], Mapping[str, Any]]:
    """Compares a measure of the month with the median of the twelve months of the counter before it, of which there must be three."""

    def arguments(facts: BatchFacts) -> Mapping[str, Any]:
        month, _, counter = facts.key.replace("'", "''").partition("/")
        return {
            "unexpected_rows_query": f"SELECT today, usual FROM (SELECT {measure} AS today FROM {{batch}} WHERE {only}) t, "
            f"(SELECT median(measured) AS usual, count(measured) AS months FROM (SELECT {measure} AS measured FROM lake.{_TABLE} "
            f"WHERE month_code < '{month}' AND counter_id = '{counter}' AND {only} GROUP BY month_code "
            f"ORDER BY month_code DESC LIMIT 12)) p WHERE months >= 3 AND ({unusual})"
        }

    return arguments


def _lately(facts: BatchFacts) -> Mapping[str, Any] | None:
    """Of the current month only: the last count is at most two weeks old."""
    if not facts.key.startswith(f"{facts.now:%Y-%m}/"):
        return None
    return {
        "unexpected_rows_query": f"SELECT max(local_date) FROM {{batch}} HAVING max(local_date) < DATE '{facts.now:%Y-%m-%d}' - 14"
    }


def _whole_month(facts: BatchFacts) -> Mapping[str, Any] | None:
    """Of months that are over only: every day is there."""
    if facts.key[:7] >= f"{facts.now:%Y-%m}":
        return None
    first = date.fromisoformat(f"{facts.key[:7]}-01")
    return {
        "unexpected_rows_query": "SELECT count(DISTINCT local_date) FROM {batch} "
        f"HAVING count(DISTINCT local_date) < day(last_day(DATE '{first}'))"
    }


SUITE = (
    Expectation(
        "usual_rows_a_day",
        "unexpected_rows_expectation",
        "A day has about as many rows as in earlier months.",
        severity="warning",
        kwargs=_than_earlier_months("count(*) / count(DISTINCT local_date)", "today NOT BETWEEN 0.8 * usual AND 1.25 * usual"),
    ),
    Expectation(
        "whole_month",
        "unexpected_rows_expectation",
        "A month that is over has all its days.",
        severity="warning",
        kwargs=_whole_month,
    ),
    Expectation(
        "most_counts_are_there",
        "expect_column_values_to_not_be_null",
        "Nearly every interval holds a count.",
        severity="warning",
        kwargs={"column": "bicycles", "mostly": 0.95},
    ),
    Expectation(
        "missing_counts_say_why",
        "unexpected_rows_expectation",
        "A count that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (bicycles IS NULL) <> (bicycles_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "both_directions",
        "unexpected_rows_expectation",
        "Every interval has both directions.",
        kwargs={
            "unexpected_rows_query": "SELECT interval_start_at FROM {batch} GROUP BY ALL HAVING count(DISTINCT direction_code) <> 2"
        },
    ),
    Expectation(
        "believable_day",
        "unexpected_rows_expectation",
        "No counter counts more than 60,000 bicycles a day.",
        kwargs={"unexpected_rows_query": "SELECT local_date FROM {batch} GROUP BY ALL HAVING sum(bicycles) > 60000"},
    ),
    Expectation(
        "counts_differ",
        "unexpected_rows_expectation",
        "Counts differ: one and the same value in a hundred intervals means a stuck counter.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(bicycles) >= 100 AND count(DISTINCT bicycles) < 3"
        },
    ),
    Expectation(
        "no_silent_days",
        "unexpected_rows_expectation",
        "On every day somebody cycles past; a day without means that the counter fell silent.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT local_date FROM {batch} GROUP BY ALL HAVING coalesce(sum(bicycles), 0) = 0"},
    ),
    Expectation(
        "busier_by_day_than_at_night",
        "unexpected_rows_expectation",
        "By day more people cycle than between 1 and 5 o'clock; otherwise the clock is wrong.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT 1 FROM {batch} HAVING avg(bicycles) FILTER (WHERE local_hour BETWEEN 1 AND 4) "
            "> avg(bicycles) FILTER (WHERE local_hour BETWEEN 8 AND 18)"
        },
    ),
    Expectation(
        "morning_rush_at_its_hour",
        "unexpected_rows_expectation",
        "On working days the busiest hour of the morning begins at 7 or 8; another one means that the clock is an hour off.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "WITH hours AS (SELECT local_hour, sum(bicycles) AS n FROM {batch} "
            "WHERE weekday <= 5 AND local_hour BETWEEN 5 AND 11 GROUP BY local_hour) "
            "SELECT arg_max(local_hour, n) FROM hours HAVING sum(n) >= 1000 AND arg_max(local_hour, n) NOT IN (7, 8)"
        },
    ),
    Expectation(
        "like_earlier_months",
        "unexpected_rows_expectation",
        "About as many bicycles pass on a day as in earlier months, as far as the season allows.",
        severity="warning",
        kwargs=_than_earlier_months(_PER_DAY, "today NOT BETWEEN 0.4 * usual AND 2.5 * usual"),
    ),
    Expectation(
        "working_days_like_earlier_months",
        "unexpected_rows_expectation",
        "About as many bicycles pass on a Tuesday as in earlier months, as far as the season allows.",
        severity="warning",
        kwargs=_than_earlier_months(_PER_DAY, "today NOT BETWEEN 0.4 * usual AND 2.5 * usual", only="weekday = 2"),
    ),
    Expectation(
        "directions_like_earlier_months",
        "unexpected_rows_expectation",
        "The main direction has about the same share as in earlier months; otherwise a sensor fell silent or they were swapped.",
        severity="warning",
        kwargs=_than_earlier_months(
            "sum(bicycles) FILTER (WHERE direction_code = 'main') / nullif(sum(bicycles), 0)", "abs(today - usual) > 0.2"
        ),
    ),
    Expectation(
        "counter_is_known",
        "unexpected_rows_expectation",
        "The counter is in the list of counters, so that its place is known.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT DISTINCT counter_id FROM {batch} "
            "WHERE counter_id NOT IN (SELECT counter_id FROM lake.core.traffic_bicycle_counters)"
        },
    ),
    Expectation(
        "counts_go_on",
        "unexpected_rows_expectation",
        "The last count of the current month is at most two weeks old.",
        severity="warning",
        kwargs=_lately,
    ),
    Expectation(
        "not_in_the_future",
        "unexpected_rows_expectation",
        "Hardly any interval is later than now: otherwise clocks are wrong.",
        kwargs=not_after_now("interval_start_at"),
    ),
)
