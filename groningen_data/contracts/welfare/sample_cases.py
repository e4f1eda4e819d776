"""Contract of the frozen lists that the random sample is drawn from, under pseudonyms."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.welfare.benefit_cases import PSEUDONYM


class WelfareSampleCases(Contract):
    """Per month every case that ran when the sample was drawn, and whether it was drawn. Once written, a month never changes.

    The whole list is kept, and not only who was drawn, because a draw can be checked with the whole list only.
    """

    month_on: pl.Date = column("Eerste dag van de maand", "First day of the month")
    case_pseudonym: str = column("Zaak (pseudoniem)", "Case (pseudonym)", personal_data="pseudonym", **PSEUDONYM)
    is_drawn: bool = column("Getrokken", "Is drawn")
    drawn_on: pl.Date = column("Datum van de trekking", "Date of the draw")
    planned_checks: int = column("Geplande controles in de maand", "Checks planned in the month", ge=1)

    class Config(Contract.Config):
        metadata = table(
            name="core.welfare_sample_cases",
            title_nl="Aselecte steekproef: lijsten (gepseudonimiseerd)",
            title_en="Random sample: lists (pseudonymised)",
            grain="one running case in one month",
            key=("month_on", "case_pseudonym"),
            owner="Werk en Inkomen",
            purpose="To know what chance finds, so that rules can be held against it.",
            legal_basis="Participatiewet art. 53a; AVG art. 5 and 25",
            classification="confidential",
            reason_not_public="rows about persons, under pseudonyms",
            retention="2 years",
            freshness_days=62,
            load_mode="snapshot",
            period_column="month_on",
            tolerance=0.0,
        )
