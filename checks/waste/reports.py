"""Suite of the public-space reports."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "every_listed_report_once",
        "unexpected_rows_expectation",
        "Every report of the daily snapshots is here, once.",
        kwargs={
            "unexpected_rows_query": "SELECT n.listed FROM (SELECT count(DISTINCT report_id) AS listed FROM lake.core.waste_open_reports) n, "
            "(SELECT count(*) AS here FROM {batch}) h WHERE n.listed <> h.here"
        },
    ),
    Expectation(
        "closed_after_last_seen",
        "unexpected_rows_expectation",
        "A report is closed after the last day on which it was listed, and open reports are not closed.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE closed_on <= last_seen_on OR (closed_on IS NULL) <> is_open"
        },
    ),
    Expectation(
        "seen_after_made",
        "unexpected_rows_expectation",
        "A report is first listed on or after the day it was made.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE first_seen_on < created_on"},
    ),
)
