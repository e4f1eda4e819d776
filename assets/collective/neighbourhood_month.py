"""The departments side by side per neighbourhood and month."""

from checks.collective.neighbourhood_month import SUITE
from groningen_data.contracts.collective.neighbourhood_month import NeighbourhoodMonth
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import neighbourhood_month

RECIPE = Recipe(
    contract=NeighbourhoodMonth,
    suite=SUITE,
    expression=neighbourhood_month.expression,
    uses=(
        "core.reference_neighbourhoods",
        "core.reference_key_figures",
        "core.welfare_recipients",
        "core.traffic_sites",
        "core.traffic_counts",
        "core.waste_open_reports",
        "core.waste_reports",
    ),
)
