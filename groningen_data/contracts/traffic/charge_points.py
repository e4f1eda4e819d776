"""Contract of the charge points for electric vehicles."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES
from groningen_data.contracts.traffic.codes import EARTH_LATITUDES, EARTH_LONGITUDES

STATUSES = ["in_service", "fault", "out_of_service", "planned", "unknown", "other"]


class TrafficChargePoints(Contract):
    """Public charge points for electric vehicles: each can charge one vehicle at a time, whatever its number of sockets."""

    charge_point_id: str = column("Laadpuntnummer", "Charge point number", str_length={"min_value": 1})
    location_id: str = column("Laadlocatie", "Charging location", str_length={"min_value": 1}, nullable=True)
    operator_name: str = column("Exploitant", "Operator", nullable=True)
    sockets: int = column("Aansluitingen", "Sockets", nullable=True, ge=0, le=200)
    sockets_missing_reason: str = column(
        "Reden van ontbrekend aantal aansluitingen", "Reason when sockets are missing", nullable=True, isin=["not_delivered"]
    )
    power_kw: float = column("Vermogen", "Power", unit="kW", nullable=True, ge=0, le=5_000)
    power_missing_reason: str = column(
        "Reden van ontbrekend vermogen", "Reason when power is missing", nullable=True, isin=["not_delivered"]
    )
    is_power_derived: bool = column("Vermogen berekend uit spanning en stroom", "Power from voltage and current", nullable=True)
    status_code: str = column("Status (code)", "Status (code)", nullable=True, isin=STATUSES)
    status_name: str = column("Status zoals aangeleverd", "Status as delivered", nullable=True)
    updated_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Bijgewerkt op", "Updated at", nullable=True)  # type: ignore[valid-type]
    longitude: float = column("Lengtegraad", "Longitude", unit="degree", nullable=True, in_range=EARTH_LONGITUDES)
    latitude: float = column("Breedtegraad", "Latitude", unit="degree", nullable=True, in_range=EARTH_LATITUDES)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    location_status: str = column("Ligging", "Location status", isin=LOCATION_STATUSES)

    class Config(Contract.Config):
        metadata = table(
            name="core.traffic_charge_points",
            title_nl="Laadpunten",
            title_en="Charge points",
            grain="one charge point (EVSE)",
            key=("charge_point_id",),
            owner="Mobiliteit",
            purpose="To know where electric vehicles can be charged.",
            legal_basis="Task of public interest: managing roads (Wegenwet art. 16)",
            classification="public",
            retention="as long as the charge point exists",
            freshness_days=7,
            load_mode="snapshot",
            tolerance=0.05,
        )
