"""Suite of the lists of the random sample."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "what_was_drawn_stands",
        "unexpected_rows_expectation",
        "No list that was written before has changed (lists of more than two years ago may be gone).",
        kwargs={
            "unexpected_rows_query": "SELECT p.month_on FROM lake.core.welfare_sample_cases p LEFT JOIN {batch} b USING (month_on, case_pseudonym) "
            "WHERE b.is_drawn IS DISTINCT FROM p.is_drawn AND EXISTS (SELECT 1 FROM {batch} x WHERE x.month_on <= p.month_on)"
        },
    ),
    Expectation(
        "chance_gets_its_share",
        "unexpected_rows_expectation",
        "In every month at least a fifth of the planned checks is left to chance, as far as there are cases.",
        kwargs={
            "unexpected_rows_query": "SELECT month_on FROM {batch} GROUP BY month_on HAVING count(*) FILTER (WHERE is_drawn) "
            "< least(count(*), 0.2 * any_value(planned_checks))"
        },
    ),
    Expectation(
        "a_month_is_drawn_in_one_go",
        "unexpected_rows_expectation",
        "A month has one day of drawing, within the month.",
        kwargs={
            "unexpected_rows_query": "SELECT month_on FROM {batch} GROUP BY month_on HAVING count(DISTINCT drawn_on) > 1 "
            "OR min(drawn_on) < month_on OR max(drawn_on) >= month_on + INTERVAL 1 MONTH"
        },
    ),
    Expectation(
        "chance_followed_a_commitment",
        "unexpected_rows_expectation",
        "Every draw was made later than its commitment was published.",
        kwargs={
            "unexpected_rows_query": "SELECT DISTINCT b.month_on FROM {batch} b LEFT JOIN lake.collective.random_sample_commitments c USING (month_on) "
            "WHERE coalesce(c.committed_on, DATE '9999-12-31') >= b.drawn_on"
        },
    ),
)
