"""Suite of the mart of how long waste reports stay open."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "late_reports_are_judged_reports",
        "unexpected_rows_expectation",
        "No more reports are late than can be judged, and no more can be judged than there are.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE open_over_7_days > judged_reports OR judged_reports > reports"
        },
    ),
    Expectation(
        "no_report_counts_twice",
        "unexpected_rows_expectation",
        "The days together have no more reports than there are.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT coalesce(sum(reports), 0) AS here FROM {batch}) h, "
            "(SELECT count(*) AS listed FROM lake.core.waste_reports WHERE waste_kind IS NOT NULL) l WHERE here > listed"
        },
    ),
    Expectation(
        "days_are_judged_whole",
        "unexpected_rows_expectation",
        "All reports of a day are judged, or none; those made more than two weeks before the last one are.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE judged_reports NOT IN (0, reports) "
            "OR (judged_reports = 0 AND created_on < (SELECT max(created_on) FROM {batch}) - 14)"
        },
    ),
    Expectation(
        "most_reports_are_in_time",
        "unexpected_rows_expectation",
        "Fewer than half of the reports stay open for longer than a week; otherwise closing is not recorded.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT sum(open_over_7_days) FROM {batch} "
            "HAVING sum(open_over_7_days) > 0.5 * sum(judged_reports) AND sum(judged_reports) > 100"
        },
    ),
)
