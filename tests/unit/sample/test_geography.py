import json
from itertools import combinations, pairwise
from pathlib import Path
from random import Random

import pytest

from groningen_data.sample.facts import neighbourhoods, sites
from groningen_data.sample.geography import outlines_of, point_in

Ring = list[tuple[float, float]]


@pytest.fixture(scope="module")
def outlines() -> dict[str, Ring]:
    return outlines_of(neighbourhoods())


def area(ring: Ring) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) / 2


def holds(ring: Ring, x: float, y: float) -> bool:
    return all((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) > -1e-9 for a, b in pairwise(ring))


def separated(one: Ring, other: Ring) -> bool:
    """Whether a side of one of the two convex rings has the whole other ring beyond it, up to a millionth of a degree."""
    return any(
        all((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) <= 2e-6 * (abs(b[0] - a[0]) + abs(b[1] - a[1])) for x, y in q)
        for p, q in ((one, other), (other, one))
        for a, b in pairwise(p)
    )


def test_the_map_has_every_neighbourhood_with_the_properties_of_the_source(folder: Path) -> None:
    collection = json.loads((folder / "geo/groningen_buurten_2024.geojson").read_text(encoding="utf-8"))
    assert collection["name"] == "groningen_buurten_2024"
    assert len(collection["features"]) == 151
    assert set(collection["features"][0]["properties"]) == {
        *("buurtcode", "buurtnaam", "wijkcode", "wijknaam", "inwoners", "huishoudens", "woz_waarde_keur", "postcode"),
        *("inkomen_per_inwoner_keur", "koopwoningen_pct", "stedelijkheid", "adressendichtheid", "oppervlakte_land_ha"),
    }
    assert all(f["geometry"]["type"] == "Polygon" for f in collection["features"])


def test_every_outline_is_closed_and_goes_round_its_centre(outlines: dict[str, Ring]) -> None:
    for n in neighbourhoods():
        ring = outlines[n.code]
        assert ring[0] == ring[-1]
        assert area(ring) > 0
        assert holds(ring, *n.centre)


def test_no_two_outlines_overlap(outlines: dict[str, Ring]) -> None:
    assert [pair for pair in combinations(outlines, 2) if not separated(outlines[pair[0]], outlines[pair[1]])] == []


def test_a_drawn_point_lies_in_its_outline(outlines: dict[str, Ring]) -> None:
    random = Random(1)
    assert all(holds(ring, *point_in(ring, random)) for ring in outlines.values() for _ in range(20))


def test_every_traffic_site_lies_in_a_neighbourhood(outlines: dict[str, Ring]) -> None:
    assert all(any(holds(ring, s.longitude, s.latitude) for ring in outlines.values()) for s in sites())
