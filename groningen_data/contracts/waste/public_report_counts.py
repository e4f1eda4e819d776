"""Contract of the numbers of open public-space reports on the public map."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES
from groningen_data.contracts.waste.open_reports import WASTE_KINDS


class WastePublicReportCounts(Contract):
    """How many public-space reports were open on a day, per category and neighbourhood, as the public map showed them.

    For a municipality that may not ask its reporting system for the reports themselves. The map shows public categories only, and
    has no numbers of reports: how many were made or closed in between cannot be told.
    """

    snapshot_on: pl.Date = column("Peildatum", "Snapshot date")
    main_category_code: str = column("Hoofdcategorie", "Main category", str_length={"min_value": 1})
    category_code: str = column("Categorie", "Category", str_length={"min_value": 1})
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    location_status: str = column("Ligging", "Location status", isin=LOCATION_STATUSES)
    waste_kind: str = column("Soort afvalmelding", "Kind of waste report", nullable=True, isin=WASTE_KINDS)
    open_reports: int = column("Openstaande meldingen", "Open reports", ge=1)
    oldest_created_on: pl.Date = column("Oudste melding (lokale datum)", "Oldest report (local date)")
    newest_created_on: pl.Date = column("Nieuwste melding (lokale datum)", "Newest report (local date)")

    class Config(Contract.Config):
        metadata = table(
            name="core.waste_public_report_counts",
            title_nl="Openstaande meldingen op de openbare kaart, aantallen per dag",
            title_en="Open reports on the public map, numbers per day",
            grain="one category in one neighbourhood on one day",
            key=("snapshot_on", "main_category_code", "category_code", "neighbourhood_code", "location_status"),
            owner="Stadsbeheer",
            purpose="To see what is reported and where, without rights to the reports themselves.",
            legal_basis="Task of public interest: keeping public space clean (Wet milieubeheer art. 10.21)",
            classification="public",
            retention="5 years",
            freshness_days=2,
            load_mode="partition",
            partition_columns=("snapshot_on",),
            tolerance=0.05,
            source_rules=(
                ("created_on.after_snapshot", "a report was made before the end of the day on which the map showed it"),
            ),
        )
