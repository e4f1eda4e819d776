"""Contract of the neighbourhoods (CBS *buurten*) with their outlines."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table


class ReferenceNeighbourhoods(Contract):
    """The neighbourhoods (CBS buurten) of the municipality with their outlines, one code year at a time.

    Every point in the lakehouse finds its neighbourhood here. Fictive water neighbourhoods (codes ending in 9997 and
    9998) belong to it when the source delivers them.
    """

    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", str_matches=r"^BU\d{8}$")
    neighbourhood_name: str = column("Buurtnaam", "Neighbourhood name", str_length={"min_value": 1})
    district_code: str = column("Wijkcode", "District code", str_matches=r"^WK\d{6}$")
    district_name: str = column("Wijknaam", "District name", nullable=True)
    municipality_code: str = column("Gemeentecode", "Municipality code", str_matches=r"^GM\d{4}$")
    code_year: int = column("Jaar van de buurtindeling", "Year of the code system", ge=1995, le=2100)
    land_area_ha: float = column("Oppervlakte land", "Land area", unit="ha", nullable=True, ge=0)
    centre_longitude: float = column(
        "Lengtegraad middelpunt", "Longitude of the centre", unit="degree", in_range={"min_value": 3.2, "max_value": 7.3}
    )
    centre_latitude: float = column(
        "Breedtegraad middelpunt", "Latitude of the centre", unit="degree", in_range={"min_value": 50.7, "max_value": 53.8}
    )
    outline_wkb: pl.Binary = column("Omtrek", "Outline")
    outline_epsg: int = column("Coördinatenstelsel van de omtrek", "EPSG code of the outline", isin=[4326])
    source_epsg: int = column("Coördinatenstelsel van de bron", "EPSG code at the source", isin=[4326, 28992])

    class Config(Contract.Config):
        metadata = table(
            name="core.reference_neighbourhoods",
            title_nl="Buurten met omtrek",
            title_en="Neighbourhoods with outlines",
            grain="one neighbourhood of the municipality",
            key=("neighbourhood_code",),
            owner="Basisinformatie",
            purpose="One shared division of the city, so that every department counts by the same areas.",
            legal_basis="Open data of CBS and Kadaster (CC BY 4.0); task of public interest (Gemeentewet art. 108)",
            classification="public",
            retention="until replaced by a newer code year; earlier versions by time travel",
            freshness_days=400,
            load_mode="snapshot",
            tolerance=0.0,
            served=True,
            licence="CC BY 4.0 (CBS, Kadaster)",
        )
