"""Contract of the state of each public-space report, as the reporting system says it."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES
from groningen_data.contracts.waste.open_reports import WASTE_KINDS


class WasteReportStates(Contract):
    """Public-space reports with their state, category and place as the reporting system last said them.

    A report that was split is a parent: its parts are reports of their own, and it is not counted itself. A report that was
    removed was given a category that we may not see; what is here of it is from before. Free text, reporter and address are
    never stored.
    """

    report_id: str = column("Meldingnummer", "Report id", str_length={"min_value": 1})
    created_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Gemeld op", "Created at")  # type: ignore[valid-type]
    created_on: pl.Date = column("Datum van melding (lokaal)", "Date of the report (local)")
    updated_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Bijgewerkt op", "Updated at")  # type: ignore[valid-type]
    status_code: str = column("Status", "Status", str_length={"min_value": 1})
    is_closed: bool = column("Is afgesloten", "Is closed")
    closed_at: pl.Datetime(time_unit="us", time_zone="UTC") = column(  # type: ignore[valid-type]
        "Afgesloten op", "Closed at", nullable=True
    )
    closed_on: pl.Date = column("Datum van afsluiting (lokaal)", "Date of closing (local)", nullable=True)
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
    container_code: str = column("Aangewezen container", "Container pointed at", nullable=True)
    containers: int = column("Aantal aangewezen containers", "Containers pointed at", ge=0)
    parent_id: str = column("Hoofdmelding", "Parent report", nullable=True)
    is_parent: bool = column("Is hoofdmelding", "Is a parent")
    is_removed: bool = column("Is verwijderd", "Is removed")

    class Config(Contract.Config):
        metadata = table(
            name="core.waste_report_states",
            title_nl="Stand van de meldingen openbare ruimte",
            title_en="State of the public-space reports",
            grain="one report",
            key=("report_id",),
            owner="Stadsbeheer",
            purpose="To know what became of each report, also of those that were made and closed within a day.",
            legal_basis="Task of public interest: keeping public space clean (Wet milieubeheer art. 10.21)",
            classification="internal",
            reason_not_public="the exact place of a report can point at a household",
            retention="3 years",
            freshness_days=2,
            load_mode="merge",
            period_column="created_on",
            tolerance=0.01,
            source_rules=(
                ("updated_at.before_created", "a report is not updated before it is made"),
                ("closed_at.before_created", "a report is not closed before it is made"),
            ),
        )
