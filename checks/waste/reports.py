"""Suite of the public-space reports."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "every_listed_report_once",
        "unexpected_rows_expectation",
        "Every report that the reporting system knows is here; where it is not asked, every report of its daily lists.",
        kwargs={
            "unexpected_rows_query": "SELECT report_id FROM (SELECT report_id FROM lake.core.waste_report_states "
            "WHERE NOT is_parent AND NOT is_removed UNION SELECT report_id FROM lake.core.waste_open_reports "
            "WHERE (SELECT count(*) FROM lake.core.waste_report_states) = 0) k "
            "WHERE report_id NOT IN (SELECT report_id FROM {batch})"
        },
    ),
    Expectation(
        "no_report_of_nowhere",
        "unexpected_rows_expectation",
        "Every report here is known to the reporting system, or stood in one of its daily lists.",
        kwargs={
            "unexpected_rows_query": "SELECT report_id FROM {batch} WHERE report_id NOT IN "
            "(SELECT report_id FROM lake.core.waste_report_states UNION SELECT report_id FROM lake.core.waste_open_reports)"
        },
    ),
    Expectation(
        "closed_after_last_seen",
        "unexpected_rows_expectation",
        "A report is closed on or after the day it was made, where that is inferred after the last day on which it was listed; "
        "open reports are not closed.",
        kwargs={
            "unexpected_rows_query": "SELECT report_id FROM {batch} WHERE closed_on < created_on "
            "OR (is_closing_inferred AND closed_on <= last_seen_on) OR (closed_on IS NULL) <> is_open"
        },
    ),
    Expectation(
        "seen_after_made",
        "unexpected_rows_expectation",
        "A report is first listed on or after the day it was made.",
        kwargs={"unexpected_rows_query": "SELECT report_id FROM {batch} WHERE first_seen_on < created_on"},
    ),
)
