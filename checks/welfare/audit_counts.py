"""Suite of the group counts for the bias audit: one period."""

from groningen_data.gate.suite import Expectation


def _can_be_worked_out(count: str) -> str:
    """Characteristics of which one group's count is withheld, while another characteristic tells the count of all."""
    return (
        f"SELECT process_code, characteristic_code FROM (SELECT process_code, characteristic_code, count(*) - count({count}) AS withheld, "
        f"min(count(*) - count({count})) OVER (PARTITION BY process_code) AS least_withheld FROM {{batch}} GROUP BY process_code, characteristic_code) "
        "WHERE withheld = 1 AND least_withheld = 0"
    )


SUITE = (
    Expectation(
        "each_characteristic_has_one_reference_group",
        "unexpected_rows_expectation",
        "In each process and characteristic one group is the one that the others are compared with.",
        kwargs={
            "unexpected_rows_query": "SELECT process_code, characteristic_code FROM {batch} GROUP BY ALL "
            "HAVING count(*) FILTER (is_reference) <> 1"
        },
    ),
    Expectation(
        "there_is_a_group_to_compare",
        "unexpected_rows_expectation",
        "No characteristic has its reference group alone.",
        kwargs={
            "unexpected_rows_query": "SELECT process_code, characteristic_code FROM {batch} GROUP BY ALL HAVING count(*) < 2"
        },
    ),
    Expectation(
        "no_withheld_selection_can_be_worked_out",
        "unexpected_rows_expectation",
        "No withheld number of selected people can be worked out from the other groups and another characteristic.",
        kwargs={"unexpected_rows_query": _can_be_worked_out("selected")},
    ),
    Expectation(
        "no_withheld_wrong_selection_can_be_worked_out",
        "unexpected_rows_expectation",
        "No withheld number of wrongly selected people can be worked out from the other groups and another characteristic.",
        kwargs={"unexpected_rows_query": _can_be_worked_out("wrongly_selected")},
    ),
    Expectation(
        "released_after_the_period",
        "unexpected_rows_expectation",
        "Counts are released after their period has ended.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE released_on <= period_end_on"},
    ),
    Expectation(
        "released_together",
        "expect_column_unique_value_count_to_be_between",
        "All counts of a period are released on one day.",
        kwargs={"column": "released_on", "min_value": 1, "max_value": 1},
    ),
    Expectation(
        "people_and_chance_are_audited_as_well",
        "unexpected_rows_expectation",
        "The random sample and the selection by people are audited beside the rules: without them nobody knows what is usual.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT 1 FROM {batch} HAVING NOT bool_or(process_kind = 'random_sample') "
            "OR NOT bool_or(process_kind = 'human_selection')"
        },
    ),
    Expectation(
        "characteristics_count_the_same_people",
        "unexpected_rows_expectation",
        "The groups of each characteristic add up to nearly the same people (some have no known group).",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT process_code FROM (SELECT process_code, characteristic_code, sum(population) AS people "
            "FROM {batch} GROUP BY ALL) GROUP BY process_code HAVING min(people) < 0.9 * max(people)"
        },
    ),
    Expectation(
        "most_counts_are_released",
        "unexpected_rows_expectation",
        "Most numbers of selected people are released; where most are withheld, the audit can tell nothing.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(selected) < 0.5 * count(*)"},
    ),
)
