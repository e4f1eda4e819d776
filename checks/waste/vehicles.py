"""Suite of the collection vehicles."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "some_are_in_service",
        "unexpected_rows_expectation",
        "At least one vehicle is in service.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE is_in_service) = 0"},
    ),
    Expectation(
        "believable_capacity",
        "unexpected_rows_expectation",
        "Vehicles carry on average between 1 and 20 tonnes.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT avg(capacity_kg) FROM {batch} HAVING avg(capacity_kg) NOT BETWEEN 1000 AND 20000"
        },
    ),
    Expectation(
        "fractions_are_known",
        "unexpected_rows_expectation",
        "Vehicles collect kinds of waste that data/reference/waste_fractions.csv knows.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE list_contains(string_split(fraction_codes, ','), 'other')"},
    ),
    Expectation(
        "depots_are_known",
        "unexpected_rows_expectation",
        "Every vehicle's depot is listed.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE depot_code NOT IN (SELECT depot_code FROM lake.core.waste_depots)"
        },
    ),
)
