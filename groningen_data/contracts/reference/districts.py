"""Contract of the districts (CBS *wijken*)."""

from groningen_data.contracts.base import Contract, column, table


class ReferenceDistricts(Contract):
    """The districts (CBS wijken) of the municipality: the level above neighbourhoods."""

    district_code: str = column("Wijkcode", "District code", str_matches=r"^WK\d{6}$")
    district_name: str = column("Wijknaam", "District name", str_length={"min_value": 1}, nullable=True)
    municipality_code: str = column("Gemeentecode", "Municipality code", str_matches=r"^GM\d{4}$")
    code_year: int = column("Jaar van de wijkindeling", "Year of the code system", ge=1995, le=2100)
    neighbourhoods: int = column("Aantal buurten", "Number of neighbourhoods", ge=1)
    land_area_ha: float = column("Oppervlakte land", "Land area", unit="ha", nullable=True, ge=0)

    class Config(Contract.Config):
        metadata = table(
            name="core.reference_districts",
            title_nl="Wijken",
            title_en="Districts",
            grain="one district of the municipality",
            key=("district_code",),
            owner="Basisinformatie",
            purpose="The level between neighbourhood and city on which departments report.",
            legal_basis="Open data of CBS and Kadaster (CC BY 4.0); task of public interest (Gemeentewet art. 108)",
            classification="public",
            retention="until replaced by a newer code year; earlier versions by time travel",
            freshness_days=400,
            load_mode="snapshot",
            tolerance=0.0,
            served=True,
            licence="CC BY 4.0 (CBS, Kadaster)",
        )
