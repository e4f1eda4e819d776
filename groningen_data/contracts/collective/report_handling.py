"""Contract of the mart of how long waste reports stay open."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.waste.open_reports import WASTE_KINDS

OPEN_DAYS = 7


class ReportHandling(Contract):
    """Waste reports by the day on which they were made: how many were dealt with within a week, and how many stayed open longer.

    The whole municipality, without places. The reports of a day are judged together, once more than a week has passed: before
    that only those that were dealt with quickly could be. Days before the first list are left out: of those only the reports
    that stayed open are known.
    """

    created_on: pl.Date = column("Datum van melding", "Date of the report")
    waste_kind: str = column("Soort afvalmelding", "Kind of waste report", isin=WASTE_KINDS)
    reports: int = column("Meldingen", "Reports", ge=1)
    judged_reports: int = column("Beoordeelbare meldingen", "Reports that can be judged", ge=0)
    open_over_7_days: int = column("Langer dan 7 dagen open", "Open for longer than 7 days", ge=0)

    class Config(Contract.Config):
        metadata = table(
            name="collective.report_handling",
            title_nl="Afhandeling van afvalmeldingen",
            title_en="Handling of waste reports",
            grain="one kind of waste report on one day of making",
            key=("created_on", "waste_kind"),
            owner="Stadsbeheer",
            purpose="To see whether reports are dealt with in time.",
            legal_basis="Task of public interest: keeping public space clean (Wet milieubeheer art. 10.21)",
            classification="public",
            retention="10 years",
            freshness_days=2,
            load_mode="snapshot",
            period_column="created_on",
            tolerance=0.0,
            served=True,
        )
