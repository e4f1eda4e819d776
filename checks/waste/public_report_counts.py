"""Suite of the numbers of open public-space reports on the public map: those of one day."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from checks.past import unusual_rows
from checks.reports import SEVERAL_CATEGORIES
from groningen_data.gate.suite import BatchFacts, Expectation, Past


def _as_many_as_usual(facts: BatchFacts) -> Mapping[str, Any] | None:
    if facts.day is None:
        return None
    days = tuple(facts.day - timedelta(days=n) for n in range(1, 8))
    past = Past("core.waste_public_report_counts", "snapshot_on", "true", "sum(open_reports)", days)
    return unusual_rows(facts, past, "today NOT BETWEEN 0.4 * usual AND 2.5 * usual", at_least=3)


SUITE = (
    Expectation(
        "usual_number",
        "unexpected_rows_expectation",
        "About as many reports are open as in the week before.",
        kwargs=_as_many_as_usual,
    ),
    Expectation(
        "placed_reports_have_a_neighbourhood",
        "unexpected_rows_expectation",
        "Reports inside the municipality lie in exactly one known neighbourhood.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (location_status = 'inside') <> (neighbourhood_code IS NOT NULL) "
            "OR neighbourhood_code NOT IN (SELECT neighbourhood_code FROM lake.core.reference_neighbourhoods)"
        },
    ),
    Expectation(
        "nearly_every_report_has_a_place",
        "unexpected_rows_expectation",
        "Nearly every report on the map has a place; otherwise the map changed.",
        kwargs={
            "unexpected_rows_query": "SELECT sum(open_reports) FROM {batch} HAVING "
            "coalesce(sum(open_reports) FILTER (WHERE location_status = 'no_location'), 0) > 0.1 * sum(open_reports)"
        },
    ),
    Expectation(
        "most_reports_lie_inside",
        "unexpected_rows_expectation",
        "Most reports lie in the municipality; if not, it is the map of another one.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT sum(open_reports) FROM {batch} HAVING "
            "coalesce(sum(open_reports) FILTER (WHERE location_status = 'inside'), 0) < 0.5 * sum(open_reports)"
        },
    ),
    SEVERAL_CATEGORIES,
    Expectation(
        "waste_is_among_them",
        "unexpected_rows_expectation",
        "Some reports are about waste; none at all means that its categories changed, or are no longer public.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(waste_kind) = 0"},
    ),
    Expectation(
        "new_reports_arrive",
        "unexpected_rows_expectation",
        "Some report is less than two weeks old; otherwise the map stands still.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT max(newest_created_on) FROM {batch} "
            "HAVING max(newest_created_on) < max(snapshot_on) - 14"
        },
    ),
)
