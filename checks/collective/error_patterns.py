"""Suite of the mart of error patterns."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "no_level_counts_a_case_twice",
        "unexpected_rows_expectation",
        "No level counts more cases than its period has; those of combinations under ten are left out.",
        kwargs={
            "unexpected_rows_query": "SELECT period_code, level_code FROM (SELECT period_code, level_code, sum(closed_cases) AS cases "
            "FROM {batch} GROUP BY ALL), LATERAL (SELECT count(*) AS listed FROM lake.core.welfare_closed_cases "
            "WHERE year(closed_on) = left(period_code, 4)::INTEGER "
            "AND (period_code LIKE '%JJ00' OR quarter(closed_on) = right(period_code, 1)::INTEGER)) WHERE cases > listed"
        },
    ),
    Expectation(
        "no_case_is_lost",
        "unexpected_rows_expectation",
        "The quarters together count every closed case, other than those of quarters under ten.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT coalesce(sum(closed_cases), 0) AS here FROM {batch} "
            "WHERE level_code = 'total' AND period_code LIKE '%KW%') h, (SELECT coalesce(sum(cases), 0) AS listed FROM (SELECT count(*) AS cases "
            "FROM lake.core.welfare_closed_cases GROUP BY year(closed_on), quarter(closed_on)) WHERE cases >= 10) c WHERE here <> listed"
        },
    ),
    Expectation(
        "no_cause_takes_over",
        "unexpected_rows_expectation",
        "No cause is more than nine tenths of a quarter: then it was coded by default.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT period_code FROM {batch} WHERE level_code IN ('cause', 'total') AND period_code LIKE '%KW%' "
            "GROUP BY period_code HAVING max(closed_cases) FILTER (level_code = 'cause') > 0.9 * any_value(closed_cases) FILTER (level_code = 'total') "
            "AND any_value(closed_cases) FILTER (level_code = 'total') >= 50"
        },
    ),
    Expectation(
        "causes_are_known",
        "unexpected_rows_expectation",
        "Fewer than a tenth of a quarter's cases have no known cause.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT period_code FROM {batch} WHERE level_code IN ('cause', 'total') AND period_code LIKE '%KW%' "
            "GROUP BY period_code HAVING sum(closed_cases) FILTER (level_code = 'cause' AND cause_code IN ('unknown', 'unlisted')) "
            "> 0.1 * any_value(closed_cases) FILTER (level_code = 'total')"
        },
    ),
)
