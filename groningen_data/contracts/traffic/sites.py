"""Contract of the traffic measurement sites."""

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES
from groningen_data.contracts.traffic.codes import LATITUDES, LONGITUDES


class TrafficSites(Contract):
    """Places where vehicles are counted: the national registry of measurement sites.

    A site that leaves the registry stays here, because earlier counts refer to it. A site that was renamed stands here under
    its earlier id as well, at the place of its successor (`data/reference/traffic_site_successions.csv`).
    """

    site_id: str = column("Meetlocatie", "Site id", str_length={"min_value": 1})
    site_name: str = column("Naam", "Name", nullable=True)
    direction: str = column("Rijrichting", "Direction", nullable=True)
    lanes: int = column("Aantal rijstroken", "Number of lanes", nullable=True, ge=0, le=12)
    longitude: float = column("Lengtegraad", "Longitude", unit="degree", nullable=True, in_range=LONGITUDES)
    latitude: float = column("Breedtegraad", "Latitude", unit="degree", nullable=True, in_range=LATITUDES)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    location_status: str = column("Ligging", "Location status", isin=LOCATION_STATUSES)
    successor_site_id: str = column("Opvolger", "Successor site id", nullable=True)

    class Config(Contract.Config):
        metadata = table(
            name="core.traffic_sites",
            title_nl="Meetlocaties verkeer",
            title_en="Traffic measurement sites",
            grain="one measurement site",
            key=("site_id",),
            owner="Mobiliteit",
            purpose="To know where a count was made.",
            legal_basis="Open data of NDW; Wegenwet art. 16",
            classification="public",
            retention="10 years, as long as counts refer to it",
            freshness_days=400,
            load_mode="merge",
            tolerance=0.01,
            source_rules=(("row.type", "the registry describes each site as an object"),),
            licence="open data (NDW)",
        )
