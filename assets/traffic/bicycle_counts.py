"""Bicycle counts."""

from checks.traffic.bicycle_counts import SUITE
from groningen_data.contracts.traffic.bicycle_counts import TrafficBicycleCounts
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import bicycle_counts

RECIPE = Recipe(
    contract=TrafficBicycleCounts,
    suite=SUITE,
    feeds=(Feed(bicycle_counts.COUNTS, bicycle_counts.parse_counts),),
    judged_with=("core.traffic_bicycle_counters",),
)
