"""Parking places, in the municipality's own form."""

from checks.traffic.parking import SUITE
from groningen_data.contracts.traffic.parking import TrafficParking
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import parking

RECIPE = Recipe(
    contract=TrafficParking,
    suite=SUITE,
    feeds=(Feed(parking.SOURCE, parking.parse_parking),),
    uses=("core.reference_neighbourhoods",),
)
