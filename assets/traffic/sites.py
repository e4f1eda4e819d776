"""Measurement sites, from the national registry."""

from checks.traffic.sites import SUITE
from groningen_data.contracts.traffic.sites import TrafficSites
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import ndw_sites

RECIPE = Recipe(
    contract=TrafficSites,
    suite=SUITE,
    feeds=(Feed(ndw_sites.SOURCE, ndw_sites.parse_sites),),
    uses=("core.reference_neighbourhoods",),
)
