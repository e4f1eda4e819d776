"""Suite of the bias audit."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "every_group_is_audited",
        "unexpected_rows_expectation",
        "Each group that was counted, other than a reference group, is judged by every measure.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT count(*) AS here FROM {batch}) h, "
            "(SELECT 3 * count(*) FILTER (NOT is_reference) AS counted FROM lake.core.welfare_audit_counts) c WHERE here <> counted"
        },
    ),
    Expectation(
        "verdicts_follow_from_intervals",
        "unexpected_rows_expectation",
        "A breach has an interval on one side of 1, and a ratio lies in its interval.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE is_breach <> (verdict_code = 'breach') "
            "OR (is_breach AND ratio_lower <= 1 AND ratio_upper >= 1) OR ratio < ratio_lower OR ratio > ratio_upper"
        },
    ),
    Expectation(
        "judged_ratios_have_intervals",
        "unexpected_rows_expectation",
        "Whatever is judged has an interval, and what is withheld has no figure at all.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE "
            "(verdict_code IN ('breach', 'alike', 'inconclusive')) <> (ratio_lower IS NOT NULL AND ratio_upper IS NOT NULL) "
            "OR (verdict_code = 'withheld' AND ratio IS NOT NULL)"
        },
    ),
    Expectation(
        "most_groups_can_be_judged",
        "unexpected_rows_expectation",
        "In the last period more than half of each process's comparisons can be made; otherwise it selects too few people to audit.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT process_code FROM {batch} WHERE measure_code <> 'duration' "
            "AND period_end_on = (SELECT max(period_end_on) FROM {batch}) GROUP BY process_code "
            "HAVING count(*) FILTER (verdict_code = 'withheld') > 0.5 * count(*)"
        },
    ),
)
