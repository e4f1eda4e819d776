"""How often the bias audit finds a bias that is there, and one that is not: `python -m benchmarks.bias_audit [SEEDS]`.

Half-years of the sample city's audit environment, with people who select one group so many times as often as the others; and the
same at other sizes, because what an audit can see depends on how many people are selected. Prints Markdown.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from groningen_data.contracts.welfare.audit_counts import HUMAN_SELECTION
from groningen_data.marts.bias_audit import compared, judged
from groningen_data.sample.audit_counts import BIAS, BIASED, PROCESSES, SAMPLE, Process, half_year
from groningen_data.settings import load_settings

BIASES = (1.0, 1.25, 1.5, 1.75, BIAS, 2.5)
SIZES = (0.25, 0.5, 1, 2, 4)


def audited(seeds: int, bias: float, processes: Sequence[Process] = PROCESSES) -> pl.DataFrame:
    """The audits of one half-year each, of so many seeds; the seed stands where the period stands in the lake."""
    parts = [
        half_year(np.random.default_rng([seed, int(100 * bias)]), 2025, 2, bias, processes).with_columns(
            period_code=pl.lit(str(seed))
        )
        for seed in range(seeds)
    ]
    is_person = pl.col("proces").is_in([SAMPLE, "menselijke_selectie"])
    counts = pl.concat(parts).select(
        pl.col("proces").replace("menselijke_selectie", HUMAN_SELECTION).alias("process_code"),
        pl.when(is_person).then(pl.lit("human_selection")).otherwise(pl.lit("rule")).alias("process_kind"),
        "period_code",
        pl.lit("2025-12-31").str.to_date().alias("period_end_on"),
        pl.col("kenmerk").alias("characteristic_code"),
        pl.col("groep").alias("group_code"),
        (pl.col("referentiegroep") == "ja").alias("is_reference"),
        pl.col("populatie").cast(pl.Int64).alias("population"),
        pl.col("geselecteerd").cast(pl.Int64, strict=False).alias("selected"),
        pl.col("onterecht").cast(pl.Int64, strict=False).alias("wrongly_selected"),
        pl.lit(None, pl.Float64).alias("mean_duration_days"),
        pl.lit("2026-02-14").str.to_date().alias("released_on"),
    )
    settings = load_settings(profile="sample")
    return judged(compared(counts), settings.bias_ratio_bounds, settings.bias_confidence)


def rates(audits: pl.DataFrame) -> dict[str, float]:
    """Shares of the seeds: planted bias found by selection, by false positives; anything else found; and of comparisons: alike."""
    planted = (pl.col("process_code") == HUMAN_SELECTION) & (pl.col("characteristic_code") == BIASED[0])
    planted &= pl.col("group_code") == BIASED[1]
    seeds = audits["period_code"].n_unique()

    def share(where: pl.Expr) -> float:
        return audits.filter(where & pl.col("is_breach"))["period_code"].n_unique() / seeds

    is_told = audits.filter(pl.col("verdict_code").is_in(["breach", "alike", "inconclusive"]))
    return {
        "selection": share(planted & (pl.col("measure_code") == "selection")),
        "false_positive": share(planted & (pl.col("measure_code") == "false_positive")),
        "elsewhere": share(~planted),
        "alike": (is_told["verdict_code"] == "alike").mean() or 0.0,  # type: ignore[dict-item]
    }


def main(seeds: int) -> None:
    print(
        f"| people select the group … times as often ({seeds} seeds) | found by selection | by false positives | any other breach |"
    )
    print("|---|---|---|---|")
    for bias in BIASES:
        found = rates(audited(seeds, bias))
        print(f"| {bias:g} | {found['selection']:.1%} | {found['false_positive']:.1%} | {found['elsewhere']:.1%} |")
    print(
        "\n| selected, times the sample city's | bias of 1.5 found | of 2 found | breaches without bias | comparisons that are *alike* |"
    )
    print("|---|---|---|---|---|")
    for size in SIZES:
        processes = [replace(process, selected=round(process.selected * size)) for process in PROCESSES]
        small, large, none = (rates(audited(seeds, bias, processes)) for bias in (1.5, 2.0, 1.0))
        anything = max(none["selection"], none["false_positive"], none["elsewhere"])
        print(f"| {size:g} | {small['selection']:.1%} | {large['selection']:.1%} | {anything:.1%} | {none['alike']:.1%} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
