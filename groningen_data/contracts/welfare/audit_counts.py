"""Contract of the group counts with which selections are audited for bias: released by a separate environment, never persons."""

from typing import Any

import pandera.polars as pa
import polars as pl

from groningen_data.contracts.base import Contract, column, table

SMALLEST = 10
"""The smallest number of people that a cell may stand for, itself and what is left when it is taken from its total."""
RANDOM_SAMPLE, HUMAN_SELECTION = "random_sample", "human_selection"
PROCESS_KINDS = ["rule", RANDOM_SAMPLE, HUMAN_SELECTION]
PROCESS_CODE = r"^[a-z0-9]+([_-][a-z0-9]+)*$"
GROUP_CODE = r"^[a-z0-9]+(_[a-z0-9]+)*$"
PERIOD_CODE = r"^\d{4}(JJ00|HJ0[12]|KW0[1-4])$"


class WelfareAuditCounts(Contract):
    """How many people of a group were selected for a check by one process in one period, and how many of those wrongly.

    To which group somebody belongs (origin, gender, age, …) is known in the audit environment only; what is released is counts of
    ten and more. Wrongly selected is who was selected and of whom nothing unlawful was found. A count that is not released is
    missing, with its reason; so is one that would tell a smaller number when it is taken from its total.
    """

    process_code: str = column(
        "Selectieproces (regel, aselecte steekproef of mens)",
        "Selection process (rule, random sample or human)",
        str_matches=PROCESS_CODE,
    )
    process_kind: str = column("Soort selectieproces", "Kind of selection process", isin=PROCESS_KINDS)
    period_code: str = column("Periode (CBS-notatie)", "Period (CBS notation)", str_matches=PERIOD_CODE)
    period_end_on: pl.Date = column("Laatste dag van de periode", "Last day of the period")
    characteristic_code: str = column("Kenmerk", "Characteristic", str_matches=GROUP_CODE)
    group_code: str = column("Groep", "Group", str_matches=GROUP_CODE)
    is_reference: bool = column("Is de groep waarmee wordt vergeleken", "Is the group that others are compared with")
    population: int = column(
        "Mensen die geselecteerd konden worden", "People who could be selected", ge=SMALLEST, personal_data="statistic"
    )
    selected: int = column("Geselecteerd", "Selected", nullable=True, ge=SMALLEST, personal_data="statistic")
    wrongly_selected: int = column(
        "Onterecht geselecteerd", "Wrongly selected", nullable=True, ge=SMALLEST, personal_data="statistic"
    )
    missing_reason: str = column("Reden van ontbreken", "Reason when a count is missing", nullable=True, isin=["withheld"])
    mean_duration_days: float = column(
        "Gemiddelde duur van het onderzoek", "Mean duration of the check", unit="d", nullable=True, ge=0, le=3_650
    )
    released_on: pl.Date = column("Vrijgegeven op", "Released on")

    @pa.dataframe_check  # type: ignore[untyped-decorator]
    @classmethod
    def nobody_is_left_alone(cls, data: Any) -> pl.LazyFrame:
        """What is left of a group when a count is taken from its total is ten or more."""
        left_over = (pl.col("population") - pl.col("selected"), pl.col("selected") - pl.col("wrongly_selected"))
        rows: pl.LazyFrame = data.lazyframe
        return rows.select(pl.all_horizontal((left >= SMALLEST).fill_null(True) for left in left_over))

    @pa.dataframe_check  # type: ignore[untyped-decorator]
    @classmethod
    def missing_counts_say_why(cls, data: Any) -> pl.LazyFrame:
        """A count that is missing says why, and no part is there without its whole."""
        is_missing = pl.col("selected").is_null() | pl.col("wrongly_selected").is_null()
        is_part_alone = pl.col("selected").is_null() & pl.col("wrongly_selected").is_not_null()
        rows: pl.LazyFrame = data.lazyframe
        return rows.select((is_missing == pl.col("missing_reason").is_not_null()) & ~is_part_alone)

    class Config(Contract.Config):
        metadata = table(
            name="core.welfare_audit_counts",
            title_nl="Groepstellingen voor de biasaudit",
            title_en="Group counts for the bias audit",
            grain="one group of one characteristic, in one selection process and period",
            key=("process_code", "period_code", "characteristic_code", "group_code"),
            owner="Functionaris gegevensbescherming",
            purpose="To find out whether rules, the random sample or people select some groups more often, or more often wrongly.",
            legal_basis="Grondwet art. 1; AWGB art. 7a; AVG art. 5(2) and 89; counts of groups only",
            classification="internal",
            reason_not_public="exact counts; the audit made of them serves them under disclosure control",
            retention="10 years",
            freshness_days=400,
            load_mode="partition",
            partition_columns=("period_code",),
            tolerance=0.0,
        )
