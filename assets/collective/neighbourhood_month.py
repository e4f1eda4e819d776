"""The departments side by side per neighbourhood and month."""

from checks.collective.neighbourhood_month import SUITE
from groningen_data.contracts.collective.neighbourhood_month import NeighbourhoodMonth
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import neighbourhood_month

RECIPE = Recipe(
    contract=NeighbourhoodMonth,
    suite=SUITE,
    expression=neighbourhood_month.expression,
    uses=("core.reference_neighbourhoods",),
    uses_if_there=(
        "collective.container_day",
        "collective.site_hour",
        "core.reference_key_figures",
        "core.reference_weather_hours",
        "core.traffic_bicycle_counters",
        "core.traffic_bicycle_counts",
        "core.traffic_sites",
        "core.waste_open_reports",
        "core.waste_report_states",
        "core.waste_reports",
        "core.welfare_early_signals",
        "core.welfare_recipients",
    ),
    months_from=(
        "collective.container_day",
        "collective.site_hour",
        "core.traffic_bicycle_counts",
        "core.waste_open_reports",
        "core.waste_report_states",
    ),
)
