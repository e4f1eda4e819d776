"""Contract of the emptyings of waste containers, as vehicles weigh them."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES
from groningen_data.contracts.waste.codes import EARTH_LATITUDES, EARTH_LONGITUDES, FRACTION_MISSING_REASONS, FRACTIONS

WEIGHT_MISSING_REASONS = ["not_delivered", "zero", "negative", "weights_disagree"]


class WasteEmptyings(Contract):
    """Emptyings of containers, one row per weighing of a vehicle.

    One weighing can be of several containers, and is of an unknown one where the vehicle recognised none; it is never counted
    once per container. A weight is null with its reason where it was not delivered, is zero or negative, or is not what the
    first and second weight say; both of these are kept. A weighing system sits on one vehicle and gives it its code.
    """

    source_code: str = column("Weegsysteem", "Weighing system's supplier", str_length={"min_value": 1})
    system_code: str = column("Systeemnummer", "Weighing system", str_length={"min_value": 1})
    emptying_id: str = column("Volgnummer", "Sequence number", str_length={"min_value": 1})
    vehicle_code: str = column("Voertuigcode", "Vehicle code", str_length={"min_value": 1})
    container_code: str = column("Containercode (als het er één is)", "Container code (when it is one)", nullable=True)
    container_codes: str = column("Containercodes", "Container codes, comma-separated", nullable=True)
    containers: int = column("Aantal containers", "Number of containers", nullable=True, ge=1, le=50)
    emptied_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Geleegd op", "Emptied at")  # type: ignore[valid-type]
    local_date: pl.Date = column("Lokale datum", "Local date")
    local_hour: int = column("Lokaal uur", "Local hour", unit="h", ge=0, le=23)
    weekday: int = column("Weekdag (1 = maandag)", "Weekday (1 = Monday)", ge=1, le=7)
    weight_kg: float = column("Nettogewicht", "Net weight", unit="kg", nullable=True, gt=0, le=20_000)
    first_weight_kg: float = column("Eerste weging", "First weight", unit="kg", nullable=True)
    second_weight_kg: float = column("Tweede weging", "Second weight", unit="kg", nullable=True)
    weight_missing_reason: str = column(
        "Reden van ontbrekend gewicht", "Reason when the weight is missing", nullable=True, isin=WEIGHT_MISSING_REASONS
    )
    fraction_code: str = column("Fractie", "Fraction", nullable=True, isin=FRACTIONS)
    fraction_name: str = column("Fractie zoals geleverd", "Fraction as delivered", nullable=True)
    fraction_missing_reason: str = column(
        "Reden van ontbrekende fractie", "Reason when the fraction is missing", nullable=True, isin=FRACTION_MISSING_REASONS
    )
    longitude: float = column("Lengtegraad", "Longitude", unit="degree", nullable=True, in_range=EARTH_LONGITUDES)
    latitude: float = column("Breedtegraad", "Latitude", unit="degree", nullable=True, in_range=EARTH_LATITUDES)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    location_status: str = column("Ligging", "Location status", isin=LOCATION_STATUSES)

    class Config(Contract.Config):
        metadata = table(
            name="core.waste_emptyings",
            title_nl="Ledigingen",
            title_en="Emptyings of waste containers",
            grain="one weighing of one vehicle",
            key=("source_code", "system_code", "emptying_id", "emptied_at"),
            owner="Stadsbeheer",
            purpose="To know how much of which waste is collected where, and whether containers are emptied too early or too late.",
            legal_basis="Task of public interest: collecting household waste (Wet milieubeheer art. 10.21)",
            classification="internal",
            reason_not_public="where a vehicle was at what time tells what its crew did",
            retention="3 years",
            freshness_days=2,
            load_mode="partition",
            partition_columns=("local_date", "source_code"),
            tolerance=0.05,
            source_rules=(("emptied_at.nonexistent", "a weighing is at a local time that exists (clocks go forward in March)"),),
        )
