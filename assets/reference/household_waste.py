"""Household waste per inhabitant and year, from one CBS table."""

from checks.reference.household_waste import SUITE
from groningen_data.contracts.reference.household_waste import ReferenceHouseholdWaste
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import cbs_household_waste

RECIPE = Recipe(
    contract=ReferenceHouseholdWaste,
    suite=SUITE,
    feeds=(Feed(cbs_household_waste.SOURCE, cbs_household_waste.parse_household_waste),),
)
