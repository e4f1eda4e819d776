"""Whether the collection plan would have done better than the fixed schedule."""

from checks.collective.collection_backtest import SUITE
from groningen_data.contracts.collective.collection_backtest import CollectionBacktest
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import collection_backtest

RECIPE = Recipe(
    contract=CollectionBacktest,
    suite=SUITE,
    analysis=Analysis(collection_backtest.compute, version=collection_backtest.VERSION, settings=collection_backtest.SETTINGS),
    uses_if_there=(
        "core.waste_containers",
        "core.waste_depots",
        "core.waste_emptyings",
        "core.waste_fill_levels",
        "core.waste_vehicles",
        "collective.container_day",
        "collective.container_inflow_day",
    ),
    months_from=("collective.container_inflow_day",),
    looks_back={
        "core.waste_emptyings": 2,
        "core.waste_fill_levels": 1,
        "collective.container_day": 3,
        "collective.container_inflow_day": 4,
    },
)
