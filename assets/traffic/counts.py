"""Traffic counts per five minutes, from the city's loops and the national feed."""

from checks.traffic.counts import SUITE
from groningen_data.contracts.traffic.counts import TrafficCounts
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import ndw_datex, utd19_loops

RECIPE = Recipe(
    contract=TrafficCounts,
    suite=SUITE,
    feeds=(
        Feed(utd19_loops.SOURCE, utd19_loops.parse_counts),
        Feed(ndw_datex.SOURCE, ndw_datex.parse_counts, version=2, reads=(ndw_datex.SITE_INDEXES,)),
    ),
    judged_with=("core.traffic_sites",),
)
