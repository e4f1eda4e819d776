"""Suite of the mart of inflow per container and day."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "inflow_or_its_reason",
        "unexpected_rows_expectation",
        "A day has an inflow or a reason why not, never both.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (inflow_pct IS NULL) <> (inflow_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "matches_fit",
        "unexpected_rows_expectation",
        "No day matches more weighings than its fall of a level can explain, and every matched fall is an emptying.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE matched_weighings > 0 AND inferred_emptyings = 0"},
    ),
    Expectation(
        "most_days_are_known",
        "unexpected_rows_expectation",
        "At least half of the days on which a sensor sent levels have an inflow.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT count(*) FILTER (readings > 1) AS sent, count(inflow_pct) AS known "
            "FROM {batch}) WHERE known < 0.5 * sent"
        },
    ),
)
