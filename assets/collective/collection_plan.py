"""Tomorrow's collection rounds, stop by stop."""

from checks.collective.collection_plan import SUITE
from groningen_data.contracts.collective.collection_plan import CollectionPlan
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import collection_plan

RECIPE = Recipe(
    contract=CollectionPlan,
    may_be_empty=True,
    suite=SUITE,
    analysis=Analysis(collection_plan.compute, settings=collection_plan.SETTINGS),
    uses_if_there=(
        "core.waste_containers",
        "core.waste_depots",
        "core.waste_emptyings",
        "core.waste_fill_levels",
        "core.waste_vehicles",
        "collective.container_day",
        "collective.container_forecast",
        "collective.container_inflow_day",
    ),
)
