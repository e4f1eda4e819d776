"""The sample's underground containers: which there are, where they stand, and the register that lists them (WFS GeoJSON).

Containers are made up; only the neighbourhoods are real. How full they get is decided in `waste_world`.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np
import polars as pl

from groningen_data.sample.chance import generator
from groningen_data.sample.facts import City, Neighbourhood
from groningen_data.sample.geography import Point, Ring, outlines_of, point_in
from groningen_data.sample.wire import Payloads, json_bytes

CLUSTERS = 1_200
CONTAINERS = 1_970
WITH_SENSOR = 1_650
TELEMETRY_ONLY = 42
"""Containers with a sensor that the register does not list."""
REGISTER_ONLY = 30
"""Entries of the register for containers that are no longer there: no readings, no weighings, no inspections."""
DOUBLED_ENTRIES = 3
"""Entries that the register lists twice, word for word."""
PADDED_FRACTIONS = 20
"""Entries whose fraction has spaces behind it."""
UNKNOWN_FRACTIONS = 2
"""Entries whose fraction is `NIET INGEVULD`."""
ALARM_PCT = 80
FRACTIONS = ("RESTAFVAL", "PAPIER", "GLAS", "PLASTIC", "GFT", "TEXTIEL")
OVERFULL_NEIGHBOURHOODS = ("BU00140301", "BU00140606", "BU00140900", "BU00141000")
"""Indische buurt, De Wijert-Zuid, Vinkhuizen-Noord, Selwerd: residual waste is collected too rarely here."""
OVERFULL_FACTOR = 1.5
"""Inflow of residual waste there, times that of a well-used container elsewhere with the same schedule."""

_FRACTION_CODES = ("residual", "paper", "glass", "plastic", "organic", "textile")
_CAPACITIES_L = (5_000, 5_000, 4_000, 5_000, 2_000, 3_000)
_ALONE = (0.93, 0.0, 0.04, 0.0, 0.0, 0.03)
_BESIDE = (0.20, 0.24, 0.20, 0.13, 0.15, 0.08)
_LARGEST_CLUSTER = 5

# Dwellings in dense neighbourhoods have no room for bins of their own: the underground containers stand there.
_DENSE_PER_KM2 = 3_500
_DENSITY_SHARES = (0.12, 1.2)
_HOUSEHOLDS_WITH_CLUSTER = 50

# Percent of its room that a well-used container has filled when it waits longest for its emptying: median, and spread of the
# logarithm. Use differs: some containers are hardly used, and half of them fill to less than 0.7 of this.
_USUAL_PEAK_PCT = 66.0
_PEAK_SPREAD = 0.28
_USE = 0.5

_STEP = 0.00004
_CENTRE = "WK001400"

# Weekdays (1 = Monday) on which a container is emptied.
_ONCE = ((1,), (2,), (3,), (4,), (5,), (6,))
_TWICE = ((1, 4), (2, 5), (3, 6))
_THRICE = ((1, 3, 5), (2, 4, 6))
_CENTRE_WEEK = ((1, 3, 5, 7), (2, 4, 6, 7), (1, 2, 3, 4, 5, 6, 7))


def payloads(city: City) -> Payloads:
    """The register of containers, as the municipality's WFS gives it."""
    yield "waste/groningen_containers.geojson", json_bytes(_collection(city))


@lru_cache(maxsize=4)
def containers(city: City) -> pl.DataFrame:
    """All containers that are really there, in order of cluster.

    Returns:
        container_code, cluster_code, location_name, fraction_code, fraction_name (as the register writes it), capacity_l,
        longitude, latitude, neighbourhood_code, district_code, has_sensor, in_register, alarm_pct, emptied_on (weekdays,
        1 = Monday), peak_pct (mean fill at the end of the longest wait for an emptying), rate_pct_per_day (mean inflow) and
        is_overfull_planted.
    """
    places = _places(city)
    chance = generator(city, "containers")
    sizes = _cluster_sizes([n for n, _, _ in places], chance)
    rows = []
    for number, ((neighbourhood, name, points), size) in enumerate(zip(places, sizes, strict=True)):
        kinds = [int(chance.choice(len(FRACTIONS), p=_ALONE))]
        kinds += sorted(int(k) for k in chance.choice(len(FRACTIONS), size - 1, replace=False, p=_BESIDE))
        code = str(1_001 + number)
        for position, kind in enumerate(kinds):
            longitude, latitude = points[position]
            week = _schedule(kind, neighbourhood, chance)
            rows.append((code, f"{code} - {name}", kind, longitude, latitude, neighbourhood.code, week))
    frame = pl.DataFrame(
        rows,
        ("cluster_code", "location_name", "kind", "longitude", "latitude", "neighbourhood_code", "emptied_on"),
        orient="row",
    )
    return _with_character(frame, chance)


def inside(ring: Ring, point: Point) -> bool:
    """Whether a point lies within a convex, counter-clockwise ring."""
    x, y = point
    return all((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) >= 0 for a, b in pairwise(ring))


def _places(city: City) -> list[tuple[Neighbourhood, str, list[Point]]]:
    """Neighbourhood, name, and places for the containers of each cluster."""
    outlines = outlines_of(city.neighbourhoods)
    places = []
    for neighbourhood, count in zip(city.neighbourhoods, _clusters_per_neighbourhood(city), strict=True):
        ring = outlines[neighbourhood.code]
        random = city.random("clusters", neighbourhood.code)
        for number in range(1, count + 1):
            first = tuple(round(x, 6) for x in point_in(ring, random))
            row = [(round(first[0] + step * _STEP, 6), first[1]) for step in range(_LARGEST_CLUSTER)]
            places.append((neighbourhood, f"{neighbourhood.name} {number}", [p if inside(ring, p) else row[0] for p in row]))
    return places


def _clusters_per_neighbourhood(city: City) -> list[int]:
    low, high = _DENSITY_SHARES
    weights = np.array(
        [(n.households or 0) * min(high, max(low, (n.address_density_km2 or 0) / _DENSE_PER_KM2)) for n in city.neighbourhoods]
    )
    at_least = np.array([(n.households or 0) >= _HOUSEHOLDS_WITH_CLUSTER for n in city.neighbourhoods])
    exact = at_least + weights / weights.sum() * (CLUSTERS - at_least.sum())
    counts = exact.astype(int)
    largest_rest = np.argsort(counts - exact, kind="stable")[: CLUSTERS - counts.sum()]
    counts[largest_rest] += 1
    return [int(n) for n in counts]


def _cluster_sizes(of: list[Neighbourhood], chance: np.random.Generator) -> list[int]:
    """How many containers stand in each cluster: more where addresses are dense."""
    weights = np.array([500 + (n.address_density_km2 or 0) for n in of], float)
    sizes = np.ones(len(of), int)
    while (missing := CONTAINERS - sizes.sum()) > 0:
        open_weights = np.where(sizes < _LARGEST_CLUSTER, weights, 0)
        sizes[chance.choice(len(of), missing, replace=False, p=open_weights / open_weights.sum())] += 1
    return [int(n) for n in sizes]


def _schedule(kind: int, neighbourhood: Neighbourhood, chance: np.random.Generator) -> list[int]:
    weeks: tuple[tuple[int, ...], ...]
    if FRACTIONS[kind] == "RESTAFVAL" and neighbourhood.district_code == _CENTRE:
        weeks = _CENTRE_WEEK
    elif FRACTIONS[kind] == "RESTAFVAL":
        weeks = _THRICE if chance.random() < 0.3 else _TWICE
    elif FRACTIONS[kind] in ("GLAS", "TEXTIEL"):
        weeks = _ONCE
    else:
        weeks = _TWICE if chance.random() < 0.6 else _ONCE
    return list(weeks[chance.integers(len(weeks))])


def _with_character(frame: pl.DataFrame, chance: np.random.Generator) -> pl.DataFrame:
    """The frame with codes, sensors and rates of inflow."""
    total = frame.height
    codes = np.sort(chance.choice(np.arange(10_000, 100_000), total, replace=False))
    order = chance.permutation(total)
    with_sensor = np.isin(np.arange(total), order[:WITH_SENSOR])
    unlisted = np.isin(np.arange(total), order[:TELEMETRY_ONLY])
    kind = frame["kind"].to_numpy()
    planted = np.isin(frame["neighbourhood_code"].to_numpy(), OVERFULL_NEIGHBOURHOODS) & (kind == 0)
    use = np.where(planted, OVERFULL_FACTOR, chance.random(total) ** _USE)
    peak = _USUAL_PEAK_PCT * np.exp(_PEAK_SPREAD * chance.standard_normal(total)) * use
    waits = np.array([_longest_wait(week) for week in frame["emptied_on"].to_list()])
    return frame.select(
        pl.Series("container_code", [str(code) for code in codes]),
        "cluster_code",
        "location_name",
        pl.Series("fraction_code", [_FRACTION_CODES[k] for k in kind]),
        pl.Series("fraction_name", [FRACTIONS[k] for k in kind]),
        pl.Series("capacity_l", [_CAPACITIES_L[k] for k in kind]),
        "longitude",
        "latitude",
        "neighbourhood_code",
        pl.concat_str(pl.lit("WK"), pl.col("neighbourhood_code").str.slice(2, 6)).alias("district_code"),
        pl.Series("has_sensor", with_sensor),
        pl.Series("in_register", ~unlisted),
        pl.lit(ALARM_PCT).alias("alarm_pct"),
        "emptied_on",
        pl.Series("peak_pct", peak),
        pl.Series("rate_pct_per_day", peak / waits),
        pl.Series("is_overfull_planted", planted),
    )


def _longest_wait(week: list[int]) -> int:
    """Days between two emptyings, at most."""
    return max((after - before - 1) % 7 + 1 for before, after in zip(week, week[1:] + week[:1], strict=True))


def _collection(city: City) -> dict[str, object]:
    features = _features(city)
    return {
        "type": "FeatureCollection",
        "features": features,
        "totalFeatures": len(features),
        "numberMatched": len(features),
        "numberReturned": len(features),
        "timeStamp": f"{city.days[-1]}T22:30:00.000Z",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4326"}},
    }


def _features(city: City) -> list[dict[str, object]]:
    """The entries with the register's oddities: they stand for what such registers really send."""
    listed = containers(city).filter("in_register").rows(named=True)
    random = city.random("register of containers")
    taken = set(containers(city)["container_code"])
    free = [str(code) for code in range(10_000, 100_000) if str(code) not in taken]
    gone = [{**random.choice(listed), "container_code": code} for code in random.sample(free, REGISTER_ONLY)]
    entries = [_properties(row) for row in sorted((*listed, *gone), key=lambda row: row["container_code"])]
    odd = random.sample(entries, PADDED_FRACTIONS + UNKNOWN_FRACTIONS + 3 + DOUBLED_ENTRIES)
    for entry in odd[:PADDED_FRACTIONS]:
        entry["FRACTIE"] = f"{entry['FRACTIE']}   "
    for entry in odd[PADDED_FRACTIONS:][:UNKNOWN_FRACTIONS]:
        entry["FRACTIE"] = "NIET INGEVULD"
    swapped, nowhere, zero = odd[PADDED_FRACTIONS + UNKNOWN_FRACTIONS :][:3]
    swapped["LATITUDE"], swapped["LONGITUDE"] = swapped["LONGITUDE"], swapped["LATITUDE"]
    nowhere["LATITUDE"] = nowhere["LONGITUDE"] = None
    zero["LATITUDE"] = zero["LONGITUDE"] = 0.0
    return [_feature(number, entry) for number, entry in enumerate((*entries, *odd[-DOUBLED_ENTRIES:]), start=1)]


def _properties(row: dict[str, object]) -> dict[str, object]:
    return {
        "CLUSTERCODE": row["cluster_code"],
        "CLUSTEROMSCHRIJVING": row["location_name"],
        "CONTAINERCODE": row["container_code"],
        "FRACTIE": row["fraction_name"],
        "LATITUDE": row["latitude"],
        "LONGITUDE": row["longitude"],
    }


def _feature(number: int, entry: dict[str, object]) -> dict[str, object]:
    known = entry["LATITUDE"] is not None
    point = {"type": "Point", "coordinates": [entry["LONGITUDE"], entry["LATITUDE"]]} if known else None
    return {
        "type": "Feature",
        "id": f"CONTAINERS.{number}",
        "geometry": point,
        "geometry_name": "GEOMETRIE",
        "properties": dict(entry),
    }
