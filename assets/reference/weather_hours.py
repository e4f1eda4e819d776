"""Weather per hour, from KNMI."""

from checks.reference.weather_hours import SUITE
from groningen_data.contracts.reference.weather_hours import ReferenceWeatherHours
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import knmi

RECIPE = Recipe(
    contract=ReferenceWeatherHours,
    suite=SUITE,
    feeds=(Feed(knmi.HOURS, knmi.parse_hours),),
    judged_with=("core.reference_calendar",),
)
