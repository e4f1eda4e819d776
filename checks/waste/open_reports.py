"""Suite of the open public-space reports: the snapshot of one day."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from checks.past import unusual_rows
from checks.reports import SHARED
from groningen_data.gate.suite import BatchFacts, Expectation, Past, usual_volume


def _made_before_the_day_ended(facts: BatchFacts) -> dict[str, object] | None:
    if facts.day is None:
        return None
    return {"column": "created_on", "max_value": facts.day.isoformat()}


def _share_like_the_week_before(condition: str, away: float) -> Any:
    """An unexpected-rows query: is the share of reports of a kind far from its median over the seven lists before?"""

    def arguments(facts: BatchFacts) -> Mapping[str, Any] | None:
        if facts.day is None:
            return None
        days = tuple(facts.day - timedelta(days=n) for n in range(1, 8))
        past = Past("core.waste_open_reports", "snapshot_on", "true", f"avg(({condition})::INTEGER)", days)
        return unusual_rows(facts, past, f"abs(today - usual) > {away}", at_least=3)

    return arguments


SUITE = (
    Expectation(
        "usual_volume",
        "expect_table_row_count_to_be_between",
        "About as many reports are open as on earlier days.",
        kwargs=usual_volume(0.4, 2.5),
    ),
    Expectation(
        "not_made_in_the_future",
        "expect_column_max_to_be_between",
        "No report was made after the day of the snapshot.",
        kwargs=_made_before_the_day_ended,
    ),
    *SHARED,
    Expectation(
        "new_reports_arrive",
        "unexpected_rows_expectation",
        "Some report is less than two weeks old; otherwise the system stopped taking reports.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT max(created_on) FROM {batch} HAVING max(created_on) < max(snapshot_on) - 14"},
    ),
    Expectation(
        "as_much_waste_as_usual",
        "unexpected_rows_expectation",
        "The share of reports about waste is about that of the week before.",
        severity="warning",
        kwargs=_share_like_the_week_before("waste_kind IS NOT NULL", 0.2),
    ),
    Expectation(
        "as_many_inside_as_usual",
        "unexpected_rows_expectation",
        "The share of reports inside the municipality is about that of the week before.",
        severity="warning",
        kwargs=_share_like_the_week_before("location_status = 'inside'", 0.2),
    ),
    Expectation(
        "not_all_of_one_moment",
        "unexpected_rows_expectation",
        "Reports were made at many moments; otherwise the times are those of an import.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) >= 20 AND count(DISTINCT created_at) < 0.5 * count(*)"
        },
    ),
)
