"""Steering: the budget's indicators over all departments, each with the question that gives its figure."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from groningen_data.cases.base import Case, Drawing, Question
from groningen_data.serving.query import query

if TYPE_CHECKING:
    from groningen_data.settings import Settings

STANDING = Question(
    "How does each indicator stand against its target?",
    """
SELECT programme_nl AS programme, title_nl AS indicator, period_start_on, round(value, 1) AS value, target, unit_nl AS unit,
       status_code, round(missed_pct) AS missed_pct, round(completeness, 2) AS completeness
FROM kpi_scorecard
WHERE is_latest
ORDER BY programme_nl, missed_pct DESC NULLS LAST
""",
)
HEADING = Question(
    "Does it get better, and where will it be at the end of the year?",
    """
SELECT title_nl AS indicator, trend_code, trend_period_code AS per, trend_periods AS periods, round(trend_change, 2) AS change,
       round(trend_low, 2) AS low, round(trend_high, 2) AS high, forecast_period_start_on AS forecast_of,
       round(forecast_value, 1) AS forecast, round(forecast_low, 1) AS forecast_low, round(forecast_high, 1) AS forecast_high,
       forecast_target AS target_then, forecast_status_code AS status_then,
       coalesce(forecast_missing_reason, trend_missing_reason) AS missing_reason
FROM kpi_scorecard
WHERE is_latest
ORDER BY programme_nl, title_nl
""",
)
MONTHS = Question(
    "How did the indicators stand in each period of the last year?",
    """
SELECT title_nl AS indicator, period_code, period_start_on, round(value, 1) AS value, target, status_code, status_reason
FROM kpi_scorecard
WHERE period_start_on >= (SELECT max(period_start_on) FROM kpi_scorecard) - INTERVAL 12 MONTH
ORDER BY title_nl, period_start_on
""",
)
LOOKED_UP = Question(
    "Which question gives each figure?",
    """
SELECT indicator_id, version, owner, source_table, query_sql
FROM kpi_scorecard
WHERE is_latest
ORDER BY indicator_id
""",
)
_EVERY_QUESTION = """
SELECT indicator_id, period_start_on, title_nl, value, unit_nl, query_sql FROM kpi_scorecard ORDER BY indicator_id, period_start_on
"""


def questions_file(settings: "Settings") -> Mapping[str, str]:
    """Every figure with the whole question that gives it, ready for `groningen sql`."""
    told = [
        f"-- {indicator}, {start}: {title}: {'geen cijfer' if value is None else value} {unit}\n{sql};\n"
        for indicator, start, title, value, unit, sql in query(settings, _EVERY_QUESTION).rows
    ]
    return {"vragen_achter_de_cijfers.sql": "\n".join(told)}


CASE = Case(
    name="steering",
    title="Steering: the budget's indicators, each with the question behind it",
    needs=("kpi_scorecard",),
    questions=(STANDING, HEADING, MONTHS, LOOKED_UP),
    drawings=(
        Drawing(
            "stand_van_de_stuurcijfers",
            "Hoe ver zijn we van de streefwaarden? Boven nul: slechter dan afgesproken",
            """
SELECT title_nl || ', ' || CASE period_code WHEN 'year' THEN year(period_start_on)::VARCHAR
           WHEN 'quarter' THEN quarter(period_start_on) || 'e kwartaal ' || year(period_start_on)
           ELSE strftime(period_start_on, '%-m-%Y') END AS title_nl,
       round(missed_pct, 1) AS missed_pct
FROM kpi_scorecard
WHERE is_latest AND missed_pct IS NOT NULL AND status_code <> 'no_data'
ORDER BY missed_pct DESC
""",
            "bar",
        ),
        Drawing(
            "restafval_per_inwoner",
            "Fijn restafval per inwoner per jaar (kg), naast de streefwaarde",
            "SELECT period_start_on, value, target FROM kpi_scorecard WHERE indicator_id = 'residual_waste_per_inhabitant' ORDER BY 1",
            "line",
        ),
    ),
    not_for="judging an employee, a team or a neighbourhood; comparing months of which less than half is known; reading a trend or a "
    "forecast as a cause; or adding up figures of different indicators into one mark.",
    pages=questions_file,
)
