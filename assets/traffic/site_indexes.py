"""What the indexes of measurement sites measure, from the national site table."""

from checks.traffic.site_indexes import SUITE
from groningen_data.contracts.traffic.site_indexes import TrafficSiteIndexes
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import ndw_site_table, ndw_sites

RECIPE = Recipe(
    contract=TrafficSiteIndexes,
    suite=SUITE,
    feeds=(Feed(ndw_sites.SOURCE, ndw_site_table.parse_indexes, takes=ndw_sites.is_table_version),),
)
