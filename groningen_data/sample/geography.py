"""Outlines of the sample's neighbourhoods: cells around the real centre points, not the real outlines.

Each cell holds all ground that is nearer to its own centre than to any other (a Voronoi diagram), within a border around
the city, so the cells never overlap and leave no gaps.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from random import Random

from groningen_data.sample.facts import City, Neighbourhood
from groningen_data.sample.wire import Payloads, json_bytes

Point = tuple[float, float]
Ring = list[Point]

# At 53° north a degree of longitude is about 0.6 of a degree of latitude: cells are cut in degrees of latitude.
_LONGITUDE_SCALE = 0.6
_BORDER = 0.012
_DECIMALS = 6


def payloads(city: City, outlines: Mapping[str, Ring]) -> Payloads:
    """The neighbourhood map as GeoJSON (WGS84)."""
    features = [
        {
            "type": "Feature",
            "properties": _properties(n),
            "geometry": {"type": "Polygon", "coordinates": [outlines[n.code]]},
        }
        for n in city.neighbourhoods
    ]
    collection = {"type": "FeatureCollection", "name": "groningen_buurten_2024", "features": features}
    yield "geo/groningen_buurten_2024.geojson", json_bytes(collection)


def outlines_of(neighbourhoods: Sequence[Neighbourhood]) -> dict[str, Ring]:
    """A closed ring of longitude and latitude per neighbourhood code; rings do not overlap and all are convex."""
    centres = {n.code: (n.centre[0] * _LONGITUDE_SCALE, n.centre[1]) for n in neighbourhoods}
    border = _border(list(centres.values()))
    return {code: _closed(_cell(centre, list(centres.values()), border)) for code, centre in centres.items()}


def point_in(ring: Ring, random: Random) -> Point:
    """A point drawn evenly from a convex ring, as longitude and latitude with 9 decimals."""
    a = ring[0]
    triangles = list(pairwise(ring[1:-1]))
    weights = [abs(_cross(a, b, c)) for b, c in triangles]
    b, c = random.choices(triangles, weights)[0]
    u, v = random.random(), random.random()
    if u + v > 1:
        u, v = 1 - u, 1 - v
    return (
        round(a[0] + u * (b[0] - a[0]) + v * (c[0] - a[0]), 9),
        round(a[1] + u * (b[1] - a[1]) + v * (c[1] - a[1]), 9),
    )


def _properties(n: Neighbourhood) -> dict[str, object]:
    return {
        "buurtcode": n.code,
        "buurtnaam": n.name,
        "wijkcode": n.district_code,
        "wijknaam": n.district_name,
        "inwoners": n.inhabitants,
        "huishoudens": n.households,
        "woz_waarde_keur": n.dwelling_value_keur,
        "inkomen_per_inwoner_keur": n.income_per_inhabitant_keur,
        "koopwoningen_pct": n.owner_occupied_pct,
        "stedelijkheid": n.urbanity_class,
        "adressendichtheid": n.address_density_km2,
        "oppervlakte_land_ha": n.land_area_ha,
        "postcode": n.postcode,
    }


def _border(centres: Ring) -> Ring:
    """The convex hull of squares around all centres, counter-clockwise."""
    corners = sorted({(x + dx, y + dy) for x, y in centres for dx in (-_BORDER, _BORDER) for dy in (-_BORDER, _BORDER)})
    return _half_hull(corners) + _half_hull(corners[::-1])


def _half_hull(points: Ring) -> Ring:
    hull: Ring = []
    for point in points:
        while len(hull) > 1 and _cross(hull[-2], hull[-1], point) <= 0:
            hull.pop()
        hull.append(point)
    return hull[:-1]


def _cell(centre: Point, centres: Ring, border: Ring) -> Ring:
    """What is left of the border after cutting off, for each other centre, the half nearer to that one."""
    cell = border
    reach = _reach(centre, cell)
    for distance, other in sorted((_squared_distance(centre, c), c) for c in centres if c != centre):
        if distance > 4 * reach:
            break
        cell = _nearer_half(cell, centre, other)
        reach = _reach(centre, cell)
    return cell


def _nearer_half(cell: Ring, centre: Point, other: Point) -> Ring:
    def beyond(point: Point) -> float:
        return _squared_distance(point, centre) - _squared_distance(point, other)

    kept: Ring = []
    for start, end in zip(cell, cell[1:] + cell[:1], strict=True):
        at_start, at_end = beyond(start), beyond(end)
        if at_start <= 0:
            kept.append(start)
        if at_start * at_end < 0:
            share = at_start / (at_start - at_end)
            kept.append((start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])))
    return kept


def _closed(cell: Ring) -> Ring:
    rounded = [(round(x / _LONGITUDE_SCALE, _DECIMALS), round(y, _DECIMALS)) for x, y in cell]
    ring = [p for p, before in zip(rounded, rounded[-1:] + rounded[:-1], strict=True) if p != before]
    return [*ring, ring[0]]


def _reach(centre: Point, cell: Ring) -> float:
    return max(_squared_distance(centre, p) for p in cell)


def _squared_distance(a: Point, b: Point) -> float:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2


def _cross(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
