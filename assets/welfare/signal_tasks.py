"""Facts to ask about, first in, first out, by the rules in force."""

from checks.welfare.signal_tasks import SUITE
from groningen_data.contracts.welfare.signal_tasks import WelfareSignalTasks
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import signal_tasks
from groningen_data.signals.rules import texts

RECIPE = Recipe(
    contract=WelfareSignalTasks,
    suite=SUITE,
    uses_if_there=("core.welfare_statutory_signals", "collective.signal_rules"),
    analysis=Analysis(signal_tasks.compute, also=lambda settings: (settings.today(), texts(settings))),
    may_be_empty=True,
)
