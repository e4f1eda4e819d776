"""Contract of the mart that holds each signal rule against chance: counts of checks and what they found, never persons."""

from typing import Any

import polars as pl

from groningen_data.contracts.base import Contract, Protection, column, table

TOO_FEW, BEATS_CHANCE, NO_BETTER = "too_few", "beats_chance", "no_better_than_chance"

_SHARE: dict[str, Any] = {"unit": "%", "nullable": True, "ge": 0, "le": 100, "personal_data": "statistic"}


def _bound(follows: str) -> Protection:
    return Protection(minimum=1, round_to=1, follows=follows)


class SignalRuleResults(Contract):
    """One look at each version of a signal rule at the end of each month, and one at the random sample (`random_sample`, version 0).

    To date: of a version since it began; of the sample over twelve months. Shares are 95 % intervals of Wilson over the counts as
    they are served (rounded to tens), outwards to whole percents; the verdict is that of the exact counts. A rule whose lower bound does not lie above the upper bound of chance is suspended from then on; nothing is said
    before there are enough outcomes of both.
    """

    rule_id: str = column("Regel, of random_sample", "Rule, or random_sample")
    rule_version: int = column("Versie van de regel", "Version of the rule", ge=0)
    month_on: pl.Date = column("Eerste dag van de maand", "First day of the month")
    checks: int = column("Controles in de maand", "Checks in the month", ge=0, personal_data="statistic", protection=Protection())
    unlawful: int = column(
        "Waarvan onrechtmatig",
        "Of which unlawful",
        ge=0,
        personal_data="statistic",
        protection=Protection(population="checks", follows="checks"),
    )
    fact_wrong: int = column(
        "Waarvan feit onjuist",
        "Of which the fact was wrong",
        ge=0,
        personal_data="statistic",
        protection=Protection(population="checks", follows="checks"),
    )
    checks_to_date: int = column(
        "Controles tot nu toe", "Checks to date", ge=0, personal_data="statistic", protection=Protection()
    )
    unlawful_to_date: int = column(
        "Waarvan onrechtmatig tot nu toe",
        "Of which unlawful to date",
        ge=0,
        personal_data="statistic",
        protection=Protection(population="checks_to_date", follows="checks_to_date"),
    )
    unlawful_low_pct: int = column(
        "Aandeel onrechtmatig, ondergrens", "Share unlawful, lower bound", protection=_bound("unlawful_to_date"), **_SHARE
    )
    unlawful_high_pct: int = column(
        "Aandeel onrechtmatig, bovengrens", "Share unlawful, upper bound", protection=_bound("unlawful_to_date"), **_SHARE
    )
    chance_checks: int = column(
        "Controles in de steekproef (12 maanden)",
        "Checks of the sample (12 months)",
        ge=0,
        personal_data="statistic",
        protection=Protection(),
    )
    chance_unlawful: int = column(
        "Waarvan onrechtmatig in de steekproef",
        "Of which unlawful in the sample",
        ge=0,
        personal_data="statistic",
        protection=Protection(population="chance_checks", follows="chance_checks"),
    )
    chance_low_pct: int = column(
        "Aandeel bij toeval, ondergrens", "Share by chance, lower bound", protection=_bound("chance_unlawful"), **_SHARE
    )
    chance_high_pct: int = column(
        "Aandeel bij toeval, bovengrens", "Share by chance, upper bound", protection=_bound("chance_unlawful"), **_SHARE
    )
    verdict_code: str = column(
        "Oordeel (leeg: de steekproef zelf)",
        "Verdict (empty: the sample itself)",
        nullable=True,
        isin=[TOO_FEW, BEATS_CHANCE, NO_BETTER],
    )
    is_suspended: bool = column("Geschorst", "Is suspended", nullable=True)

    class Config(Contract.Config):
        metadata = table(
            name="collective.signal_rule_results",
            title_nl="Wat signaalregels opleveren, naast toeval",
            title_en="What signal rules find, beside chance",
            grain="one version of a rule at the end of one month",
            key=("rule_id", "rule_version", "month_on"),
            owner="Werk en Inkomen",
            purpose="To stop rules that burden people without finding more than chance does.",
            legal_basis="Participatiewet art. 53a; AVG art. 5(1)(c), 25 and 89",
            classification="public",
            retention="10 years",
            freshness_days=62,
            load_mode="snapshot",
            period_column="month_on",
            tolerance=0.0,
            served=True,
        )
