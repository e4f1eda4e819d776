"""Contract of the bicycle counters."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES
from groningen_data.contracts.traffic.codes import EARTH_LATITUDES, EARTH_LONGITUDES


class TrafficBicycleCounters(Contract):
    """Places where bicycles are counted. A counter that leaves the list stays here, because counts refer to it."""

    counter_id: str = column("Telpaal", "Counter", str_matches=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    counter_code: str = column("Code", "Code", nullable=True)
    counter_name: str = column("Naam", "Name", str_length={"min_value": 1})
    sensors: int = column("Aantal sensoren", "Number of sensors", nullable=True, ge=0, le=100)
    is_active: bool = column("In gebruik", "In use", nullable=True)
    built_year: int = column("Bouwjaar", "Year of construction", nullable=True, ge=1950, le=2100)
    counts_since_on: pl.Date = column("Telt sinds", "Counts since", nullable=True)
    longitude: float = column("Lengtegraad", "Longitude", unit="degree", nullable=True, in_range=EARTH_LONGITUDES)
    latitude: float = column("Breedtegraad", "Latitude", unit="degree", nullable=True, in_range=EARTH_LATITUDES)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    location_status: str = column("Ligging", "Location status", isin=LOCATION_STATUSES)

    class Config(Contract.Config):
        metadata = table(
            name="core.traffic_bicycle_counters",
            title_nl="Fietstelpalen",
            title_en="Bicycle counters",
            grain="one counter",
            key=("counter_id",),
            owner="Mobiliteit",
            purpose="To know where bicycles were counted.",
            legal_basis="Open data of the municipality's own counters; Wegenwet art. 16",
            classification="public",
            retention="10 years, as long as counts refer to it",
            freshness_days=400,
            load_mode="merge",
            tolerance=0.01,
            source_rules=(("row.type", "the file describes each counter as an object"),),
        )
