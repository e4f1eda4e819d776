"""Suite of the fill levels: one local day of one measuring system."""

from checks.past import not_after_now, than_same_weekdays, than_the_week_before
from groningen_data.gate.suite import Expectation, usual_volume

_TABLE = "core.waste_fill_levels"
_REPORTING = "count(DISTINCT container_code) FILTER (WHERE fill_pct IS NOT NULL)"

SUITE = (
    Expectation(
        "usual_volume",
        "expect_table_row_count_to_be_between",
        "The day has about as many readings as earlier days.",
        severity="warning",
        kwargs=usual_volume(0.7, 1.5),
    ),
    Expectation(
        "not_a_remnant",
        "expect_table_row_count_to_be_between",
        "The day has at least a tenth of the readings of earlier days; less is a remnant of a file that did not arrive.",
        kwargs=usual_volume(0.1, 100),
    ),
    Expectation(
        "readings_hold_a_value",
        "unexpected_rows_expectation",
        "At least one reading in five holds a fill level; otherwise the feed is broken.",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(fill_pct) < 0.2 * count(*)"},
    ),
    Expectation(
        "few_readings_without_value",
        "unexpected_rows_expectation",
        "Fewer than one reading in twenty is empty.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(fill_pct) < 0.95 * count(*)"},
    ),
    Expectation(
        "missing_values_say_why",
        "unexpected_rows_expectation",
        "A fill level that is missing says why, and one that is there says nothing.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE (fill_pct IS NULL) <> (fill_missing_reason IS NOT NULL)"},
    ),
    Expectation(
        "believable_mean",
        "unexpected_rows_expectation",
        "On average containers are neither empty nor overflowing.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT avg(fill_pct) FROM {batch} HAVING avg(fill_pct) NOT BETWEEN 5 AND 90"},
    ),
    Expectation(
        "levels_differ",
        "unexpected_rows_expectation",
        "Fill levels differ: one and the same value in a hundred readings means a stuck feed.",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(fill_pct) >= 100 AND count(DISTINCT fill_pct) < 3"
        },
    ),
    Expectation(
        "few_overfull",
        "unexpected_rows_expectation",
        "Fewer than one reading in ten is above 100 %.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE fill_pct > 100) > 0.1 * count(fill_pct)"
        },
    ),
    Expectation(
        "few_stuck_sensors",
        "unexpected_rows_expectation",
        "Fewer than half of the sensors that report often repeat one value all day.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM (SELECT container_code, min(fill_pct) = max(fill_pct) AS is_stuck FROM {batch} "
            "GROUP BY container_code HAVING count(fill_pct) >= 12) HAVING count(*) >= 10 AND count(*) FILTER (WHERE is_stuck) > 0.5 * count(*)"
        },
    ),
    Expectation(
        "as_many_containers_report",
        "unexpected_rows_expectation",
        "About as many containers report as on earlier days; fewer means that sensors fell silent.",
        severity="warning",
        kwargs=than_the_week_before(_TABLE, "source_code", _REPORTING, "today < 0.85 * usual"),
    ),
    Expectation(
        "like_the_same_weekday",
        "unexpected_rows_expectation",
        "Containers are on average about as full as on the same weekday of earlier weeks.",
        severity="warning",
        kwargs=than_same_weekdays(_TABLE, "source_code", "avg(fill_pct)", "abs(today - usual) > 15"),
    ),
    Expectation(
        "spread_like_earlier_days",
        "unexpected_rows_expectation",
        "Full and empty containers are about as far apart as on earlier days.",
        severity="warning",
        kwargs=than_the_week_before(_TABLE, "source_code", "stddev_pop(fill_pct)", "today NOT BETWEEN 0.5 * usual AND 2 * usual"),
    ),
    Expectation(
        "readings_until_the_usual_hour",
        "unexpected_rows_expectation",
        "Readings came in until about as late in the day as on earlier days.",
        severity="warning",
        kwargs=than_the_week_before(_TABLE, "source_code", "max(local_hour)", "today < usual - 3"),
    ),
    Expectation(
        "not_in_the_future",
        "unexpected_rows_expectation",
        "Hardly any reading is later than now: otherwise clocks are wrong.",
        kwargs=not_after_now("measured_at"),
    ),
    Expectation(
        "containers_are_known",
        "unexpected_rows_expectation",
        "Nearly all readings are of containers that a registry lists; sensors of Prague have no registry here.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE source_code <> 'prague_sensors' HAVING count(*) FILTER "
            "(WHERE container_code NOT IN (SELECT container_code FROM lake.core.waste_containers)) > 0.05 * count(*)"
        },
    ),
)
