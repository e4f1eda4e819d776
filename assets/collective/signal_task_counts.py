"""Tasks that wait, counted per rule and month."""

from checks.collective.signal_task_counts import SUITE
from groningen_data.contracts.collective.signal_task_counts import SignalTaskCounts
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import signal_tasks

RECIPE = Recipe(
    contract=SignalTaskCounts,
    suite=SUITE,
    expression=signal_tasks.counts,
    uses_if_there=("core.welfare_signal_tasks",),
    may_be_empty=True,
)
