"""Contract of the scorecard of the budget's indicators."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table

DIRECTIONS = ["lower", "higher", "context"]
"""Whether less or more is better; `context`: neither is better by itself, so there is no target and no status."""
PERIODS = ["month", "quarter", "year"]
STATUSES = ["on_track", "at_risk", "off_track", "no_data", "context"]
STATUS_REASONS = ["no_rows", "no_value", "incomplete"]
TRENDS = ["better", "worse", "rising", "falling", "none_found"]
TREND_REASONS = ["earlier_period", "too_few_periods"]
FORECAST_METHODS = ["smoothing", "drift"]
FORECAST_REASONS = ["earlier_period", "too_short_history"]


class KpiScorecard(Contract):
    """Indicators of the budget: how each stands against its target, whether it gets better, and where it will be at the year's end.

    `on_track`: the target is met. `at_risk`: it is missed by no more than the indicator's margin (10 % of the target where it
    names none). `off_track`: by more. `no_data`: there is no value, or fewer than half of the period's days. The trend is the
    median of the changes between all pairs of periods (Theil and Sen), with its 95 % interval, over the last 26 weeks, or as many
    quarters or years; it needs six. The forecast goes on at the level (simple exponential smoothing) or with the mean change so
    far (drift), whichever would have erred least before on this indicator, and its interval comes from those errors; it needs
    eight periods and four such errors. Both use complete periods only: those of which at least 70 % of the days are known. They
    stand at the last complete period (`is_latest`).

    Figures come from what is served, after protection: nothing that is suppressed there can be found here. `query_sql` gives the
    figure from the serving database.
    """

    indicator_id: str = column("Indicator", "Indicator id", str_matches=r"^[a-z][a-z0-9_]*$")
    version: int = column("Versie van de definitie", "Version of the definition", ge=1)
    valid_from: pl.Date = column("Definitie geldt vanaf", "Definition holds from")
    title_nl: str = column("Titel", "Title (Dutch)", str_length={"min_value": 1})
    title_en: str = column("Titel (Engels)", "Title (English)", str_length={"min_value": 1})
    programme_nl: str = column("Programma", "Programme (Dutch)", str_length={"min_value": 1})
    programme_en: str = column("Programma (Engels)", "Programme (English)", str_length={"min_value": 1})
    task_field: str = column("Taakveld (Iv3)", "Task field (Iv3)", nullable=True)
    goal_nl: str = column("Doel", "Goal (Dutch)", str_length={"min_value": 1})
    goal_en: str = column("Doel (Engels)", "Goal (English)", str_length={"min_value": 1})
    owner: str = column("Eigenaar", "Owner", str_length={"min_value": 1})
    unit_nl: str = column("Eenheid", "Unit (Dutch)", str_length={"min_value": 1})
    unit_en: str = column("Eenheid (Engels)", "Unit (English)", str_length={"min_value": 1})
    direction_code: str = column("Wat beter is", "What is better", isin=DIRECTIONS)
    period_code: str = column("Soort periode", "Kind of period", isin=PERIODS)
    period_start_on: pl.Date = column("Eerste dag van de periode", "First day of the period")
    period_end_on: pl.Date = column("Laatste dag van de periode", "Last day of the period")
    is_latest: bool = column("Laatste hele periode", "Last complete period")
    value: float = column("Waarde", "Value", nullable=True)
    target: float = column("Streefwaarde", "Target", nullable=True)
    missed_pct: float = column(
        "Afstand tot de streefwaarde (boven nul: slechter)",
        "Distance to the target (above zero: worse)",
        unit="%",
        nullable=True,
    )
    margin_pct: float = column("Marge", "Margin", unit="%", nullable=True, ge=0)
    target_source: str = column("Herkomst van de streefwaarde", "Source of the target", nullable=True)
    status_code: str = column("Stand", "Status", isin=STATUSES)
    status_reason: str = column("Reden van ontbrekende stand", "Reason of a missing status", nullable=True, isin=STATUS_REASONS)
    completeness: float = column("Volledigheid", "Completeness", unit="share of days", ge=0, le=1)
    trend_code: str = column("Ontwikkeling", "Trend", nullable=True, isin=TRENDS)
    trend_period_code: str = column("Periode van de ontwikkeling", "Period of the trend", isin=["week", *PERIODS])
    trend_periods: int = column("Perioden achter de ontwikkeling", "Periods behind the trend", ge=0)
    trend_change: float = column("Verandering per periode", "Change per period", nullable=True)
    trend_low: float = column("Verandering: ondergrens (95 %)", "Change: lower bound (95 %)", nullable=True)
    trend_high: float = column("Verandering: bovengrens (95 %)", "Change: upper bound (95 %)", nullable=True)
    trend_missing_reason: str = column(
        "Reden van ontbrekende ontwikkeling", "Reason when the trend is missing", nullable=True, isin=TREND_REASONS
    )
    forecast_method: str = column("Wijze van voorspellen", "Method of the forecast", nullable=True, isin=FORECAST_METHODS)
    forecast_period_start_on: pl.Date = column("Voorspelde periode", "Period forecast (first day)", nullable=True)
    forecast_value: float = column("Voorspelling", "Forecast", nullable=True)
    forecast_low: float = column("Voorspelling: ondergrens (95 %)", "Forecast: lower bound (95 %)", nullable=True)
    forecast_high: float = column("Voorspelling: bovengrens (95 %)", "Forecast: upper bound (95 %)", nullable=True)
    forecast_target: float = column("Streefwaarde van die periode", "Target of that period", nullable=True)
    forecast_status_code: str = column("Verwachte stand", "Status expected", nullable=True, isin=STATUSES)
    forecast_missing_reason: str = column(
        "Reden van ontbrekende voorspelling", "Reason when the forecast is missing", nullable=True, isin=FORECAST_REASONS
    )
    source_table: str = column("Brontabel", "Source table (as served)")
    query_sql: str = column("De vraag achter het cijfer", "The question behind the figure")

    class Config(Contract.Config):
        metadata = table(
            name="collective.kpi_scorecard",
            title_nl="Stuurcijfers van de begroting",
            title_en="Scorecard of the budget's indicators",
            grain="one indicator in one period",
            key=("indicator_id", "period_start_on"),
            owner="Concerncontrol",
            purpose="To steer by the same figures in all programmes, each of which can be looked up.",
            legal_basis="Besluit begroting en verantwoording provincies en gemeenten (indicators of programmes); Gemeentewet art. 213a",
            classification="internal",
            reason_not_public="some figures rest on tables that are internal; what is published of it is chosen with each budget",
            retention="10 years",
            freshness_days=2,
            load_mode="snapshot",
            period_column="period_start_on",
            tolerance=0.0,
            served=True,
        )
