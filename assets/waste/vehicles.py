"""Collection vehicles, from the municipality's own list."""

from checks.waste.vehicles import SUITE
from groningen_data.contracts.waste.vehicles import WasteVehicles
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import fleet

RECIPE = Recipe(
    contract=WasteVehicles,
    suite=SUITE,
    feeds=(Feed(fleet.VEHICLES, fleet.parse_vehicles),),
    judged_with=("core.waste_depots",),
)
