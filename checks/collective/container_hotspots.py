"""Suite of the mart of hotspots."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "only_what_stands_out",
        "unexpected_rows_expectation",
        "Every hotspot has more than was expected, and is more than chance after correction for all comparisons.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE q_value > 0.05 OR p_value > q_value OR observed <= expected "
            "OR observed > trials"
        },
    ),
    Expectation(
        "causes_have_evidence",
        "unexpected_rows_expectation",
        "A likely cause was seen more often than expected, and no oftener than waste was; without one there is no evidence.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (likely_cause_code = 'unexplained') <> (cause_observed IS NULL) "
            "OR cause_observed > observed OR cause_observed <= cause_expected"
        },
    ),
    Expectation(
        "periods_end_on_sunday",
        "unexpected_rows_expectation",
        "A period ends on a Sunday of its month.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE isodow(period_end_on) <> 7 OR date_trunc('month', period_end_on) <> month"
        },
    ),
    Expectation(
        "containers_are_known",
        "unexpected_rows_expectation",
        "Every hotspot is a container that a registry places in the municipality.",
        kwargs={
            "unexpected_rows_query": "SELECT container_code FROM {batch} WHERE container_code NOT IN "
            "(SELECT container_code FROM lake.core.waste_containers WHERE location_status = 'inside')"
        },
    ),
    Expectation(
        "most_places_are_ordinary",
        "unexpected_rows_expectation",
        "Of the containers that inspections or reports compare, at most a third is listed: otherwise what is expected is wrong.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT period_end_on, test_code FROM {batch} WHERE test_code <> 'weekday' GROUP BY ALL "
            "HAVING count(*) > max(comparisons) / 3"
        },
    ),
)
