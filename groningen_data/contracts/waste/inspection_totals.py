"""Contract of inspection totals per location, as a municipality publishes them."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES
from groningen_data.contracts.waste.codes import EARTH_LATITUDES, EARTH_LONGITUDES


class WasteInspectionTotals(Contract):
    """How often a place was inspected in a period, and how often waste or bulky waste was found there.

    The publisher added up its inspections per address; the house number is not kept. A place is known by its point.
    """

    year: int = column("Jaar", "Year", ge=1995, le=2100)
    location_code: str = column("Locatiecode (uit het punt)", "Location code (from its point)", str_length={"min_value": 1})
    location_name: str = column("Straat", "Street", nullable=True)
    district_name: str = column("Stadsdeel", "District", nullable=True)
    inspections: int = column("Aantal schouwen", "Number of inspections", ge=1)
    waste_beside: int = column("Keren bijplaatsing (niet A+)", "Times waste was found (not A+)", nullable=True, ge=0)
    bulky: int = column("Keren grofvuil", "Times bulky waste was found", nullable=True, ge=0)
    is_dump_spot: bool = column("Dumpplek", "Is a dump spot", nullable=True)
    first_on: pl.Date = column("Eerste schouw", "First inspection", nullable=True)
    last_on: pl.Date = column("Laatste schouw", "Last inspection")
    longitude: float = column("Lengtegraad", "Longitude", unit="degree", nullable=True, in_range=EARTH_LONGITUDES)
    latitude: float = column("Breedtegraad", "Latitude", unit="degree", nullable=True, in_range=EARTH_LATITUDES)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    location_status: str = column("Ligging", "Location status", isin=LOCATION_STATUSES)

    class Config(Contract.Config):
        metadata = table(
            name="core.waste_inspection_totals",
            title_nl="Schouwtotalen per locatie",
            title_en="Inspection totals per location",
            grain="one location in one year",
            key=("year", "location_code"),
            owner="Stadsbeheer",
            purpose="To compare how often waste is found beside containers with another city.",
            legal_basis="Task of public interest: keeping public space clean (Wet milieubeheer art. 10.21)",
            classification="internal",
            reason_not_public="the exact place of an inspection can point at a household",
            retention="5 years",
            freshness_days=400,
            load_mode="partition",
            partition_columns=("year",),
            period_column="last_on",
            tolerance=0.02,
        )
