"""What the waste suites share: comparing a day with what was published of earlier days. No suite is declared here."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from groningen_data.gate.suite import BatchFacts

Arguments = Callable[[BatchFacts], Mapping[str, Any] | None]


def than_earlier_days(table: str, measure: str, unusual: str, at_least: int = 3, same_weekday: bool = False) -> Arguments:
    """An unexpected-rows query that compares a day's measure with the median of the same source's earlier days.

    Args:
        table: The published table of the batch: `core.…`, with `local_date`, `weekday` and `source_code`.
        measure: SQL aggregate over the rows of a day.
        unusual: SQL condition on `today` and `usual` under which the day is unusual.
        at_least: How many earlier days there must be; with fewer the day passes.
        same_weekday: Whether only the same weekday of the eight weeks before counts, instead of the four weeks before.
    """

    def arguments(facts: BatchFacts) -> Mapping[str, Any] | None:
        if facts.day is None:
            return None
        source = facts.key.partition("/")[2].replace("'", "''")
        first = facts.day - timedelta(days=56 if same_weekday else 28)
        weekday = f" AND weekday = {facts.day.isoweekday()}" if same_weekday else ""
        return {
            "unexpected_rows_query": f"SELECT today, usual FROM (SELECT {measure} AS today FROM {{batch}}) t, "
            f"(SELECT median(measured) AS usual, count(measured) AS days FROM (SELECT {measure} AS measured FROM lake.{table} "
            f"WHERE local_date >= DATE '{first}' AND local_date < DATE '{facts.day}' AND source_code = '{source}'{weekday} "
            f"GROUP BY local_date)) p WHERE days >= {at_least} AND ({unusual})"
        }

    return arguments


def not_after_now(instant: str) -> Arguments:
    """An unexpected-rows query that fails when more than one row in twenty lies after the logical clock."""

    def arguments(facts: BatchFacts) -> Mapping[str, Any] | None:
        late = f"{instant} > TIMESTAMPTZ '{facts.now + timedelta(hours=1):%Y-%m-%d %H:%M:%S+00}'"
        return {
            "unexpected_rows_query": f"SELECT count(*) FROM {{batch}} HAVING count(*) FILTER (WHERE {late}) > 0.05 * count(*)"
        }

    return arguments
