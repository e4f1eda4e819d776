"""Contract of the parking places."""

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES
from groningen_data.contracts.traffic.codes import EARTH_LATITUDES, EARTH_LONGITUDES

PARKING_KINDS = ["garage", "lot", "park_and_ride", "street", "bicycle", "other"]


class TrafficParking(Contract):
    """Places to park, with their capacity: garages, lots, park and ride, streets, and bicycle parking."""

    parking_id: str = column("Parkeernummer", "Parking number", str_length={"min_value": 1})
    parking_name: str = column("Naam", "Name", nullable=True)
    parking_kind: str = column("Soort (code)", "Kind (code)", isin=PARKING_KINDS)
    kind_name: str = column("Soort zoals aangeleverd", "Kind as delivered", nullable=True)
    capacity: int = column("Aantal plaatsen", "Number of places", nullable=True, ge=0, le=100_000)
    capacity_missing_reason: str = column(
        "Reden van ontbrekend aantal plaatsen",
        "Reason when the number of places is missing",
        nullable=True,
        isin=["not_delivered"],
    )
    longitude: float = column("Lengtegraad", "Longitude", unit="degree", nullable=True, in_range=EARTH_LONGITUDES)
    latitude: float = column("Breedtegraad", "Latitude", unit="degree", nullable=True, in_range=EARTH_LATITUDES)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    location_status: str = column("Ligging", "Location status", isin=LOCATION_STATUSES)

    class Config(Contract.Config):
        metadata = table(
            name="core.traffic_parking",
            title_nl="Parkeerplaatsen",
            title_en="Parking places",
            grain="one place to park",
            key=("parking_id",),
            owner="Mobiliteit",
            purpose="To know where people can park, and how many.",
            legal_basis="Task of public interest: managing roads (Wegenwet art. 16)",
            classification="public",
            retention="as long as the place exists",
            freshness_days=400,
            load_mode="snapshot",
            tolerance=0.05,
        )
