"""Bicycle counters."""

from checks.traffic.bicycle_counters import SUITE
from groningen_data.contracts.traffic.bicycle_counters import TrafficBicycleCounters
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import bicycle_counts

RECIPE = Recipe(
    contract=TrafficBicycleCounters,
    suite=SUITE,
    feeds=(Feed(bicycle_counts.COUNTERS, bicycle_counts.parse_counters),),
    uses=("core.reference_neighbourhoods",),
)
