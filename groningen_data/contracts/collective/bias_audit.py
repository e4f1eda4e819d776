"""Contract of the audit of selections: is any group selected more often, or more often wrongly, than the group beside it."""

import polars as pl

from groningen_data.contracts.base import Contract, Protection, Rate, column, table
from groningen_data.contracts.welfare.audit_counts import GROUP_CODE, PERIOD_CODE, PROCESS_CODE, PROCESS_KINDS

SELECTION, FALSE_POSITIVE, DURATION = "selection", "false_positive", "duration"
MEASURES = [SELECTION, FALSE_POSITIVE, DURATION]
BREACH, ALIKE, INCONCLUSIVE, WITHHELD, NOT_JUDGED = "breach", "alike", "inconclusive", "withheld", "not_judged"
VERDICTS = [BREACH, ALIKE, INCONCLUSIVE, WITHHELD, NOT_JUDGED]


class BiasAudit(Contract):
    """Each group beside the reference group of its characteristic, per selection process, period and measure.

    *Selection*: selected of all who could be. *False positive*: wrongly selected of all of whom nothing unlawful was found (who
    was not selected counts as lawful, because nobody looked). *Duration*: mean days of a check; told, not judged, because its
    spread is not released. A ratio has a simultaneous interval; wholly outside the bounds it is a *breach*, wholly inside *alike*,
    otherwise *inconclusive*: then there are too few people to tell, which is not the same as no bias.
    """

    process_code: str = column(
        "Selectieproces (regel, aselecte steekproef of mens)",
        "Selection process (rule, random sample or human)",
        str_matches=PROCESS_CODE,
    )
    process_kind: str = column("Soort selectieproces", "Kind of selection process", isin=PROCESS_KINDS)
    period_code: str = column("Periode (CBS-notatie)", "Period (CBS notation)", str_matches=PERIOD_CODE)
    period_end_on: pl.Date = column("Laatste dag van de periode", "Last day of the period")
    released_on: pl.Date = column("Tellingen vrijgegeven op", "Counts released on")
    characteristic_code: str = column("Kenmerk", "Characteristic", str_matches=GROUP_CODE)
    group_code: str = column("Groep", "Group", str_matches=GROUP_CODE)
    reference_group_code: str = column("Groep waarmee wordt vergeleken", "Group it is compared with", str_matches=GROUP_CODE)
    measure_code: str = column("Maat", "Measure", isin=MEASURES)
    group_people: int = column(
        "Mensen in de groep", "People in the group", nullable=True, ge=0, personal_data="statistic", protection=Protection()
    )
    group_cases: int = column(
        "Daarvan (onterecht) geselecteerd",
        "Of these (wrongly) selected",
        nullable=True,
        ge=0,
        personal_data="statistic",
        protection=Protection(population="group_people"),
    )
    reference_people: int = column(
        "Mensen in de vergelijkingsgroep",
        "People in the reference group",
        nullable=True,
        ge=0,
        personal_data="statistic",
        protection=Protection(),
    )
    reference_cases: int = column(
        "Daarvan in de vergelijkingsgroep",
        "Of these in the reference group",
        nullable=True,
        ge=0,
        personal_data="statistic",
        protection=Protection(population="reference_people"),
    )
    ratio: float = column("Verhouding tot de vergelijkingsgroep", "Ratio to the reference group", nullable=True, ge=0)
    ratio_lower: float = column("Ondergrens van de verhouding", "Lower bound of the ratio", nullable=True, ge=0)
    ratio_upper: float = column("Bovengrens van de verhouding", "Upper bound of the ratio", nullable=True, ge=0)
    comparisons: int = column(
        "Vergelijkingen waarvoor is gecorrigeerd", "Comparisons that the interval is corrected for", nullable=True, ge=1
    )
    verdict_code: str = column("Oordeel", "Verdict", isin=VERDICTS)
    is_breach: bool = column("Overschrijdt de grenzen", "Breaches the bounds")

    class Config(Contract.Config):
        metadata = table(
            name="collective.bias_audit",
            title_nl="Biasaudit van selecties",
            title_en="Bias audit of selections",
            grain="one measure of one group, in one selection process and period",
            key=("process_code", "period_code", "characteristic_code", "group_code", "measure_code"),
            owner="Functionaris gegevensbescherming",
            purpose="To stop a rule or a way of working that selects some groups more often, or more often wrongly.",
            legal_basis="Grondwet art. 1; AWGB art. 7a; AVG art. 5(2) and 89; counts of groups only",
            classification="internal",
            reason_not_public="first heard by those audited; the municipality publishes it with its algorithm register",
            retention="10 years",
            freshness_days=400,
            load_mode="snapshot",
            tolerance=0.0,
            served=True,
            rates=(
                Rate(
                    "group_cases_per_1000",
                    "(Onterecht) geselecteerd per 1.000 mensen van de groep",
                    "(Wrongly) selected per 1,000 people of the group",
                    "group_cases",
                    "group_people",
                    1000,
                ),
                Rate(
                    "reference_cases_per_1000",
                    "(Onterecht) geselecteerd per 1.000 mensen van de vergelijkingsgroep",
                    "(Wrongly) selected per 1,000 people of the reference group",
                    "reference_cases",
                    "reference_people",
                    1000,
                ),
            ),
        )
