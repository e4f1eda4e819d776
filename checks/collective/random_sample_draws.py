"""Suite of the log of draws."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "no_seed_is_told_too_early",
        "unexpected_rows_expectation",
        "A seed is shown only when its month is over, and only the one that was committed to.",
        kwargs={
            "unexpected_rows_query": "SELECT month_on FROM {batch} WHERE (seed IS NOT NULL) <> (status_code IN ('revealed', 'not_drawn')) "
            "OR sha256(seed) <> commitment_sha256"
        },
    ),
    Expectation(
        "what_was_logged_stands",
        "unexpected_rows_expectation",
        "No draw that was logged before has another list, day or number now.",
        kwargs={
            "unexpected_rows_query": "SELECT p.month_on FROM lake.collective.random_sample_draws p LEFT JOIN {batch} b USING (month_on) WHERE p.drawn_on IS NOT NULL "
            "AND (b.list_sha256, b.drawn_on, b.drawn_cases) IS DISTINCT FROM (p.list_sha256, p.drawn_on, p.drawn_cases)"
        },
    ),
    Expectation(
        "every_month_is_drawn",
        "unexpected_rows_expectation",
        "Every month that passed was drawn, and no seed was lost.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT month_on, status_code FROM {batch} WHERE status_code IN ('not_drawn', 'seed_lost')"
        },
    ),
)
