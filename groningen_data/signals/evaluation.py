"""What a rule is worth: whether it finds clearly more than chance does, month by month, and when it stops itself.

Shares are binomial; their 95 % intervals are Wilson's (1927; recommended for small counts by Brown, Cai and DasGupta, Interval
estimation for a binomial proportion, Statistical Science 16(2), 2001). A rule beats chance when its whole interval lies above that
of the random sample, which is stricter than a test at 5 %.
"""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groningen_data.contracts.collective.signal_rule_results import BEATS_CHANCE, NO_BETTER, TOO_FEW

BASE_MONTHS = 12
"""The share that chance finds is that of so many months, up to the one looked at."""

_ALPHA = 0.05

Numbers = NDArray[Any]


def wilson(hits: Numbers, checks: Numbers) -> tuple[Numbers, Numbers]:
    """Lower and upper bound of the share of hits (95 %, Wilson); nan where nothing was checked."""
    from statsmodels.stats.proportion import proportion_confint

    hits, checks = np.asarray(hits, float), np.asarray(checks, float)
    low, high = proportion_confint(hits, np.where(checks > 0, checks, 1), alpha=_ALPHA, method="wilson")
    return np.where(checks > 0, low, np.nan), np.where(checks > 0, high, np.nan)


def verdicts(hits: Numbers, checks: Numbers, base_hits: Numbers, base_checks: Numbers, minimum: int) -> Numbers:
    """What is said of rules, element by element.

    Args:
        hits: Checks of the rule that found an unlawful payment.
        checks: Checks of the rule.
        base_hits: The same for the random sample.
        base_checks: The same for the random sample.
        minimum: Of either, before anything is said.
    """
    low, _ = wilson(hits, checks)
    _, base_high = wilson(base_hits, base_checks)
    is_known = (np.asarray(checks) >= minimum) & (np.asarray(base_checks) >= minimum)
    return np.where(~is_known, TOO_FEW, np.where(low > base_high, BEATS_CHANCE, NO_BETTER))


def looks(months: pl.DataFrame, minimum: int, sample: str, today: date) -> pl.DataFrame:
    """One look at each rule at the end of each month, and one at the random sample.

    A rule that was found no better than chance stays suspended: only another version begins anew.

    Args:
        months: `rule_id`, `rule_version`, `month_on` (the first day), `checks`, `unlawful`, `fact_wrong`.
        minimum: Outcomes before anything is said.
        sample: The `rule_id` of the random sample.
        today: Months that have not ended by then are left out.

    Returns:
        The same rows for every month from a rule's first to the last that ended, with `checks_to_date` and `unlawful_to_date` (of the
        version; for the sample: of twelve months), `base_checks`, `base_unlawful`, `verdict_code` and `is_suspended`; the last
        two are null for the sample.
    """
    key, this_month = ["rule_id", "rule_version"], today.replace(day=1)
    ended = months.filter(pl.col("month_on") < this_month)
    every = (
        ended.group_by(key, maintain_order=True)
        .agg(pl.col("month_on").min().alias("first"))
        .with_columns(pl.date_ranges("first", pl.lit(this_month), "1mo", closed="left").alias("month_on"))
        .explode("month_on")
        .drop("first")
    )
    counts = pl.col("checks", "unlawful", "fact_wrong")
    full = every.join(ended, on=[*key, "month_on"], how="left").with_columns(counts.fill_null(0)).sort(*key, "month_on")
    is_sample = pl.col("rule_id") == sample
    counted = full.with_columns(
        pl.when(is_sample)
        .then(pl.col(name).rolling_sum(BASE_MONTHS, min_samples=1).over(key))
        .otherwise(pl.col(name).cum_sum().over(key))
        .alias(f"{name}_to_date")
        for name in ("checks", "unlawful")
    )
    base = counted.filter(is_sample).select("month_on", base_checks="checks_to_date", base_unlawful="unlawful_to_date")
    held = counted.join(base, on="month_on", how="left", maintain_order="left").with_columns(
        pl.col("base_checks", "base_unlawful").fill_null(0)
    )
    hits, checks, base_hits, base_checks = (
        held[name].to_numpy() for name in ("unlawful_to_date", "checks_to_date", "base_unlawful", "base_checks")
    )
    said = pl.Series("said", verdicts(hits, checks, base_hits, base_checks, minimum).tolist(), pl.String)
    judged = held.with_columns(pl.when(~is_sample).then(said).alias("verdict_code"))
    return judged.with_columns((pl.col("verdict_code") == NO_BETTER).cum_max().over(key).alias("is_suspended"))
