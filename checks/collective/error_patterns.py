"""Suite of the mart of error patterns."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "every_level_counts_every_case",
        "unexpected_rows_expectation",
        "Each level counts every case of its period, no more and no less.",
        kwargs={
            "unexpected_rows_query": "SELECT period_code FROM (SELECT period_code, level_code, sum(closed_cases) AS cases "
            "FROM {batch} GROUP BY ALL) GROUP BY period_code HAVING min(cases) <> max(cases)"
        },
    ),
    Expectation(
        "no_case_is_lost",
        "unexpected_rows_expectation",
        "The years together count every closed case.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT coalesce(sum(closed_cases), 0) AS here FROM {batch} "
            "WHERE level_code = 'total' AND period_code LIKE '%JJ00') h, "
            "(SELECT count(*) AS listed FROM lake.core.welfare_closed_cases) c WHERE here <> listed"
        },
    ),
    Expectation(
        "no_cause_takes_over",
        "unexpected_rows_expectation",
        "No cause is more than nine tenths of a quarter: then it was coded by default.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT period_code FROM {batch} WHERE level_code = 'cause' AND period_code LIKE '%KW%' "
            "GROUP BY period_code HAVING max(closed_cases) > 0.9 * sum(closed_cases) AND sum(closed_cases) >= 50"
        },
    ),
    Expectation(
        "causes_are_known",
        "unexpected_rows_expectation",
        "Fewer than a tenth of a quarter's cases have no known cause.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT period_code FROM {batch} WHERE level_code = 'cause' AND period_code LIKE '%KW%' "
            "GROUP BY period_code HAVING sum(closed_cases) FILTER (cause_code IN ('unknown', 'unlisted')) > 0.1 * sum(closed_cases)"
        },
    ),
)
