"""Contract of the daily snapshots of open public-space reports."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES

WASTE_KINDS = ["beside_container", "container_full", "container_broken", "dumping", "bulky", "litter", "hazardous", "other_waste"]


class WasteOpenReports(Contract):
    """Public-space reports that were open on a day, as the reporting system listed them that day.

    All categories are kept: the category decides whether it is about waste. Free text and reporter are never read.
    """

    snapshot_on: pl.Date = column("Peildatum", "Snapshot date")
    report_id: str = column("Meldingnummer", "Report id", str_length={"min_value": 1})
    created_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Gemeld op", "Created at")  # type: ignore[valid-type]
    created_on: pl.Date = column("Datum van melding (lokaal)", "Date of the report (local)")
    main_category_code: str = column("Hoofdcategorie", "Main category", str_length={"min_value": 1})
    category_code: str = column("Categorie", "Category", str_length={"min_value": 1})
    waste_kind: str = column("Soort afvalmelding", "Kind of waste report", nullable=True, isin=WASTE_KINDS)
    longitude: float = column(
        "Lengtegraad", "Longitude", unit="degree", nullable=True, in_range={"min_value": 3.2, "max_value": 7.3}
    )
    latitude: float = column(
        "Breedtegraad", "Latitude", unit="degree", nullable=True, in_range={"min_value": 50.7, "max_value": 53.8}
    )
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    location_status: str = column("Ligging", "Location status", isin=LOCATION_STATUSES)

    class Config(Contract.Config):
        metadata = table(
            name="core.waste_open_reports",
            title_nl="Openstaande meldingen per dag",
            title_en="Open public-space reports per day",
            grain="one report that was open on one day",
            key=("snapshot_on", "report_id"),
            owner="Stadsbeheer",
            purpose="To see what is reported, where, and how long it stays.",
            legal_basis="Task of public interest: keeping public space clean (Wet milieubeheer art. 10.21)",
            classification="internal",
            reason_not_public="the exact place of a report can point at a household",
            retention="3 years",
            freshness_days=2,
            load_mode="partition",
            partition_columns=("snapshot_on",),
            tolerance=0.01,
            source_rules=(
                ("row.type", "the source lists reports as objects"),
                ("created_at.after_snapshot", "a report was made before the end of the day on which it is listed"),
            ),
        )
