"""Intersections ranked by congestion per part of the week."""

from checks.collective.congestion_ranking import SUITE
from groningen_data.contracts.collective.congestion_ranking import CongestionRanking
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import congestion_ranking

RECIPE = Recipe(
    contract=CongestionRanking,
    suite=SUITE,
    may_be_empty=True,
    analysis=Analysis(congestion_ranking.compute, settings=("weather_station",)),
    uses_if_there=(
        "collective.intersection_approach",
        "collective.intersection_hour",
        "collective.site_quality",
        "core.reference_calendar",
        "core.reference_weather_hours",
        "core.traffic_events",
        "core.traffic_sites",
    ),
)
