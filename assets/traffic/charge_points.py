"""Public charge points for electric vehicles, from NDW's national file."""

from checks.traffic.charge_points import SUITE
from groningen_data.contracts.traffic.charge_points import TrafficChargePoints
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import charge_points

RECIPE = Recipe(
    contract=TrafficChargePoints,
    suite=SUITE,
    feeds=(Feed(charge_points.SOURCE, charge_points.parse_charge_points),),
    uses=("core.reference_neighbourhoods",),
)
