"""Contract of what the indexes of traffic measurement sites measure."""

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.traffic.codes import EARTH_LATITUDES, EARTH_LONGITUDES, VEHICLE_CLASS


class TrafficSiteIndexes(Contract):
    """What each index of a measurement site measures, per version of NDW's site table: lane, quantity and vehicle class.

    A feed names the version of the table that it goes by, so older versions stay. Travel times are of quantity `other`.
    """

    table_version: str = column("Versie van de tabel", "Version of the table", str_length={"min_value": 1})
    table_code: str = column("Tabel", "Table", str_length={"min_value": 1})
    site_id: str = column("Meetlocatie", "Site id", str_length={"min_value": 1})
    site_version: int = column("Versie van de meetlocatie", "Site version", ge=0)
    index_code: str = column("Meetindex", "Measurement index", str_length={"min_value": 1})
    quantity: str = column("Grootheid", "Quantity", isin=["flow", "speed", "other"])
    lane_code: str = column("Rijstrook", "Lane", nullable=True)
    vehicle_class: str = column("Voertuigklasse", "Vehicle class", str_matches=VEHICLE_CLASS)
    period_s: float = column("Meetperiode", "Period of measurement", unit="s", nullable=True, ge=0, le=86_400)
    accuracy_pct: float = column("Nauwkeurigheid", "Accuracy", unit="%", nullable=True, ge=0, le=100)
    site_name: str = column("Naam", "Name", nullable=True)
    direction: str = column("Rijrichting", "Direction", nullable=True)
    lanes: int = column("Aantal rijstroken", "Number of lanes", nullable=True, ge=0, le=20)
    longitude: float = column("Lengtegraad", "Longitude", unit="degree", nullable=True, in_range=EARTH_LONGITUDES)
    latitude: float = column("Breedtegraad", "Latitude", unit="degree", nullable=True, in_range=EARTH_LATITUDES)

    class Config(Contract.Config):
        metadata = table(
            name="core.traffic_site_indexes",
            title_nl="Meetindexen van meetlocaties verkeer",
            title_en="Measurement indexes of traffic sites",
            grain="one index of a site, in one version of the site table",
            key=("table_code", "table_version", "site_id", "site_version", "index_code"),
            owner="Mobiliteit",
            purpose="To know what a value of the national feed measures, so that no vehicle is counted twice.",
            legal_basis="Open data of NDW; Wegenwet art. 16",
            classification="public",
            retention="10 years, as long as counts refer to it",
            freshness_days=400,
            load_mode="partition",
            partition_columns=("table_version", "table_code"),
            tolerance=0.01,
            licence="open data (NDW)",
        )
