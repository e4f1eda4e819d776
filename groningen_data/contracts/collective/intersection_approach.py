"""Contract of the mart that tells which intersection each traffic measurement site is an approach of."""

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.traffic.codes import LATITUDES, LONGITUDES


class IntersectionApproach(Contract):
    """One measurement site in the municipality and the intersection that it is an approach of.

    Traffic queues before a crossing, so a site belongs to the crossing it leads to, which the national registry names (`na kr
    Oosterbrug ri kr Herebrug`: after the Oosterbrug, towards the Herebrug). Sites that lead to a crossing of the same name, or to
    each other's road, and lie within 700 m are approaches of one intersection; so are sites that face each other on one road
    within 2 km. Where the name tells no crossing, sites within 150 m stand at the same one. An earlier id of a site belongs where
    its successor does, and is not counted among the `approaches`.
    """

    site_id: str = column("Meetlocatie", "Site id", str_length={"min_value": 1})
    intersection_code: str = column("Kruispuntcode", "Intersection code", str_length={"min_value": 1})
    intersection_name: str = column("Kruispunt", "Intersection", str_length={"min_value": 1})
    approach_name: str = column("Toeleidende weg", "Approach road", str_length={"min_value": 1})
    grouped_by: str = column("Samengevoegd op", "Grouped by", isin=["name", "place"])
    approaches: int = column("Gemeten toeleidende wegen", "Approaches with a site", ge=0)
    longitude: float = column(
        "Lengtegraad van het kruispunt (midden van de meetlocaties)",
        "Longitude of the intersection (middle of its sites)",
        unit="degree",
        nullable=True,
        in_range=LONGITUDES,
    )
    latitude: float = column(
        "Breedtegraad van het kruispunt (midden van de meetlocaties)",
        "Latitude of the intersection (middle of its sites)",
        unit="degree",
        nullable=True,
        in_range=LATITUDES,
    )
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")

    class Config(Contract.Config):
        metadata = table(
            name="collective.intersection_approach",
            title_nl="Toeleidende wegen van kruispunten",
            title_en="Approaches of intersections",
            grain="one traffic measurement site in the municipality",
            key=("site_id",),
            owner="Stadsontwikkeling",
            purpose="To tell congestion per intersection from counts per measurement site.",
            legal_basis="Task of public interest: road management (Wegenverkeerswet 1994 art. 2)",
            classification="public",
            retention="as long as the sites",
            freshness_days=400,
            load_mode="snapshot",
            tolerance=0.0,
            served=True,
        )
