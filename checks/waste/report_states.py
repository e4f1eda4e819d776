"""Suite of the state of the public-space reports: everything that landed of them."""

from checks.reports import SHARED
from groningen_data.gate.suite import BatchFacts, Expectation


def _not_after_now(facts: BatchFacts) -> dict[str, object]:
    return {
        "unexpected_rows_query": f"SELECT report_id FROM {{batch}} WHERE created_at > TIMESTAMPTZ '{facts.now}' + INTERVAL 1 DAY"
    }


def _updated_lately(facts: BatchFacts) -> dict[str, object]:
    return {
        "unexpected_rows_query": f"SELECT max(updated_at) FROM {{batch}} HAVING max(updated_at) < TIMESTAMPTZ '{facts.now}' "
        "- INTERVAL 3 DAY"
    }


SUITE = (
    Expectation(
        "not_made_in_the_future",
        "unexpected_rows_expectation",
        "No report was made later than now.",
        kwargs=_not_after_now,
    ),
    *SHARED,
    Expectation(
        "closed_says_when",
        "unexpected_rows_expectation",
        "A report that is closed says since when, and one that is open does not.",
        kwargs={
            "unexpected_rows_query": "SELECT report_id FROM {batch} WHERE is_closed <> (closed_at IS NOT NULL) "
            "OR is_closed <> (closed_on IS NOT NULL)"
        },
    ),
    Expectation(
        "updated_lately",
        "unexpected_rows_expectation",
        "Some report was updated in the last three days; otherwise the system stopped, or we no longer see its reports.",
        severity="warning",
        kwargs=_updated_lately,
    ),
    Expectation(
        "few_are_removed",
        "unexpected_rows_expectation",
        "Few reports are given a category that we may not see; otherwise our rights at the source were taken away.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE is_removed) > 0.2 * count(*)"
        },
    ),
)
