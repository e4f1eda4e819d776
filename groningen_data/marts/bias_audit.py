"""Group counts of selections beside each other: ratios of rates with simultaneous intervals, and the incidents that follow."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.collective.bias_audit import (
    ALIKE,
    BREACH,
    DURATION,
    FALSE_POSITIVE,
    INCONCLUSIVE,
    NOT_JUDGED,
    SELECTION,
    WITHHELD,
    BiasAudit,
)
from groningen_data.contracts.collective.bias_incidents import CLOSED, CONSEQUENCES, OPEN, WATCHED, BiasIncidents
from groningen_data.contracts.welfare.audit_counts import SMALLEST
from groningen_data.gate.recipe import AnalysisContext

_FAMILY = ["process_code", "period_code"]
_CELLS = ("group_people", "group_cases", "reference_people", "reference_cases")
_ACTIONS = {
    "rule": (
        "De regel ligt stil. Zoek uit waardoor de groep anders wordt behandeld, trek de regel in of maak er een nieuwe van met een "
        "eigen nummer en een eigen oordeel van de FG, en herstel wat onterecht is begonnen.",
        "The rule is suspended. Find out why the group is treated otherwise, withdraw the rule or make a new one of it with an id "
        "of its own, judged by the data protection officer, and put right what was begun wrongly.",
    ),
    "human_selection": (
        "Stop met selecteren op eigen inzicht. Gebruik de steekproef en feitelijke signalen, bespreek de uitkomst met de "
        "medewerkers en de FG, en herstel wat onterecht is begonnen.",
        "Stop selecting at discretion. Use the sample and factual signals, discuss the outcome with the staff and the data "
        "protection officer, and put right what was begun wrongly.",
    ),
    "random_sample": (
        "Controleer de trekking: een aselecte steekproef hoort geen groep vaker te treffen. Kijk of het steekproefkader volledig "
        "is en of alle getrokken dossiers zijn onderzocht.",
        "Examine the draw: a random sample does not hit one group more often. See whether its frame is complete, and whether all "
        "drawn files were looked at.",
    ),
}


def audit(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """Rows of `collective.bias_audit`, from the counts that were released."""
    counts = context.frame(context.table("core.welfare_audit_counts"))
    if not counts.is_empty():
        yield judged(compared(counts), context.settings.bias_ratio_bounds, context.settings.bias_confidence)


def incidents(context: AnalysisContext) -> Iterator[pl.DataFrame]:
    """Rows of `collective.bias_incidents`, from all audits in order of time."""
    audits = context.frame(context.table("collective.bias_audit"))
    if not audits.is_empty():
        yield opened(audits)


def compared(counts: pl.DataFrame) -> pl.DataFrame:
    """Each group beside the reference group of its characteristic: a row per measure, without ratios.

    Counts under ten are taken for withheld, whichever way they came.

    Args:
        counts: The columns of `core.welfare_audit_counts`.
    """
    keys = [*_FAMILY, "characteristic_code"]
    safe = [pl.when(pl.col(c) >= SMALLEST).then(c).alias(c) for c in ("population", "selected", "wrongly_selected")]
    found = pl.col("selected") - pl.col("wrongly_selected")
    told = counts.with_columns(safe).with_columns(nothing_found=pl.col("population") - found)
    numbers = ["population", "selected", "wrongly_selected", "nothing_found", "mean_duration_days"]
    reference = told.filter("is_reference").select(*keys, pl.col("group_code").alias("reference_group_code"), *numbers)
    pairs = told.filter(~pl.col("is_reference")).join(reference, on=keys, suffix="_reference")
    measures = {SELECTION: ("population", "selected"), FALSE_POSITIVE: ("nothing_found", "wrongly_selected")}
    described = [*keys, "process_kind", "period_end_on", "released_on", "group_code", "reference_group_code"]
    parts = [
        pairs.select(
            *described,
            pl.lit(measure).alias("measure_code"),
            *(pl.col(c).alias(name) for c, name in zip((people, cases), _CELLS[:2], strict=True)),
            *(pl.col(f"{c}_reference").alias(name) for c, name in zip((people, cases), _CELLS[2:], strict=True)),
            pl.lit(None, pl.Float64).alias("days_ratio"),
        )
        for measure, (people, cases) in measures.items()
    ]
    days = pl.col("mean_duration_days") / pl.col("mean_duration_days_reference")
    empty = [pl.lit(None, pl.Int64).alias(name) for name in _CELLS]
    parts.append(pairs.select(*described, pl.lit(DURATION).alias("measure_code"), *empty, days.alias("days_ratio")))
    return pl.concat(parts)


def judged(pairs: pl.DataFrame, bounds: tuple[float, float], confidence: float) -> pl.DataFrame:
    """The pairs with ratio, interval and verdict: the columns of `collective.bias_audit`.

    The interval of a ratio of two proportions is the adjusted log interval (Walter, *Biometrika* 62, 1975, 371-374; recommended for
    larger groups by Fagerland, Lydersen and Laake, *Statistical Methods in Medical Research* 24, 2015, 224-254). Intervals of one
    process and period hold together with the confidence asked for (Bonferroni: Dunn, *JASA* 56, 1961, 52-64), whatever measures
    and groups have in common. Ratios are rounded to two decimals after they are judged.

    Args:
        pairs: Of `compared`.
        bounds: Between which ratios groups are alike.
        confidence: Chance that all intervals of a process and period hold the true ratio.
    """
    from statsmodels.stats.proportion import confint_proportions_2indep

    is_known = pl.all_horizontal(pl.col(c).is_not_null() for c in _CELLS)
    pairs = pairs.with_columns(is_known=is_known).with_columns(comparisons=pl.col("is_known").sum().over(_FAMILY).cast(pl.Int64))
    known = pairs.filter("is_known")
    people, cases, reference_people, reference_cases = (known[c].cast(pl.Float64).to_numpy() for c in _CELLS)
    lower, upper = confint_proportions_2indep(
        cases,
        people,
        reference_cases,
        reference_people,
        compare="ratio",
        method="log-adjusted",
        alpha=(1 - confidence) / known["comparisons"].to_numpy(),
    )
    ratio = (cases / people) / (reference_cases / reference_people)
    figures = [pl.Series("ratio", ratio), pl.Series("ratio_lower", lower), pl.Series("ratio_upper", upper)]
    unknown = pairs.filter(~pl.col("is_known"))
    both = pl.concat([known.with_columns(figures), unknown], how="diagonal")
    least, most = bounds
    verdict = (
        pl.when(pl.col("measure_code") == DURATION)
        .then(pl.lit(NOT_JUDGED))
        .when(~pl.col("is_known"))
        .then(pl.lit(WITHHELD))
        .when((pl.col("ratio_lower") > most) | (pl.col("ratio_upper") < least))
        .then(pl.lit(BREACH))
        .when((pl.col("ratio_lower") >= least) & (pl.col("ratio_upper") <= most))
        .then(pl.lit(ALIKE))
        .otherwise(pl.lit(INCONCLUSIVE))
    )
    return (
        both.with_columns(
            verdict.alias("verdict_code"),
            pl.coalesce("ratio", "days_ratio").round(2).alias("ratio"),
            pl.col("ratio_lower", "ratio_upper").round(2),
            pl.when("is_known").then("comparisons").alias("comparisons"),
        )
        .with_columns((pl.col("verdict_code") == BREACH).alias("is_breach"))
        .select(*polars_schema(BiasAudit))
        .sort(*_FAMILY, "characteristic_code", "group_code", "measure_code")
    )


def opened(audits: pl.DataFrame) -> pl.DataFrame:
    """The incidents: the columns of `collective.bias_incidents`.

    Args:
        audits: The columns of `collective.bias_audit`.
    """
    rows: list[dict[str, Any]] = []
    judgeable = audits.filter(pl.col("verdict_code").is_in([BREACH, ALIKE, INCONCLUSIVE, WITHHELD])).sort(
        "period_end_on", "period_code"
    )
    groups = judgeable.group_by("process_code", "characteristic_code", "group_code", "measure_code", maintain_order=True)
    for _, series in groups:
        standing: dict[str, Any] | None = None
        for row in series.iter_rows(named=True):
            if row["is_breach"]:
                if standing is None:
                    standing = {"opened_period_code": row["period_code"], "opened_on": row["released_on"], "closed_on": None}
                    rows.append(standing)
                standing |= {**row, "last_period_code": row["period_code"], "status_code": OPEN}
            elif standing is not None and row["verdict_code"] == ALIKE:
                standing |= {"status_code": CLOSED, "closed_on": row["released_on"]}
                standing = None
            elif standing is not None:
                standing["status_code"] = WATCHED
    for incident in rows:
        kind = incident["process_kind"]
        incident["consequence_code"] = CONSEQUENCES[kind]
        incident["action_nl"], incident["action_en"] = _ACTIONS[kind]
    schema = polars_schema(BiasIncidents)
    return pl.DataFrame([{name: row[name] for name in schema} for row in rows], schema=schema)
