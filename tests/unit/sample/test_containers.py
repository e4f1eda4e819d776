import json
from collections import Counter
from typing import Any

import polars as pl
import pytest

from groningen_data.sample import containers as register
from groningen_data.sample.containers import containers, inside, payloads
from groningen_data.sample.facts import City
from groningen_data.sample.geography import outlines_of
from tests.unit.sample.cities import city_of


@pytest.fixture(scope="module")
def city() -> City:
    return city_of(3)


@pytest.fixture(scope="module")
def features(city: City) -> list[dict[str, Any]]:
    [(path, data)] = payloads(city)
    assert path == "waste/groningen_containers.geojson"
    collection = json.loads(data)
    assert collection["type"] == "FeatureCollection" and collection["numberMatched"] == len(collection["features"])
    found: list[dict[str, Any]] = collection["features"]
    return found


def properties(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [f["properties"] for f in features]


def test_there_are_as_many_containers_clusters_and_sensors_as_planned(city: City) -> None:
    frame = containers(city)
    assert frame.height == frame["container_code"].n_unique() == register.CONTAINERS
    assert frame["cluster_code"].n_unique() == register.CLUSTERS
    assert frame["has_sensor"].sum() == register.WITH_SENSOR
    assert (~frame["in_register"]).sum() == register.TELEMETRY_ONLY
    assert frame.filter(~pl.col("in_register"))["has_sensor"].all()


def test_containers_stand_in_their_neighbourhood(city: City) -> None:
    rings = outlines_of(city.neighbourhoods)
    for code, longitude, latitude in containers(city).select("neighbourhood_code", "longitude", "latitude").iter_rows():
        assert inside(rings[code], (longitude, latitude))


def test_dense_neighbourhoods_have_more_containers_for_each_household(city: City) -> None:
    counts = Counter(containers(city)["neighbourhood_code"])

    def per_household(dense: bool) -> float:
        chosen = [n for n in city.neighbourhoods if n.households and ((n.address_density_km2 or 0) > 4_000) == dense]
        return sum(counts[n.code] for n in chosen) / sum(n.households or 0 for n in chosen)

    assert per_household(True) > 2 * per_household(False)
    assert {n.code for n in city.neighbourhoods if (n.households or 0) >= 50} <= set(counts)


def test_most_containers_are_for_residual_waste(city: City) -> None:
    shares = dict(containers(city)["fraction_code"].value_counts(normalize=True).iter_rows())
    assert 0.55 < shares["residual"] < 0.75
    assert set(shares) == {"residual", "paper", "glass", "plastic", "organic", "textile"}


def test_a_cluster_is_named_after_its_neighbourhood_not_after_an_address(city: City) -> None:
    names = {n.code: n.name for n in city.neighbourhoods}
    for cluster, name, neighbourhood in (
        containers(city).select("cluster_code", "location_name", "neighbourhood_code").iter_rows()
    ):
        assert name.startswith(f"{cluster} - {names[neighbourhood]} ") and len(cluster) == 4


def test_the_register_has_the_fields_of_the_source(features: list[dict[str, Any]]) -> None:
    fields = ["CLUSTERCODE", "CLUSTEROMSCHRIJVING", "CONTAINERCODE", "FRACTIE", "LATITUDE", "LONGITUDE"]
    assert all(list(p) == fields for p in properties(features))


def test_the_register_and_the_telemetry_know_containers_the_other_does_not(city: City, features: list[dict[str, Any]]) -> None:
    listed = {p["CONTAINERCODE"] for p in properties(features)}
    real = set(containers(city)["container_code"])
    assert len(listed - real) == register.REGISTER_ONLY
    assert len(real - listed) == register.TELEMETRY_ONLY
    assert len(listed) == register.CONTAINERS - register.TELEMETRY_ONLY + register.REGISTER_ONLY


def test_the_register_has_the_oddities_of_its_kind(features: list[dict[str, Any]]) -> None:
    entries = properties(features)
    twice = [code for code, n in Counter(p["CONTAINERCODE"] for p in entries).items() if n == 2]
    assert len(twice) == register.DOUBLED_ENTRIES
    assert sum(p["FRACTIE"].endswith(" ") for p in entries) == register.PADDED_FRACTIONS
    assert sum(p["FRACTIE"] == "NIET INGEVULD" for p in entries) == register.UNKNOWN_FRACTIONS
    assert sum(f["geometry"] is None for f in features) == sum(p["LATITUDE"] is None for p in entries) == 1
    assert sum(p["LATITUDE"] == 0 for p in entries) == 1
    assert sum((p["LATITUDE"] or 0) < 10 < (p["LONGITUDE"] or 0) for p in entries) == 1
