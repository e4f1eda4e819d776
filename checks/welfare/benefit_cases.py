"""Suite of the benefit cases: one delivery of all cases."""

from checks.past import not_after_today, recent
from groningen_data.gate.stage import QUARANTINE
from groningen_data.gate.suite import Expectation

NUMBERS_ARE_VALID = Expectation(
    "numbers_are_valid",
    "unexpected_rows_expectation",
    "Every row came with a valid citizen service number; rows without one were left out before landing and must be delivered again.",
    severity="warning",
    kwargs={
        "unexpected_rows_query": f"SELECT q.row_number FROM {QUARANTINE} q WHERE list_contains(q.rules, 'row.service_number') "
        "AND EXISTS (SELECT 1 FROM {batch})"
    },
)
NO_STRAY_NUMBERS = Expectation(
    "no_stray_numbers",
    "unexpected_rows_expectation",
    "No field but its own held a citizen service number; such rows were left out before landing and must be delivered again.",
    severity="warning",
    kwargs={
        "unexpected_rows_query": f"SELECT q.row_number FROM {QUARANTINE} q WHERE list_contains(q.rules, 'row.stray_number') "
        "AND EXISTS (SELECT 1 FROM {batch})"
    },
)


SUITE = (
    NUMBERS_ARE_VALID,
    NO_STRAY_NUMBERS,
    Expectation(
        "not_half_of_the_cases",
        "unexpected_rows_expectation",
        "The delivery holds at least half as many cases as the one before; fewer means that it was cut off.",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} "
            "HAVING count(*) < 0.5 * (SELECT count(*) FROM lake.core.welfare_benefit_cases)"
        },
    ),
    Expectation(
        "usual_volume",
        "unexpected_rows_expectation",
        "The number of cases differs by less than a tenth from the delivery before.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) NOT BETWEEN "
            "0.9 * (SELECT count(*) FROM lake.core.welfare_benefit_cases) AND "
            "1.1 * (SELECT count(*) FROM lake.core.welfare_benefit_cases) "
            "AND (SELECT count(*) FROM lake.core.welfare_benefit_cases) > 0"
        },
    ),
    Expectation(
        "known_cases_are_there_again",
        "unexpected_rows_expectation",
        "Nearly all cases of the delivery before are there again; if not, another selection was delivered, or the key was replaced.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM lake.core.welfare_benefit_cases p "
            "LEFT JOIN {batch} b USING (case_pseudonym) HAVING count(b.started_on) < 0.9 * count(*)"
        },
    ),
    Expectation(
        "some_cases_run",
        "unexpected_rows_expectation",
        "Some cases have no end date; a delivery of ended cases only is not that of all cases.",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) = count(ended_on)"},
    ),
    Expectation(
        "some_cases_started_recently",
        "expect_column_max_to_be_between",
        "Some case started in the last two months; otherwise the delivery is an old one.",
        severity="warning",
        kwargs=recent("started_on", 62),
    ),
    Expectation(
        "no_case_starts_far_ahead",
        "expect_column_max_to_be_between",
        "No case starts more than half a year from now.",
        severity="warning",
        kwargs=not_after_today("started_on", 184),
    ),
    Expectation(
        "schemes_are_listed",
        "unexpected_rows_expectation",
        "Nearly every case is of a listed scheme; new ones belong in the list of welfare codes.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE benefit_code = 'unlisted') > 0.02 * count(*)"
        },
    ),
    Expectation(
        "reasons_are_listed",
        "unexpected_rows_expectation",
        "Nearly every reason of inflow and outflow is listed; new ones belong in the list of welfare codes.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE inflow_reason_code = 'unlisted' "
            "OR outflow_reason_code = 'unlisted') > 0.02 * count(*)"
        },
    ),
    Expectation(
        "ended_cases_say_why",
        "unexpected_rows_expectation",
        "Most ended cases have a reason of outflow, and running cases have none.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE (ended_on IS NULL) = "
            "(outflow_reason_code IS NOT NULL)) > 0.2 * count(*)"
        },
    ),
    Expectation(
        "most_cases_have_a_neighbourhood",
        "expect_column_values_to_not_be_null",
        "Nearly every case has a neighbourhood.",
        severity="warning",
        kwargs={"column": "neighbourhood_code", "mostly": 0.9},
    ),
    Expectation(
        "neighbourhoods_are_known",
        "unexpected_rows_expectation",
        "Nearly all neighbourhoods are on the map; if not, the codes are those of another year or municipality.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} b LEFT JOIN lake.core.reference_neighbourhoods n USING "
            "(neighbourhood_code) HAVING count(n.neighbourhood_name) < 0.95 * count(b.neighbourhood_code)"
        },
    ),
    Expectation(
        "nobody_has_dozens_of_cases",
        "unexpected_rows_expectation",
        "Nobody has more than 50 cases; more means one number was filled in for many.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM (SELECT count(*) AS cases FROM {batch} GROUP BY person_pseudonym) "
            "HAVING max(cases) > 50"
        },
    ),
)
