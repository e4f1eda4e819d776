"""Suite of the waste containers: one registry."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "as_many_as_before",
        "unexpected_rows_expectation",
        "The registry lists about as many containers as it did before; half of them missing means a cut-off answer.",
        kwargs={
            "unexpected_rows_query": "SELECT b.n FROM (SELECT count(*) AS n FROM {batch}) b, (SELECT count(*) AS n FROM "
            "lake.core.waste_containers WHERE source_code = (SELECT min(source_code) FROM {batch})) p WHERE b.n < 0.5 * p.n"
        },
    ),
    Expectation(
        "hardly_fewer_than_before",
        "unexpected_rows_expectation",
        "Not more than one container in ten left the registry or came into it at once.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT b.n FROM (SELECT count(*) AS n FROM {batch}) b, (SELECT count(*) AS n FROM "
            "lake.core.waste_containers WHERE source_code = (SELECT min(source_code) FROM {batch})) p "
            "WHERE p.n > 0 AND (b.n < 0.9 * p.n OR b.n > 1.1 * p.n)"
        },
    ),
    Expectation(
        "containers_have_a_place",
        "expect_column_values_to_not_be_null",
        "Nearly every container says where it is.",
        severity="warning",
        kwargs={"column": "longitude", "mostly": 0.95},
    ),
    Expectation(
        "some_containers_have_a_place",
        "unexpected_rows_expectation",
        "At least half of the containers say where they are; otherwise the registry is of no use.",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(longitude) < 0.5 * count(*)"},
    ),
    Expectation(
        "containers_lie_in_the_netherlands",
        "unexpected_rows_expectation",
        "Containers lie in the Netherlands.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE longitude NOT BETWEEN 3.2 AND 7.3 OR latitude NOT BETWEEN 50.7 AND 53.8"
        },
    ),
    Expectation(
        "containers_lie_together",
        "unexpected_rows_expectation",
        "No container lies more than half a degree from the middle of its registry: such a point is of another city.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT b.container_code FROM {batch} b CROSS JOIN (SELECT median(longitude) AS x, "
            "median(latitude) AS y FROM {batch}) m WHERE abs(b.longitude - m.x) > 0.5 OR abs(b.latitude - m.y) > 0.5"
        },
    ),
    Expectation(
        "fractions_are_filled_in",
        "expect_column_values_to_not_be_null",
        "Nearly every container says which waste it takes.",
        severity="warning",
        kwargs={"column": "fraction_code", "mostly": 0.98},
    ),
    Expectation(
        "fractions_are_known",
        "unexpected_rows_expectation",
        "Hardly any container takes a kind of waste that data/reference/waste_fractions.csv does not know.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE fraction_code = 'other') > 0.05 * count(*)"
        },
    ),
    Expectation(
        "missing_fractions_say_why",
        "unexpected_rows_expectation",
        "A fraction that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (fraction_code IS NULL) <> (fraction_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "placed_containers_have_a_neighbourhood",
        "unexpected_rows_expectation",
        "A container inside the municipality lies in exactly one known neighbourhood.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (location_status = 'inside') <> (neighbourhood_code IS NOT NULL) "
            "OR neighbourhood_code NOT IN (SELECT neighbourhood_code FROM lake.core.reference_neighbourhoods)"
        },
    ),
)
