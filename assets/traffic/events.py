"""Events, road works and closures, in the municipality's own form."""

from checks.traffic.events import SUITE
from groningen_data.contracts.traffic.events import TrafficEvents
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import events

RECIPE = Recipe(
    contract=TrafficEvents,
    suite=SUITE,
    feeds=(Feed(events.SOURCE, events.parse_events),),
    uses=("core.reference_neighbourhoods",),
)
