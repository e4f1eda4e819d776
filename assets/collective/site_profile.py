"""The usual course of a day per traffic measurement site."""

from checks.collective.site_profile import SUITE
from groningen_data.contracts.collective.site_profile import SiteProfile
from groningen_data.gate.recipe import Recipe
from groningen_data.marts import site_profile

RECIPE = Recipe(
    contract=SiteProfile,
    suite=SUITE,
    expression=site_profile.expression,
    uses_if_there=("collective.site_quality", "core.reference_calendar", "core.traffic_counts"),
    months_from=("core.traffic_counts",),
)
