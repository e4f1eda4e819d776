"""What suites share about time: comparing a day with what was published of earlier days, and dates with the clock. No suite is
declared here."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from groningen_data.gate.suite import BatchFacts, Past

Arguments = Callable[[BatchFacts], Mapping[str, Any] | None]

_WEEKS = 8


def than_the_week_before(table: str, source: str, measure: str, unusual: str, at_least: int = 3) -> Arguments:
    """An unexpected-rows query that compares a day's measure with its median over the seven days before.

    Args:
        table: The published table of the batch, with `local_date`.
        source: Its column that the second part of a batch key is about.
        measure: SQL aggregate over the rows of a day.
        unusual: SQL condition on `today` and `usual` under which the day is unusual.
        at_least: How many such days there must be; with fewer the day passes.
    """
    return _than(table, source, measure, unusual, at_least, [timedelta(days=n) for n in range(1, 8)])


def than_same_weekdays(table: str, source: str, measure: str, unusual: str, at_least: int = 2) -> Arguments:
    """The same, over the same weekday of the eight weeks before."""
    return _than(table, source, measure, unusual, at_least, [timedelta(weeks=n) for n in range(1, _WEEKS + 1)])


def _than(table: str, source: str, measure: str, unusual: str, at_least: int, before: list[timedelta]) -> Arguments:
    def arguments(facts: BatchFacts) -> Mapping[str, Any] | None:
        if facts.day is None:
            return None
        code = facts.key.partition("/")[2].replace("'", "''")
        past = Past(table, "local_date", f"{source} = '{code}'", measure, tuple(facts.day - ago for ago in before))
        return unusual_rows(facts, past, unusual, at_least)

    return arguments


def unusual_rows(facts: BatchFacts, past: Past, unusual: str, at_least: int) -> Mapping[str, Any]:
    """The arguments of an unexpected-rows query that compares a batch's measure with its median over earlier days.

    Args:
        facts: The batch.
        past: The measure, and the days.
        unusual: SQL condition on `today` and `usual` under which the batch is unusual.
        at_least: How many such days there must be; with fewer the batch passes.
    """
    return {
        "unexpected_rows_query": f"SELECT today, usual FROM (SELECT {past.measure} AS today FROM {{batch}}) t, "
        f"(SELECT median(measured) AS usual, count(measured) AS days FROM ({facts.measured(past)})) p "
        f"WHERE days >= {at_least} AND ({unusual})"
    }


def recent(column: str, days: int) -> Arguments:
    """Bounds on the maximum of a date column: its latest day is at most so many days ago."""

    def arguments(facts: BatchFacts) -> Mapping[str, Any]:
        return {"column": column, "min_value": (facts.now.date() - timedelta(days=days)).isoformat()}

    return arguments


def not_after_today(column: str, days: int = 0) -> Arguments:
    """Bounds on the maximum of a date column: its latest day is today at most, or so many days later."""

    def arguments(facts: BatchFacts) -> Mapping[str, Any]:
        return {"column": column, "max_value": (facts.now.date() + timedelta(days=days)).isoformat()}

    return arguments


def not_after_now(instant: str) -> Arguments:
    """An unexpected-rows query that fails when more than one row in twenty lies after the logical clock."""

    def arguments(facts: BatchFacts) -> Mapping[str, Any] | None:
        late = f"{instant} > TIMESTAMPTZ '{facts.now + timedelta(hours=1):%Y-%m-%d %H:%M:%S+00}'"
        return {
            "unexpected_rows_query": f"SELECT count(*) FROM {{batch}} HAVING count(*) FILTER (WHERE {late}) > 0.05 * count(*)"
        }

    return arguments
