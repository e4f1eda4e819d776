"""Key figures, from CBS tables and from the figures that come with the outlines."""

from checks.reference.key_figures import SUITE
from groningen_data.contracts.reference.key_figures import ReferenceKeyFigures
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.sources import cbs_statline, outlines

RECIPE = Recipe(
    contract=ReferenceKeyFigures,
    suite=SUITE,
    feeds=(
        Feed(cbs_statline.SOURCE, cbs_statline.parse_key_figures, takes=cbs_statline.about_key_figures),
        Feed(outlines.SOURCE, outlines.parse_key_figures),
    ),
    uses=("core.reference_neighbourhoods",),
)
