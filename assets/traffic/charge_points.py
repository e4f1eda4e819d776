"""Charge points for electric vehicles, in the municipality's own form."""

from checks.traffic.charge_points import SUITE
from groningen_data.contracts.traffic.charge_points import TrafficChargePoints
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import parking

RECIPE = Recipe(
    contract=TrafficChargePoints,
    suite=SUITE,
    feeds=(Feed(parking.CHARGE_POINTS, parking.parse_charge_points),),
    uses=("core.reference_neighbourhoods",),
)
