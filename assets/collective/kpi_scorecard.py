"""How the budget's indicators stand, from what is served."""

from functools import partial

from checks.collective.kpi_scorecard import SUITE
from groningen_data.contracts.collective.kpi_scorecard import KpiScorecard
from groningen_data.gate.recipe import Analysis, Recipe
from groningen_data.marts import kpi_scorecard
from groningen_data.marts.kpi_indicators import indicators, tables_of
from groningen_data.serving.protect import protected_select

RECIPE = Recipe(
    contract=KpiScorecard,
    suite=SUITE,
    analysis=Analysis(
        partial(kpi_scorecard.compute, indicators=indicators(), protect=protected_select),
        also=lambda settings: kpi_scorecard.definition(indicators(), protected_select),
    ),
    uses_if_there=tables_of(indicators()),
)
