"""Suite of the counts of tasks."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "every_task_is_counted",
        "unexpected_rows_expectation",
        "The months together count every task.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT coalesce(sum(tasks), 0) AS here FROM {batch}) h, "
            "(SELECT count(*) AS listed FROM lake.core.welfare_signal_tasks) c WHERE here <> listed"
        },
    ),
)
