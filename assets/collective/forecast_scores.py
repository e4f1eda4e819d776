"""How good the forecasts of fill levels are."""

from checks.collective.forecast_scores import SUITE
from groningen_data.contracts.collective.forecast_scores import ForecastScores
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import forecast_scores

RECIPE = Recipe(
    contract=ForecastScores,
    suite=SUITE,
    analysis=Analysis(forecast_scores.compute),
    uses_if_there=("collective.container_inflow_day", "core.waste_containers"),
    months_from=("collective.container_inflow_day",),
    looks_back={"collective.container_inflow_day": 4},
)
