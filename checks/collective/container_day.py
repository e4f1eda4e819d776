"""Suite of the mart per container and day."""

from groningen_data.gate.suite import Expectation

# A weighing elsewhere, of a container that no registry places here, is another municipality's.
_WEIGHED = (
    "FROM lake.core.waste_emptyings e WHERE e.container_code IS NOT NULL AND (e.location_status <> 'outside_municipality' "
    "OR e.container_code IN (SELECT container_code FROM {batch} WHERE is_registered "
    "AND location_status <> 'outside_municipality')) "
    "AND e.local_date >= m.month AND e.local_date < m.month + INTERVAL 1 MONTH"
)

SUITE = (
    Expectation(
        "every_registered_container_each_day",
        "unexpected_rows_expectation",
        "Each day has every container of the municipality that a registry lists.",
        kwargs={
            "unexpected_rows_query": "SELECT b.local_date, n.listed FROM (SELECT local_date, count(*) FILTER (WHERE is_registered "
            "AND location_status <> 'outside_municipality') AS here FROM {batch} GROUP BY local_date) b, "
            "(SELECT count(DISTINCT container_code) AS listed FROM lake.core.waste_containers "
            "WHERE location_status <> 'outside_municipality' AND source_code IN (SELECT source_code FROM lake.core.waste_containers "
            "WHERE location_status = 'inside')) n WHERE b.here <> n.listed"
        },
    ),
    Expectation(
        "no_emptying_is_lost",
        "unexpected_rows_expectation",
        "The containers together were emptied as often as the vehicles weighed a single container of the municipality that month.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT sum(emptyings) AS here, min(month) AS month FROM {batch}) m, LATERAL "
            f"(SELECT count(*) AS weighed {_WEIGHED}) l WHERE here <> weighed"
        },
    ),
    Expectation(
        "no_kilogram_is_lost",
        "unexpected_rows_expectation",
        "The containers together weigh what the vehicles weighed of single containers of the municipality that month.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT coalesce(sum(weight_kg), 0) AS here, min(month) AS month FROM {batch}) m, "
            f"LATERAL (SELECT coalesce(sum(weight_kg), 0) AS weighed {_WEIGHED}) l WHERE abs(here - weighed) > 0.5"
        },
    ),
    Expectation(
        "hours_fit_together",
        "unexpected_rows_expectation",
        "A container is not overfull for longer than it was measured, nor over its alarm limit, nor when it was not measured.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE overfull_hours > reading_hours OR alarm_hours > reading_hours "
            "OR (reading_hours = 0) <> (overfull_hours IS NULL) OR (reading_hours = 0) <> (alarm_hours IS NULL) "
            "OR fill_at_6_pct > max_fill_pct"
        },
    ),
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "A figure that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (fill_at_6_pct IS NULL) <> (fill_missing_reason IS NOT NULL) "
            "OR (weight_kg IS NULL) <> (weight_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "neighbourhoods_are_known",
        "unexpected_rows_expectation",
        "Every registered container lies in a neighbourhood of the municipality.",
        kwargs={
            "unexpected_rows_query": "SELECT container_code FROM {batch} WHERE is_registered AND neighbourhood_code NOT IN "
            "(SELECT neighbourhood_code FROM lake.core.reference_neighbourhoods)"
        },
    ),
    Expectation(
        "most_measured_containers_are_registered",
        "unexpected_rows_expectation",
        "At most one in ten containers with readings or emptyings is unknown to the registry.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE reading_hours > 0 OR emptyings > 0 "
            "HAVING count(*) FILTER (WHERE NOT is_registered) > 0.1 * count(*)"
        },
    ),
    Expectation(
        "sensors_report_every_day",
        "unexpected_rows_expectation",
        "No day between the first and the last has no readings at all.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT local_date FROM {batch} GROUP BY local_date HAVING sum(reading_hours) = 0 "
            "AND local_date > (SELECT min(local_date) FROM {batch} WHERE reading_hours > 0)"
        },
    ),
    Expectation(
        "alarms_are_plausible",
        "unexpected_rows_expectation",
        "On average a container is over its alarm limit for less than half of the day.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT avg(alarm_hours) FROM {batch} HAVING avg(alarm_hours) > 12"},
    ),
    Expectation(
        "emptying_follows_filling",
        "unexpected_rows_expectation",
        "Where containers are measured, some are emptied too; none at all means that weighings are missing.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING sum(reading_hours) > 0 AND sum(emptyings) = 0 "
            "AND count(DISTINCT local_date) >= 7"
        },
    ),
)
