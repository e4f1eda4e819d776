"""Contract of how good the forecasts of fill levels are, next to simpler ones."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.collective.container_forecast import HORIZON_DAYS

FILL_MODEL = "fill_model"
BASELINES = ("last_rate", "same_weekday", "mean_28_days")
COVERAGE_REASONS = ["no_interval"]


class ForecastScores(Contract):
    """How far forecasts of one model were from what came about, by days ahead, over the forecast days of one month.

    Forecasts are made anew as they would have been at the end of every fifth day, from what was known then, and compared with what
    was measured afterwards. The level counts as if the container had not been emptied: the level at the start and all inflow since.
    All models are scored on the same container days: those of which the inflow of every day until then is known, and of which each
    model has a forecast. `last_rate` takes the inflow of the last known day for every day to come, `same_weekday` that of the last
    such weekday, `mean_28_days` the mean of four weeks. For a forecast without an interval the CRPS is its absolute error.
    """

    month: pl.Date = column("Maand (eerste dag)", "Month (first day)")
    model_code: str = column("Model", "Model", isin=[FILL_MODEL, *BASELINES])
    horizon_days: int = column("Dagen vooruit", "Days ahead", unit="days", ge=1, le=HORIZON_DAYS)
    forecasts: int = column("Voorspellingen", "Forecasts", ge=1)
    inflow_mae_pct: float = column(
        "Gemiddelde absolute fout van de instroom",
        "Mean absolute error of the day's inflow",
        unit="%",
        ge=0,
    )
    fill_mae_pct: float = column(
        "Gemiddelde absolute fout van de vulgraad",
        "Mean absolute error of the fill level",
        unit="%",
        ge=0,
    )
    fill_bias_pct: float = column(
        "Gemiddelde fout van de vulgraad",
        "Mean error of the fill level (forecast less measured)",
        unit="%",
    )
    fill_crps_pct: float = column("CRPS van de vulgraad", "Continuous ranked probability score of the fill level", unit="%", ge=0)
    coverage_80: float = column(
        "Deel binnen het 80 %-interval", "Share within the 80 % interval", unit="share", nullable=True, ge=0, le=1
    )
    coverage_missing_reason: str = column(
        "Reden van ontbrekend deel", "Reason when the share is missing", nullable=True, isin=COVERAGE_REASONS
    )

    class Config(Contract.Config):
        metadata = table(
            name="collective.forecast_scores",
            title_nl="Kwaliteit van de voorspelde vulgraad",
            title_en="Scores of the forecasts of fill levels",
            grain="one model at one horizon in one month",
            key=("month", "model_code", "horizon_days"),
            owner="Stadsbeheer",
            purpose="To see whether the forecast that rounds rely on is better than a simple one, and whether its intervals hold.",
            legal_basis="Task of public interest: collecting household waste (Wet milieubeheer art. 10.21)",
            classification="public",
            retention="5 years",
            freshness_days=40,
            load_mode="partition",
            partition_columns=("month",),
            period_column="month",
            tolerance=0.0,
            served=True,
        )
