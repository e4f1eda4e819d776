"""Contract of the depots and tipping sites of waste collection."""

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.waste.codes import EARTH_LATITUDES, EARTH_LONGITUDES


class WasteDepots(Contract):
    """Where collection vehicles start (`depot`) and where they unload (`tipping`)."""

    depot_code: str = column("Depotcode", "Depot code", str_length={"min_value": 1})
    depot_name: str = column("Naam", "Name", nullable=True)
    depot_kind: str = column("Soort", "Kind", isin=["depot", "tipping"])
    longitude: float = column("Lengtegraad", "Longitude", unit="degree", in_range=EARTH_LONGITUDES)
    latitude: float = column("Breedtegraad", "Latitude", unit="degree", in_range=EARTH_LATITUDES)

    class Config(Contract.Config):
        metadata = table(
            name="core.waste_depots",
            title_nl="Depots en stortlocaties",
            title_en="Depots and tipping sites",
            grain="one depot or tipping site",
            key=("depot_code",),
            owner="Stadsbeheer",
            purpose="To know where collection routes begin and end.",
            legal_basis="Task of public interest: collecting household waste (Wet milieubeheer art. 10.21)",
            classification="public",
            retention="as long as vehicles refer to it",
            freshness_days=400,
            load_mode="snapshot",
            tolerance=0.0,
            source_rules=(("depot_kind.unknown", "a depot is of kind depot or stortlocatie"),),
        )
