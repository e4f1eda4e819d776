"""The registry of measurement sites."""

import csv
import gzip
import json

import polars as pl

from groningen_data.settings import PROJECT
from groningen_data.sources.ndw_sites import SOURCE, parse_sites

SITE = {"c": [6.565, 53.215], "n": "Sontweg ", "side": "northEastBound", "lanes": 1, "m": [[1, 8, 4]]}


def rows(payloads, context) -> pl.DataFrame:
    return pl.concat(list(parse_sites(payloads, "snapshot", context)))


def registry(payload, sites: dict, name: str = "registry.json"):
    return payload(SOURCE, name, json.dumps(sites).encode())


def test_a_site_gets_its_neighbourhood(payload, context):
    row = rows([registry(payload, {"A_1": SITE})], context()).row(0, named=True)
    assert (row["site_id"], row["site_name"], row["direction"], row["lanes"]) == ("A_1", "Sontweg", "northEastBound", 1)
    assert (row["neighbourhood_code"], row["location_status"], row["successor_site_id"]) == ("BU00140001", "inside", None)


def test_the_earlier_id_of_a_listed_site_stands_at_its_successors_place(payload, context):
    found = rows([registry(payload, {"PGR08_Sontweg_NO_HTN2262": SITE})], context())
    earlier = found.filter(site_id="PGR01_101761_Sontweg_NO_ID_8812").row(0, named=True)
    assert earlier["successor_site_id"] == "PGR08_Sontweg_NO_HTN2262"
    assert (earlier["longitude"], earlier["neighbourhood_code"]) == (6.565, "BU00140001")


def test_an_earlier_id_that_is_still_listed_is_not_added_again(payload, context):
    sites = {"PGR08_Sontweg_NO_HTN2262": SITE, "PGR01_101761_Sontweg_NO_ID_8812": SITE}
    assert rows([registry(payload, sites)], context()).height == 2


def test_a_site_without_side_or_place_is_kept(payload, context):
    row = rows([registry(payload, {"A": SITE, "B": {"n": "x", "lanes": 2, "c": None}})], context()).row(1, named=True)
    assert (row["direction"], row["location_status"], row["_problems"]) == (None, "no_location", [])


def test_the_registry_landed_last_wins(payload, context):
    assert rows([registry(payload, {"A": SITE}), registry(payload, {"B": SITE})], context())["site_id"].to_list() == ["B"]


def test_no_earlier_id_has_two_successors():
    with (PROJECT / "data/reference/traffic_site_successions.csv").open(encoding="utf-8") as stream:
        earlier = [row["from_site_id"] for row in csv.DictReader(stream)]
    assert len(earlier) == len(set(earlier)) == 83


def test_the_real_registry_holds_every_site_of_the_real_loops(real_payloads, real, context):
    made = context()
    found = rows(real_payloads(SOURCE), made)
    assert (made.notes["sites_read"], made.notes["earlier_ids_added"]) == (20_813, 83)
    with gzip.open(real / "traffic/groningen_loops_utd19_2017-09-21.csv.gz", "rt") as stream:
        sites = {row["detid"].rsplit("_", 1)[0] for row in csv.DictReader(stream)}
    assert len(sites) == 37 and sites <= set(found["site_id"])
    assert found["_problems"].list.len().sum() == 0
