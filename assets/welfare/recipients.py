"""Benefit recipients per region and period, from CBS tables: the quarterly ones, and those of key figures."""

from checks.welfare.recipients import SUITE
from groningen_data.contracts.welfare.recipients import WelfareRecipients
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import cbs_statline

RECIPE = Recipe(
    contract=WelfareRecipients,
    suite=SUITE,
    feeds=(Feed(cbs_statline.SOURCE, cbs_statline.parse_recipients),),
    uses=("core.reference_neighbourhoods",),
)
