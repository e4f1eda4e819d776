"""Suite of the emptyings: one local day of one weighing system's supplier."""

from checks.past import not_after_now, than_same_weekdays
from groningen_data.gate.suite import Expectation, usual_volume

_TABLE = "core.waste_emptyings"

SUITE = (
    Expectation(
        "usual_volume",
        "expect_table_row_count_to_be_between",
        "The day has emptyings in the numbers of earlier days; Sundays have few.",
        severity="warning",
        kwargs=usual_volume(0.1, 3.0),
    ),
    Expectation(
        "weighings_hold_a_weight",
        "unexpected_rows_expectation",
        "At least one weighing in five holds a weight; otherwise the scales are broken.",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(weight_kg) < 0.2 * count(*)"},
    ),
    Expectation(
        "few_weighings_without_weight",
        "unexpected_rows_expectation",
        "Fewer than one weighing in ten has no weight.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(weight_kg) < 0.9 * count(*)"},
    ),
    Expectation(
        "missing_weights_say_why",
        "unexpected_rows_expectation",
        "A weight that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (weight_kg IS NULL) <> (weight_missing_reason IS NOT NULL) "
            "OR (fraction_code IS NULL) <> (fraction_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "weights_follow_from_two_weighings",
        "unexpected_rows_expectation",
        "A weight is the first weight minus the second.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE abs(first_weight_kg - second_weight_kg - weight_kg) > 1"},
    ),
    Expectation(
        "few_weights_disagree",
        "unexpected_rows_expectation",
        "Hardly any weight contradicts the two weights it was made of.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING "
            "count(*) FILTER (WHERE weight_missing_reason = 'weights_disagree') > 0.01 * count(*)"
        },
    ),
    Expectation(
        "believable_mean_weight",
        "unexpected_rows_expectation",
        "An emptying weighs on average between 20 and 1,500 kg.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT avg(weight_kg) FROM {batch} HAVING avg(weight_kg) NOT BETWEEN 20 AND 1500"},
    ),
    Expectation(
        "few_extreme_weights",
        "expect_column_values_to_be_between",
        "Hardly any emptying weighs more than 3,000 kg.",
        severity="warning",
        kwargs={"column": "weight_kg", "max_value": 3000, "mostly": 0.99},
    ),
    Expectation(
        "containers_are_recognised",
        "unexpected_rows_expectation",
        "Vehicles recognise the container in at least half of the emptyings.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(container_codes) < 0.5 * count(*)"},
    ),
    Expectation(
        "containers_are_known",
        "unexpected_rows_expectation",
        "Nearly all recognised containers are listed by a registry.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE container_code IS NOT NULL HAVING count(*) FILTER "
            "(WHERE container_code NOT IN (SELECT container_code FROM lake.core.waste_containers)) > 0.05 * count(*)"
        },
    ),
    Expectation(
        "as_many_as_the_same_weekday",
        "unexpected_rows_expectation",
        "About as many containers were emptied as on the same weekday of earlier weeks.",
        severity="warning",
        kwargs=than_same_weekdays(_TABLE, "source_code", "count(*)", "today NOT BETWEEN 0.6 * usual AND 1.6 * usual"),
    ),
    Expectation(
        "as_heavy_as_the_same_weekday",
        "unexpected_rows_expectation",
        "An emptying weighed on average about as much as on the same weekday of earlier weeks.",
        severity="warning",
        kwargs=than_same_weekdays(_TABLE, "source_code", "avg(weight_kg)", "today NOT BETWEEN 0.7 * usual AND 1.4 * usual"),
    ),
    Expectation(
        "as_many_vehicles_as_the_same_weekday",
        "unexpected_rows_expectation",
        "Not less than half as many vehicles weighed as on the same weekday of earlier weeks.",
        severity="warning",
        kwargs=than_same_weekdays(_TABLE, "source_code", "count(DISTINCT vehicle_code)", "today < 0.5 * usual"),
    ),
    Expectation(
        "emptyings_until_the_usual_hour",
        "unexpected_rows_expectation",
        "The last emptying was about as late as on the same weekday of earlier weeks; otherwise the day was cut off.",
        severity="warning",
        kwargs=than_same_weekdays(_TABLE, "source_code", "max(local_hour)", "today < usual - 3"),
    ),
    Expectation(
        "most_lie_inside",
        "unexpected_rows_expectation",
        "Most emptyings are in the municipality; if not, the vehicles are those of another one.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE location_status = 'inside') < 0.5 * count(*)"
        },
    ),
    Expectation(
        "placed_emptyings_have_a_neighbourhood",
        "unexpected_rows_expectation",
        "An emptying inside the municipality lies in exactly one known neighbourhood.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (location_status = 'inside') <> (neighbourhood_code IS NOT NULL) "
            "OR neighbourhood_code NOT IN (SELECT neighbourhood_code FROM lake.core.reference_neighbourhoods)"
        },
    ),
    Expectation(
        "not_in_the_future",
        "unexpected_rows_expectation",
        "Hardly any emptying is later than now: otherwise clocks are wrong.",
        kwargs=not_after_now("emptied_at"),
    ),
)
