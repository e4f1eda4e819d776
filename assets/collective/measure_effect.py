"""What policy measures on the roads did."""

from checks.collective.measure_effect import SUITE
from groningen_data.contracts.collective.measure_effect import MeasureEffect
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import measure_effect

RECIPE = Recipe(
    contract=MeasureEffect,
    suite=SUITE,
    analysis=Analysis(measure_effect.compute),
    may_be_empty=True,
    uses_if_there=("core.traffic_measures", "core.traffic_sites", "core.traffic_events", "collective.site_hour"),
)
