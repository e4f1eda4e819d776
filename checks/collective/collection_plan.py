"""Suite of the plan of tomorrow's collection rounds."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "no_vehicle_is_overloaded",
        "unexpected_rows_expectation",
        "No vehicle carries more than it can; the search counts in whole kilograms, so half a kilogram per call may be more.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE load_so_far_kg > capacity_kg + 0.5 * call_number + 1"},
    ),
    Expectation(
        "no_container_is_emptied_twice",
        "unexpected_rows_expectation",
        "A container is emptied once a day at most.",
        kwargs={
            "unexpected_rows_query": "SELECT container_code FROM {batch} WHERE container_code IS NOT NULL "
            "GROUP BY container_code HAVING count(*) > 1"
        },
    ),
    Expectation(
        "a_vehicle_drives_one_round",
        "unexpected_rows_expectation",
        "A vehicle drives one round a day at most, of one fraction.",
        kwargs={
            "unexpected_rows_query": "SELECT vehicle_code FROM {batch} GROUP BY vehicle_code HAVING count(DISTINCT round_code) > 1"
        },
    ),
    Expectation(
        "rounds_end_empty_at_the_depot",
        "unexpected_rows_expectation",
        "A round ends at the depot, after it tipped its last load.",
        kwargs={
            "unexpected_rows_query": "SELECT round_code FROM {batch} GROUP BY round_code "
            "HAVING max_by(call_kind, call_number) <> 'depot' OR max_by(load_so_far_kg, call_number) <> 0"
        },
    ),
    Expectation(
        "calls_follow_each_other",
        "unexpected_rows_expectation",
        "The calls of a round are numbered without gaps, and each comes after the one before.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT round_code, call_number, arrival_at, "
            "row_number() OVER w AS place, lag(arrival_at) OVER w AS before FROM {batch} "
            "WINDOW w AS (PARTITION BY round_code ORDER BY call_number)) WHERE place <> call_number OR arrival_at < before"
        },
    ),
    Expectation(
        "containers_say_why",
        "unexpected_rows_expectation",
        "A stop at a container says why; the tipping site and the depot do not.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (call_kind = 'container') <> (container_code IS NOT NULL) "
            "OR (call_kind = 'container') <> (stop_reason_code IS NOT NULL) "
            "OR (stop_reason_code = 'fixed_day') <> (stop_reason_code IS NOT NULL AND overflow_probability IS NULL)"
        },
    ),
    Expectation(
        "levels_are_known",
        "unexpected_rows_expectation",
        "Fewer than half of the stops are made only because it is their fixed day; more means that no forecast is there.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE call_kind = 'container' "
            "HAVING count(*) FILTER (stop_reason_code = 'fixed_day') > 0.5 * count(*)"
        },
    ),
)
