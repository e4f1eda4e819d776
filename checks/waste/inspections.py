"""Suite of the inspections: one month."""

from collections.abc import Callable, Mapping
from typing import Any

from checks.past import not_after_now
from groningen_data.gate.suite import BatchFacts, Expectation


def _than_earlier_months(measure: str, unusual: str) -> Callable[[BatchFacts], Mapping[str, Any]]:
    """Compares a measure of the month with the median of the months published before it, of which there must be three."""

    def arguments(facts: BatchFacts) -> Mapping[str, Any]:
        month = facts.key.replace("'", "''")
        return {
            "unexpected_rows_query": f"SELECT today, usual FROM (SELECT {measure} AS today FROM {{batch}}) t, "
            f"(SELECT median(measured) AS usual, count(measured) AS months FROM (SELECT {measure} AS measured FROM "
            f"lake.core.waste_inspections WHERE month < '{month}' GROUP BY month ORDER BY month DESC LIMIT 12)) p "
            f"WHERE months >= 3 AND ({unusual})"
        }

    return arguments


def _until_lately(facts: BatchFacts) -> Mapping[str, Any] | None:
    """Of the current month only: the last inspection is at most two weeks old."""
    if facts.key != f"{facts.now:%Y-%m}":
        return None
    return {
        "unexpected_rows_query": f"SELECT max(inspected_on) FROM {{batch}} HAVING max(inspected_on) < DATE '{facts.now:%Y-%m-%d}' - 14"
    }


SUITE = (
    Expectation(
        "usual_volume_a_day",
        "unexpected_rows_expectation",
        "About as many inspections were made per day as in earlier months.",
        severity="warning",
        kwargs=_than_earlier_months("count(*) / count(DISTINCT inspected_on)", "today NOT BETWEEN 0.5 * usual AND 2 * usual"),
    ),
    Expectation(
        "usual_share_of_waste_beside",
        "unexpected_rows_expectation",
        "Waste stood beside the containers about as often as in earlier months.",
        severity="warning",
        kwargs=_than_earlier_months("avg(is_waste_beside::INTEGER)", "abs(today - usual) > 0.15"),
    ),
    Expectation(
        "usual_bulky_items",
        "unexpected_rows_expectation",
        "About as many bulky items were counted per inspection as in earlier months.",
        severity="warning",
        kwargs=_than_earlier_months("avg(bulky_items)", "today > 3 * usual OR today < usual / 3"),
    ),
    Expectation(
        "believable_share_of_waste_beside",
        "unexpected_rows_expectation",
        "Waste does not stand beside the containers nowhere, nor everywhere.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT avg(is_waste_beside::INTEGER) FROM {batch} HAVING count(*) >= 50 "
            "AND avg(is_waste_beside::INTEGER) NOT BETWEEN 0.01 AND 0.95"
        },
    ),
    Expectation(
        "believable_bulky_items",
        "expect_column_values_to_be_between",
        "Hardly any inspection counted more than 20 bulky items.",
        severity="warning",
        kwargs={"column": "bulky_items", "max_value": 20, "mostly": 0.99},
    ),
    Expectation(
        "bulky_items_are_counted",
        "expect_column_values_to_not_be_null",
        "Nearly every inspection counted the bulky items.",
        severity="warning",
        kwargs={"column": "bulky_items", "mostly": 0.8},
    ),
    Expectation(
        "missing_counts_say_why",
        "unexpected_rows_expectation",
        "A number of bulky items that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (bulky_items IS NULL) <> (bulky_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "causes_belong_to_waste",
        "unexpected_rows_expectation",
        "Hardly any inspection names a cause where no waste stood.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING "
            "count(*) FILTER (WHERE cause_code IS NOT NULL AND NOT is_waste_beside) > 0.05 * count(*)"
        },
    ),
    Expectation(
        "bulky_waste_is_waste_beside",
        "unexpected_rows_expectation",
        "Where bulky items were counted, waste stood beside the containers.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING "
            "count(*) FILTER (WHERE bulky_items > 0 AND NOT is_waste_beside) > 0.02 * count(*)"
        },
    ),
    Expectation(
        "inspected_by_day",
        "unexpected_rows_expectation",
        "Hardly any inspection was made at night; many mean a wrong clock.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE local_hour < 5 OR local_hour > 22) > 0.05 * count(*)"
        },
    ),
    Expectation(
        "containers_are_known",
        "unexpected_rows_expectation",
        "Nearly all inspected containers are listed by a registry.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE container_code IS NOT NULL HAVING count(*) FILTER "
            "(WHERE container_code NOT IN (SELECT container_code FROM lake.core.waste_containers)) > 0.05 * count(*)"
        },
    ),
    Expectation(
        "inspections_have_a_place",
        "expect_column_values_to_not_be_null",
        "Nearly every inspection says where it was made.",
        severity="warning",
        kwargs={"column": "longitude", "mostly": 0.9},
    ),
    Expectation(
        "placed_inspections_have_a_neighbourhood",
        "unexpected_rows_expectation",
        "An inspection inside the municipality lies in exactly one known neighbourhood.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (location_status = 'inside') <> (neighbourhood_code IS NOT NULL) "
            "OR neighbourhood_code NOT IN (SELECT neighbourhood_code FROM lake.core.reference_neighbourhoods)"
        },
    ),
    Expectation(
        "inspections_go_on",
        "unexpected_rows_expectation",
        "The last inspection of the current month is at most two weeks old.",
        severity="warning",
        kwargs=_until_lately,
    ),
    Expectation(
        "not_in_the_future",
        "unexpected_rows_expectation",
        "Hardly any inspection is later than now: otherwise clocks are wrong.",
        kwargs=not_after_now("inspected_at"),
    ),
)
