"""Contract of the public-space reports, one row per report."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES
from groningen_data.contracts.waste.open_reports import WASTE_KINDS


class WasteReports(Contract):
    """Public-space reports, one row each; those that were split count as their parts.

    Where the reporting system is asked for the state of each report, it says when one was closed. Where there are only daily
    snapshots of open reports, closing is inferred: a report that is missing from the next snapshot was closed by then, and one
    that was made and closed between two snapshots is never seen.
    """

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
    first_seen_on: pl.Date = column("Eerste peildatum", "First snapshot date", nullable=True)
    last_seen_on: pl.Date = column("Laatste peildatum", "Last snapshot date", nullable=True)
    snapshots_seen: int = column("Aantal peildata", "Number of snapshots", ge=0)
    closed_on: pl.Date = column("Afgesloten op", "Closed on", nullable=True)
    is_open: bool = column("Staat nog open", "Is still open")
    is_closing_inferred: bool = column("Afsluiting is afgeleid", "Closing is inferred")

    class Config(Contract.Config):
        metadata = table(
            name="core.waste_reports",
            title_nl="Meldingen openbare ruimte",
            title_en="Public-space reports",
            grain="one report",
            key=("report_id",),
            owner="Stadsbeheer",
            purpose="To count each report once, and to see how long it took.",
            legal_basis="Task of public interest: keeping public space clean (Wet milieubeheer art. 10.21)",
            classification="internal",
            reason_not_public="the exact place of a report can point at a household",
            retention="3 years",
            freshness_days=2,
            load_mode="snapshot",
            period_column="created_on",
            running_columns=("last_seen_on", "snapshots_seen"),
            tolerance=0.0,
        )
