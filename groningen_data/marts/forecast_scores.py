"""How good the forecasts of fill levels were: made anew as they would have been, and compared with what came about.

A rolling origin, as R. J. Hyndman and G. Athanasopoulos describe it in *Forecasting: Principles and Practice*, 3rd edition, 2021,
section 5.10.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.collective.container_forecast import HORIZON_DAYS
from groningen_data.contracts.collective.forecast_scores import BASELINES, FILL_MODEL, ForecastScores
from groningen_data.gate.recipe import AnalysisContext
from groningen_data.marts import fill_model
from groningen_data.marts.container_day import registered_containers
from groningen_data.marts.fill_model import HIGH, LOW, WINDOW_DAYS, Floats, Forecast, History

EVERY_DAYS = 5
"""Days between two origins: five, so that each weekday comes in turn."""
MEAN_DAYS = 28


def compute(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """Rows of `collective.forecast_scores` of the month being made."""
    yield pl.DataFrame(schema=polars_schema(ForecastScores))
    days = context.during_month(
        context.table("collective.container_inflow_day"), "local_date", days_before=WINDOW_DAYS + HORIZON_DAYS
    )
    registry = registered_containers(context)
    joined = days.left_join(
        registry.select("container_code", group=registry.fraction_code), "container_code", rname="{name}_registry"
    )
    rows = context.frame(
        joined.select("container_code", "group", "local_date", "inflow_pct", "last_fill_pct", "rest_share", "weighings")
    )
    [(month,)] = context.frame(context.month.name("month").as_table()).rows()
    if rows.is_empty():
        return
    history = fill_model.history_of(rows)
    origins = [day for day in history.days if day.toordinal() % EVERY_DAYS == 0 and day >= month - timedelta(days=HORIZON_DAYS)]
    context.notes["origins"] = len(origins)
    scored = errors(history, origins).filter(pl.col("forecast_on") >= month)
    if scored.height:
        yield scores(scored).with_columns(pl.lit(month).alias("month")).select(list(polars_schema(ForecastScores)))


def errors(history: History, origins: Sequence[date]) -> pl.DataFrame:
    """What each model said from each origin, against what came about; only container days that every model can be judged on.

    Returns:
        model_code, container_code, made_from_on, forecast_on, horizon_days, inflow_error (forecast less measured), fill_error, crps
        and is_covered (null for models without an interval).
    """
    parts = [_errors(history, made) for made in fill_model.rolling(history, origins) if made.codes]
    schema = {
        "model_code": pl.String,
        "container_code": pl.String,
        "made_from_on": pl.Date,
        "horizon_days": pl.Int64,
        "inflow_error": pl.Float64,
        "fill_error": pl.Float64,
        "crps": pl.Float64,
        "is_covered": pl.Boolean,
    }
    table = pl.concat([pl.DataFrame(schema=schema), *(part.select(list(schema)) for part in parts)])
    return table.with_columns(forecast_on=pl.col("made_from_on") + pl.duration(days=pl.col("horizon_days")))


def scores(scored: pl.DataFrame, *by: str) -> pl.DataFrame:
    """The scores of each model at each horizon, and of more columns of `errors` when they are named."""
    columns = ("model_code", "horizon_days", *by)
    return (
        scored.group_by(columns)
        .agg(
            pl.len().cast(pl.Int64).alias("forecasts"),
            pl.col("inflow_error").abs().mean().alias("inflow_mae_pct"),
            pl.col("fill_error").abs().mean().alias("fill_mae_pct"),
            pl.col("fill_error").mean().alias("fill_bias_pct"),
            pl.col("crps").mean().alias("fill_crps_pct"),
            pl.col("is_covered").mean().alias("coverage_80"),
        )
        .with_columns(pl.when(pl.col("coverage_80").is_null()).then(pl.lit("no_interval")).alias("coverage_missing_reason"))
        .sort(columns)
    )


def baselines(history: History, made: Forecast) -> dict[str, Floats]:
    """What simpler models say of the containers and days of a forecast: inflow per day ahead; NaN where they can say nothing."""
    known = history.until(made.made_from)
    places = {code: place for place, code in enumerate(known.codes)}
    inflow = known.inflow[np.array([places[code] for code in made.codes], dtype=np.int64)]
    days = made.inflow.shape[1]
    ahead = (made.made_from.weekday() + np.arange(1, days + 1)) % 7
    of_weekday = {weekday: _last_known(inflow[:, known.weekdays == weekday]) for weekday in set(ahead.tolist())}
    recent = inflow[:, -MEAN_DAYS:]
    count = np.isfinite(recent).sum(axis=1)
    mean = np.where(count > 0, np.nansum(recent, axis=1) / np.maximum(count, 1), np.nan)
    found = {
        "last_rate": np.repeat(_last_known(inflow)[:, None], days, axis=1),
        "same_weekday": np.stack([of_weekday[weekday] for weekday in ahead.tolist()], axis=1),
        "mean_28_days": np.repeat(mean[:, None], days, axis=1),
    }
    assert tuple(found) == BASELINES
    return found


def _last_known(inflow: Floats) -> Floats:
    """The last figure of each row that is known; NaN where none is."""
    if not inflow.shape[1]:
        return np.full(len(inflow), np.nan)
    is_known = np.isfinite(inflow)
    last = inflow.shape[1] - 1 - np.argmax(is_known[:, ::-1], axis=1)
    found: Floats = inflow[np.arange(len(inflow)), last]
    return found


def _errors(history: History, made: Forecast) -> pl.DataFrame:
    places = {code: place for place, code in enumerate(history.codes)}
    rows = np.array([places[code] for code in made.codes], dtype=np.int64)
    first = (made.made_from - history.days[0]).days + 1
    days = min(HORIZON_DAYS, len(history.days) - first)
    actual = np.full(made.inflow.shape, np.nan)
    actual[:, :days] = history.inflow[rows][:, first : first + days]
    fill = made.start_fill[:, None] + np.cumsum(actual, axis=1)
    simple = baselines(history, made)
    is_scored = np.isfinite(fill) & np.all([np.isfinite(np.cumsum(inflow, axis=1)) for inflow in simple.values()], axis=0)
    container, day = np.nonzero(is_scored)
    codes = pl.Series(made.codes, dtype=pl.String).gather(container)
    low, high = made.quantile(LOW), made.quantile(HIGH)
    covered = ((fill >= low) & (fill <= high))[is_scored]
    crps = made.crps(np.where(is_scored, fill, 0))[is_scored]
    parts = []
    for model, inflow in ((FILL_MODEL, made.inflow), *simple.items()):
        level = made.fill if model == FILL_MODEL else made.start_fill[:, None] + np.cumsum(inflow, axis=1)
        fill_error = (level - fill)[is_scored]
        is_own = model == FILL_MODEL
        parts.append(
            pl.DataFrame(
                {
                    "container_code": codes,
                    "horizon_days": day + 1,
                    "inflow_error": (inflow - actual)[is_scored],
                    "fill_error": fill_error,
                    "crps": crps if is_own else np.abs(fill_error),
                    "is_covered": covered if is_own else pl.Series([None], dtype=pl.Boolean).new_from_index(0, len(codes)),
                }
            ).with_columns(model_code=pl.lit(model), made_from_on=pl.lit(made.made_from))
        )
    return pl.concat(parts)
