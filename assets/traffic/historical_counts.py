"""Historical traffic counts, from NDW's exports."""

from checks.traffic.historical_counts import SUITE
from groningen_data.contracts.traffic.historical_counts import TrafficHistoricalCounts
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import ndw_historical

RECIPE = Recipe(
    contract=TrafficHistoricalCounts,
    suite=SUITE,
    feeds=(Feed(ndw_historical.SOURCE, ndw_historical.parse_historical_counts),),
    judged_with=("core.traffic_sites",),
)
