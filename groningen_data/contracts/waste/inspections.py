"""Contract of the inspections of container places."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES
from groningen_data.contracts.waste.codes import EARTH_LATITUDES, EARTH_LONGITUDES

CAUSES = ["full", "bulky", "construction", "unknown"]
BULKY_MISSING_REASONS = ["not_counted"]


class WasteInspections(Contract):
    """Inspections of container places: whether waste stood beside the containers, and how much of it was bulky.

    Unlike reports, inspections also say where nothing was wrong. Of a remark only its code is kept, never text.
    """

    month: str = column("Maand", "Month", str_matches=r"^\d{4}-\d{2}$")
    inspection_id: str = column("Schouwnummer", "Inspection number", str_length={"min_value": 1})
    container_code: str = column("Containercode", "Container code", nullable=True)
    inspected_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Geschouwd op", "Inspected at")  # type: ignore[valid-type]
    inspected_on: pl.Date = column("Datum van de schouw (lokaal)", "Date of the inspection (local)")
    local_hour: int = column("Lokaal uur", "Local hour", unit="h", ge=0, le=23)
    weekday: int = column("Weekdag (1 = maandag)", "Weekday (1 = Monday)", ge=1, le=7)
    longitude: float = column("Lengtegraad", "Longitude", unit="degree", nullable=True, in_range=EARTH_LONGITUDES)
    latitude: float = column("Breedtegraad", "Latitude", unit="degree", nullable=True, in_range=EARTH_LATITUDES)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    location_status: str = column("Ligging", "Location status", isin=LOCATION_STATUSES)
    is_waste_beside: bool = column("Bijplaatsing", "Waste stood beside the containers")
    bulky_items: int = column("Stuks grofvuil", "Bulky items", nullable=True, ge=0, le=500)
    bulky_missing_reason: str = column(
        "Reden van ontbrekend aantal",
        "Reason when the number of bulky items is missing",
        nullable=True,
        isin=BULKY_MISSING_REASONS,
    )
    cause_code: str = column("Oorzaak", "Cause", nullable=True, isin=CAUSES)
    remark_code: str = column("Code van de opmerking", "Code of the remark", nullable=True, str_matches=r"^[A-Za-z0-9_-]+$")

    class Config(Contract.Config):
        metadata = table(
            name="core.waste_inspections",
            title_nl="Schouwen van containerlocaties",
            title_en="Inspections of container places",
            grain="one inspection",
            key=("inspection_id",),
            owner="Stadsbeheer",
            purpose="To see where waste is put beside containers, and why, also where nobody reports it.",
            legal_basis="Task of public interest: keeping public space clean (Wet milieubeheer art. 10.21)",
            classification="internal",
            reason_not_public="when and where an inspection was made tells what an inspector did",
            retention="3 years",
            freshness_days=7,
            load_mode="partition",
            partition_columns=("month",),
            period_column="inspected_on",
            tolerance=0.05,
            source_rules=(
                ("inspected_at.nonexistent", "an inspection is at a local time that exists (clocks go forward in March)"),
                ("cause_code.unknown", "a cause is vol, grofvuil, bouwafval, onbekend or empty"),
            ),
        )
