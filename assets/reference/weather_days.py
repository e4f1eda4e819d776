"""Weather per day, from KNMI."""

from checks.reference.weather_days import SUITE
from groningen_data.contracts.reference.weather_days import ReferenceWeatherDays
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import knmi

RECIPE = Recipe(
    contract=ReferenceWeatherDays,
    suite=SUITE,
    feeds=(Feed(knmi.DAYS, knmi.parse_days),),
    judged_with=("core.reference_calendar",),
)
