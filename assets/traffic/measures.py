"""Policy measures on the roads, in the municipality's own form."""

from checks.traffic.measures import SUITE
from groningen_data.contracts.traffic.measures import TrafficMeasures
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import policy_measures

RECIPE = Recipe(
    contract=TrafficMeasures,
    suite=SUITE,
    feeds=(Feed(policy_measures.SOURCE, policy_measures.parse_policy_measures),),
    judged_with=("core.traffic_sites",),
)
