"""Contract of the waste containers."""

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES
from groningen_data.contracts.waste.codes import EARTH_LATITUDES, EARTH_LONGITUDES, FRACTION_MISSING_REASONS, FRACTIONS


class WasteContainers(Contract):
    """Waste containers that several households share, as each registry lists them now.

    Every registry keeps codes of its own: a container is known by registry and code. Where a registry gives a container no
    code, one is made from its fraction and place, and `is_code_derived` says so. Streets are kept without house numbers.
    """

    source_code: str = column("Register", "Registry", str_length={"min_value": 1})
    container_code: str = column("Containercode", "Container code", str_length={"min_value": 1})
    is_code_derived: bool = column("Code is afgeleid", "Code is derived")
    cluster_code: str = column("Clustercode", "Cluster code", nullable=True)
    location_name: str = column("Locatie", "Location name", nullable=True)
    fraction_code: str = column("Fractie", "Fraction", nullable=True, isin=FRACTIONS)
    fraction_name: str = column("Fractie zoals geleverd", "Fraction as delivered", nullable=True)
    fraction_missing_reason: str = column(
        "Reden van ontbrekende fractie", "Reason when the fraction is missing", nullable=True, isin=FRACTION_MISSING_REASONS
    )
    capacity_l: float = column("Inhoud", "Capacity", unit="l", nullable=True, gt=0, le=100_000)
    longitude: float = column("Lengtegraad", "Longitude", unit="degree", nullable=True, in_range=EARTH_LONGITUDES)
    latitude: float = column("Breedtegraad", "Latitude", unit="degree", nullable=True, in_range=EARTH_LATITUDES)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    location_status: str = column("Ligging", "Location status", isin=LOCATION_STATUSES)
    has_sensor: bool = column("Heeft een sensor", "Has a sensor", nullable=True)
    alarm_pct: float = column("Alarmgrens vulgraad", "Fill level that raises an alarm", unit="%", nullable=True, ge=0, le=150)

    class Config(Contract.Config):
        metadata = table(
            name="core.waste_containers",
            title_nl="Afvalcontainers",
            title_en="Waste containers",
            grain="one container of one registry",
            key=("source_code", "container_code"),
            owner="Stadsbeheer",
            purpose="To know where which waste can be brought, and what a fill level or emptying is about.",
            legal_basis="Task of public interest: collecting household waste (Wet milieubeheer art. 10.21)",
            classification="public",
            retention="as long as the registry lists it; history as long as fill levels refer to it",
            freshness_days=31,
            load_mode="partition",
            partition_columns=("source_code",),
            tolerance=0.02,
            source_rules=(("row.type", "the registry describes each container as an object"),),
            licence="open data of the municipality",
        )
