"""How full each container will be in the coming week."""

from checks.collective.container_forecast import SUITE
from groningen_data.contracts.collective.container_forecast import ContainerForecast
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import container_forecast

RECIPE = Recipe(
    contract=ContainerForecast,
    suite=SUITE,
    may_be_empty=True,
    analysis=Analysis(container_forecast.compute_forecast, version=2, settings=("container_alarm_pct",)),
    uses_if_there=("collective.container_inflow_day", "core.waste_containers"),
)
