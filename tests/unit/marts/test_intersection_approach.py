"""Sites are put together to intersections by what their names tell, and by place where they tell nothing."""

import polars as pl
import pytest

from groningen_data.marts.intersection_approach import crossing_of, grouped, road_of
from groningen_data.sample.facts import sites

METRE = 1 / 111_200


def site(name, east=0.0, north=0.0, direction=None, id=None, successor=None):
    """A site so many metres east and north of a point on the equator."""
    return {
        "site_id": id or name or f"{east}-{north}",
        "site_name": name,
        "direction": direction,
        "longitude": 6.5 + east * METRE,
        "latitude": north * METRE,
        "neighbourhood_code": None,
        "successor_site_id": successor,
    }


def together(*rows) -> list[set[str]]:
    schema = {"site_name": pl.String, "direction": pl.String, "neighbourhood_code": pl.String, "successor_site_id": pl.String}
    found = grouped(pl.DataFrame(rows, schema_overrides=schema))
    return sorted(
        (set(ids) for (ids,) in found.group_by("intersection_code").agg("site_id").select("site_id").iter_rows()), key=min
    )


@pytest.mark.parametrize(
    ("name", "road", "crossing"),
    [
        ("Zuiderpark na kr Oosterbrug ri kr Herebrug", "Zuiderpark", "Herebrug"),
        ("Johan van Zwedenlaan na kr Hoendiep ri afrit A7N372", "Johan van Zwedenlaan", "A7N372"),
        ("Damsterdiep van Zaagmuldersweg naar Eltjo Roggeweg", "Damsterdiep", "Eltjo Roggeweg"),
        ("N361 na kr Groningerweg ri knppnt Boterdiep thv hmp 0.9 NO", "N361", "Boterdiep"),
        ("N370 na Bedumerweg ri knp pnt Boterdiep thv hmp 56.750 N", "N370", "Boterdiep"),
        ("J.C. Kapteynlaan ri kr Borneoplein", "J.C. Kapteynlaan", "Borneoplein"),
        ("Europaweg na kr Europapark tussen Sontweg en N7", "Europaweg", "Sontweg"),
        ("0071hrl1972ra", None, None),
        (None, None, None),
    ],
)
def test_a_name_tells_the_road_and_the_crossing_it_leads_to(name, road, crossing):
    assert (road_of(name), crossing_of(name)) == (road, crossing)


def test_approaches_of_one_crossing_are_together_only_when_they_are_near():
    near, far = site("A na kr X ri kr Brug"), site("B na kr Y ri kr Brug", east=600)
    other = site("C na kr Z ri kr Brug", east=2_000)
    assert together(near, far, other) == [{near["site_id"], far["site_id"]}, {other["site_id"]}]


def test_roads_that_lead_to_each_other_cross():
    one, other = site("Sontweg ri kr Europaweg"), site("Europaweg ri kr Sontweg", north=400)
    assert together(one, other) == [{one["site_id"], other["site_id"]}]


def test_on_one_road_sites_that_face_each_other_are_together_and_sites_that_follow_each_other_are_not():
    west, east = (
        site("R na kr P ri kr X", direction="eastBound", id="a"),
        site("R na kr Q ri kr X", 1_500, direction="westBound", id="b"),
    )
    assert together(west, east) == [{"a", "b"}]
    behind = site("R na kr O ri kr X", -300, direction="eastBound", id="c")
    assert together(west, behind) == [{"a"}, {"c"}]
    apart = site("R na kr Q ri kr X", 100, direction="westBound", id="d") | {"longitude": 6.5 - 100 * METRE}
    assert together(west, apart) == [{"a"}, {"d"}]


def test_sites_without_a_telling_name_are_together_by_place():
    rows = [site(None, id="a"), site(None, 100, id="b"), site(None, 300, id="c")]
    assert together(*rows) == [{"a", "b"}, {"c"}]


def test_an_earlier_id_stands_with_its_successor_and_does_not_count():
    now, before = site("A ri kr X", id="new"), site("A ri kr X", id="old", successor="new")
    found = grouped(pl.DataFrame([now, before], schema_overrides={"direction": pl.String, "neighbourhood_code": pl.String}))
    assert found["intersection_code"].n_unique() == 1 and found["approaches"].to_list() == [1, 1]


def test_groningens_105_sites_are_approaches_of_86_intersections():
    registered = pl.DataFrame(
        [(s.id, s.name, s.direction, s.longitude, s.latitude, None, None) for s in sites()],
        schema=dict.fromkeys(("site_id", "site_name", "direction"), pl.String)
        | {"longitude": pl.Float64, "latitude": pl.Float64, "neighbourhood_code": pl.String, "successor_site_id": pl.String},
        orient="row",
    )
    found = grouped(registered)
    assert found["intersection_code"].n_unique() == 86
    assert set(found["grouped_by"]) == {"name"}
    several = found.filter(pl.col("approaches") > 1)
    assert several["intersection_code"].n_unique() == 17
    herebrug = found.filter(pl.col("intersection_code") == "herebrug-stationsweg-zuiderpark")
    assert sorted(herebrug["approach_name"]) == ["Stationsweg", "Zuiderpark"]
    assert herebrug["intersection_name"].unique().to_list() == ["Herebrug (Stationsweg, Zuiderpark)"]
