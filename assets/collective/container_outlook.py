"""When each container reaches its alarm limit and overflows."""

from checks.collective.container_outlook import SUITE
from groningen_data.contracts.collective.container_outlook import ContainerOutlook
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import container_forecast

RECIPE = Recipe(
    contract=ContainerOutlook,
    suite=SUITE,
    may_be_empty=True,
    analysis=Analysis(container_forecast.compute_outlook, version=2, settings=("container_alarm_pct", "timezone")),
    uses_if_there=(
        "collective.container_forecast",
        "collective.container_inflow_day",
        "core.waste_containers",
        "core.waste_fill_levels",
        "core.waste_emptyings",
    ),
)
