"""One waste container through one day."""

from checks.collective.container_day import SUITE
from groningen_data.contracts.collective.container_day import ContainerDay
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import container_day

RECIPE = Recipe(
    contract=ContainerDay,
    suite=SUITE,
    expression=container_day.expression,
    uses_if_there=(
        "core.waste_containers",
        "core.waste_fill_levels",
        "core.waste_emptyings",
        "core.waste_inspections",
        "core.waste_reports",
        "core.reference_weather_hours",
        "core.reference_calendar",
    ),
    months_from=("core.waste_fill_levels", "core.waste_emptyings", "core.waste_inspections"),
)
