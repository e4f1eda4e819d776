"""What signal rules find beside chance: outcomes counted per rule and month, with intervals and a verdict."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from ibis import _

from groningen_data.contracts.base import Protection, polars_schema
from groningen_data.contracts.collective.signal_rule_results import SignalRuleResults
from groningen_data.contracts.welfare.signal_outcomes import RANDOM_SAMPLE, UNLAWFUL
from groningen_data.gate.recipe import AnalysisContext
from groningen_data.signals.evaluation import looks, wilson


def compute(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """One row per version of a rule and month that ended, from its first outcome on; the random sample is one of them."""
    outcomes = context.table("core.welfare_signal_outcomes")
    months = outcomes.group_by(
        "rule_id", "rule_version", month_on=_.checked_on.cast("timestamp").truncate("M").cast("date")
    ).aggregate(
        checks=_.count(),
        unlawful=outcomes.count(where=outcomes.outcome_code == UNLAWFUL),
        fact_wrong=outcomes.count(where=outcomes.outcome_code == "fact_wrong"),
    )
    found = looks(context.frame(months), context.settings.signal_minimum_outcomes, RANDOM_SAMPLE, context.settings.today())
    bounds = []
    for name, hits, checks in (("unlawful", "unlawful_to_date", "checks_to_date"), ("chance", "base_unlawful", "base_checks")):
        low, high = wilson(_as_served(found[hits]), _as_served(found[checks]))
        bounds += [_percents(f"{name}_low_pct", np.floor(low * 100)), _percents(f"{name}_high_pct", np.ceil(high * 100))]
    yield (
        found.rename({"base_checks": "chance_checks", "base_unlawful": "chance_unlawful"})
        .with_columns(bounds)
        .select(pl.col(name).cast(dtype) for name, dtype in polars_schema(SignalRuleResults).items())
    )


def _as_served(counts: pl.Series) -> "np.typing.NDArray[np.int64]":
    """Counts rounded as they are served: bounds of exact counts would give the exact counts away."""
    step = Protection().round_to
    return ((counts.to_numpy() + step // 2) // step) * step


def _percents(name: str, values: "np.typing.NDArray[np.float64]") -> pl.Series:
    return pl.Series(name, values, pl.Float64).fill_nan(None).cast(pl.Int64)
