"""Suite of the mart of approaches of intersections."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "every_site_has_an_intersection",
        "unexpected_rows_expectation",
        "Every registered site in the municipality is an approach of one intersection.",
        kwargs={
            "unexpected_rows_query": "SELECT site_id FROM lake.core.traffic_sites WHERE location_status = 'inside' "
            "AND site_id NOT IN (SELECT site_id FROM {batch})"
        },
    ),
    Expectation(
        "an_intersection_has_one_name_and_place",
        "unexpected_rows_expectation",
        "All approaches of an intersection tell the same of it.",
        kwargs={
            "unexpected_rows_query": "SELECT intersection_code FROM {batch} GROUP BY ALL "
            "HAVING count(DISTINCT (intersection_name, approaches, longitude, latitude)) > 1"
        },
    ),
    Expectation(
        "intersections_have_few_approaches",
        "unexpected_rows_expectation",
        "No intersection has more than eight measured approaches; otherwise crossings were taken together that are not one.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE approaches > 8"},
    ),
)
