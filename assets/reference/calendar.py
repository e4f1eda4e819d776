"""The calendar, from the lists of public and school holidays."""

from checks.reference.calendar import SUITE
from groningen_data.contracts.reference.calendar import ReferenceCalendar
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import calendar_days

RECIPE = Recipe(
    contract=ReferenceCalendar,
    suite=SUITE,
    feeds=(Feed(calendar_days.SOURCE, calendar_days.parse_calendar),),
)
