"""PDOK's stand-in against the standard it implements: OGC API Features Part 1 (Core, GeoJSON) and Part 2 (CRS)."""

import jsonschema
import pytest

from tests.unit.replica.ogc import CRS84, schema

ROOT = "/api.pdok.nl/cbs/wijken-en-buurten-2024/ogc/v1"
ITEMS = f"{ROOT}/collections/buurten/items"
RD = "http://www.opengis.net/def/crs/EPSG/0/28992"
CORE = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
CHECK = jsonschema.FormatChecker()


def valid(answer, name: str) -> dict:
    body = answer.json()
    jsonschema.validate(body, schema(name), jsonschema.Draft202012Validator, format_checker=CHECK)
    return body


def links(body: dict) -> dict[str, str]:
    return {link["rel"]: link["href"] for link in body["links"]}


@pytest.mark.parametrize(
    ("path", "name", "kind"),
    [
        ("/", "landingPage", "application/json"),
        ("", "landingPage", "application/json"),
        ("/conformance", "confClasses", "application/json"),
        ("/collections", "collections", "application/json"),
        ("/collections/wijken", "collection", "application/json"),
        ("/collections/buurten/items", "featureCollection", "application/geo+json"),
        ("/collections/wijken/items", "featureCollection", "application/geo+json"),
        ("/collections/gemeenten/items", "featureCollection", "application/geo+json"),
        ("/collections/buurten/items/1", "feature", "application/geo+json"),
    ],
)
def test_every_answer_keeps_to_its_schema(replica, path, name, kind):
    answer = replica.get(f"{ROOT}{path}")
    assert answer.status_code == 200 and answer.headers["content-type"] == kind
    valid(answer, name)


def test_schemas_refuse_what_is_no_feature_collection(replica):
    broken = replica.get(ITEMS).json() | {"numberReturned": -1}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema("featureCollection"))
    broken = replica.get(ITEMS).json()
    broken["features"][0]["geometry"]["coordinates"] = [[[6.5, 53.2]]]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema("featureCollection"))


def test_every_link_of_the_landing_page_leads_somewhere(replica):
    found = links(valid(replica.get(f"{ROOT}/"), "landingPage"))
    assert {"self", "service-desc", "conformance", "data"} <= set(found)
    assert {replica.get(address).status_code for address in found.values()} == {200}
    assert f"{CORE}/core" in replica.get(found["conformance"]).json()["conformsTo"]


def test_ten_items_unless_asked_and_a_thousand_at_most(replica):
    assert valid(replica.get(ITEMS), "featureCollection")["numberReturned"] == 10
    whole = valid(replica.get(ITEMS, params={"limit": 5000}), "featureCollection")
    assert whole["numberReturned"] == len(whole["features"]) == 151
    assert "next" not in links(whole)


def test_pages_follow_one_another_to_the_end(replica):
    seen, address = [], f"{ITEMS}?limit=60"
    while address:
        body = valid(replica.get(address), "featureCollection")
        assert body["numberReturned"] == len(body["features"]) and {"self", "alternate"} <= set(links(body))
        seen += [f["id"] for f in body["features"]]
        address = links(body).get("next")
    assert len(seen) == len(set(seen)) == 151


def test_a_filter_and_a_box_choose(replica):
    one = replica.get(ITEMS, params={"wijkcode": "WK001400", "limit": 1000}).json()["features"]
    assert {f["properties"]["wijkcode"] for f in one} == {"WK001400"}
    assert replica.get(ITEMS, params={"gemeentecode": "GM0363"}).json()["features"] == []
    boxed = replica.get(ITEMS, params={"bbox": "6.56,53.21,6.57,53.22", "limit": 1000}).json()["features"]
    assert 0 < len(boxed) < 30
    in_metres = replica.get(ITEMS, params={"bbox": "233400,581500,234100,582600", "bbox-crs": RD, "limit": 1000}).json()[
        "features"
    ]
    assert {f["id"] for f in in_metres} & {f["id"] for f in boxed}


def test_coordinates_are_degrees_unless_metres_are_asked_for(replica):
    degrees, metres = (replica.get(ITEMS, params=p) for p in ({}, {"crs": RD}))
    assert degrees.headers["content-crs"] == f"<{CRS84}>" and metres.headers["content-crs"] == f"<{RD}>"
    x, y = valid(degrees, "featureCollection")["features"][0]["geometry"]["coordinates"][0][0]
    assert 6 < x < 7 and 53 < y < 54
    x, y = valid(metres, "featureCollection")["features"][0]["geometry"]["coordinates"][0][0]
    assert 200_000 < x < 260_000 and 560_000 < y < 600_000


@pytest.mark.parametrize(
    "query",
    [
        "unknown=1",
        "limit=0",
        "limit=many",
        "bbox=1,2,3",
        "bbox=a,b,c,d",
        "crs=EPSG:4326",
        "cursor=!!",
        "f=gml",
        "cql_filter=true",
    ],
)
def test_what_is_not_known_or_not_readable_is_refused(replica, query):
    answer = replica.get(f"{ITEMS}?{query}")
    assert answer.status_code == 400
    assert valid(answer, "exception")["code"] == "InvalidParameterValue"


@pytest.mark.parametrize(
    "path",
    [
        f"{ROOT.replace('2024', '2026')}/collections/buurten/items",
        f"{ROOT}/collections/straten/items",
        f"{ITEMS}/9999",
        f"{ROOT}x",
    ],
)
def test_what_is_not_there_is_not_found(replica, path):
    assert replica.get(path).status_code == 404
