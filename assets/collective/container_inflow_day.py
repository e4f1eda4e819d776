"""How much comes into each container per day."""

from checks.collective.container_inflow_day import SUITE
from groningen_data.contracts.collective.container_inflow_day import ContainerInflowDay
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import container_inflow_day

RECIPE = Recipe(
    contract=ContainerInflowDay,
    suite=SUITE,
    expression=container_inflow_day.expression,
    uses_if_there=("core.waste_containers", "core.waste_fill_levels", "core.waste_emptyings"),
    months_from=("core.waste_fill_levels",),
    looks_back={"core.waste_fill_levels": 1},
)
