"""Groningen's GeoServer's stand-in: WFS in three versions, and errors with status 200."""

from xml.etree import ElementTree

import pytest

ADDRESS = "/maps.groningen.nl/geoserver/geo-data/wfs"
LAYER = "geo-data:CONTAINERS"
REPORTS = {"1.0.0": "ogc}ServiceException", "1.1.0": "ows}ExceptionText", "2.0.0": "ows/1.1}ExceptionText"}
ASKED = {"service": "WFS", "request": "GetFeature", "outputFormat": "application/json"}


def get(replica, **query: str):
    return replica.get(ADDRESS, params={**ASKED, **query})


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"version": "2.0.0", "typeNames": LAYER}, 1961),
        ({"version": "2.0.0", "typeNames": LAYER, "count": "5"}, 5),
        ({"version": "2.0.0", "typeNames": LAYER, "maxFeatures": "5"}, 1961),
        ({"version": "1.0.0", "typeName": LAYER, "maxFeatures": "5"}, 5),
        ({"version": "1.0.0", "typeName": LAYER, "count": "5"}, 1961),
        ({"version": "2.0.0", "TYPENAMES": LAYER, "COUNT": "1000", "startIndex": "1000", "sortBy": "CONTAINERCODE"}, 961),
        ({"version": "2.0.0", "typeNames": LAYER, "count": "5", "srsName": "EPSG:4326"}, 5),
    ],
)
def test_each_version_has_its_own_parameters(replica, query, count):
    body = get(replica, **query).json()
    assert (len(body["features"]), body["numberReturned"], body["numberMatched"]) == (count, count, 1961)
    assert set(body["features"][0]["properties"]) == {
        "CLUSTERCODE", "CLUSTEROMSCHRIJVING", "CONTAINERCODE", "FRACTIE", "LATITUDE", "LONGITUDE"
    }  # fmt: skip


def test_pages_in_an_order_make_the_whole(replica):
    pages = [
        get(replica, version="2.0.0", typeNames=LAYER, count="800", startIndex=str(start), sortBy="CONTAINERCODE").json()[
            "features"
        ]
        for start in (0, 800, 1600)
    ]
    codes = [f["properties"]["CONTAINERCODE"] for page in pages for f in page]
    assert len(codes) == 1961 and codes == sorted(codes)
    backwards = get(replica, version="2.0.0", typeNames=LAYER, count="3", sortBy="CONTAINERCODE D").json()["features"]
    assert [f["properties"]["CONTAINERCODE"] for f in backwards] == codes[:-4:-1]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"request": "Fly"}, "No such operation fly"),
        ({"request": ""}, "Could not determine the request"),
        ({"typeNames": "geo-data:Bomen gemeente Groningen"}, "Feature type geo-data:Bomen gemeente Groningen unknown"),
        ({}, "should specify a layer"),
        ({"typeNames": LAYER, "outputFormat": "shape-zip"}, "output format"),
        ({"typeNames": LAYER, "count": "many"}, "Could not parse"),
        ({"typeNames": LAYER, "startIndex": "5"}, "Cannot do natural order without a primary key"),
        ({"typeNames": LAYER, "sortBy": "STRAAT"}, "Illegal property name: STRAAT"),
        ({"typeNames": LAYER, "srsName": "EPSG:28992"}, "Only degrees"),
    ],
)
@pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "2.0.0"])
def test_an_error_is_xml_with_status_200(replica, version, query, said):
    older = {"typeNames": "typeName", "count": "maxFeatures"} if version != "2.0.0" else {}
    answer = get(replica, version=version, **{older.get(name, name): value for name, value in query.items()})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/xml")
    root = ElementTree.fromstring(answer.content)
    assert said in next(root.iter(f"{{http://www.opengis.net/{REPORTS[version]}")).text


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "2.0.0"])
@pytest.mark.parametrize("path", [ADDRESS, "/maps.groningen.nl/geoserver/ows"])
def test_the_capabilities_name_the_layer(replica, version, path):
    answer = replica.get(path, params={"SERVICE": "WFS", "REQUEST": "GetCapabilities", "VERSION": version})
    root = ElementTree.fromstring(answer.content)
    assert root.get("version") == version and root.tag.endswith("}WFS_Capabilities")
    assert [e.text for e in root.iter() if e.tag.endswith("}Name")] == [LAYER]


def test_ids_are_made_up_anew_for_each_answer(replica):
    first, second = (get(replica, version="2.0.0", typeNames=LAYER, count="1").json()["features"][0] for _ in range(2))
    assert first["id"] != second["id"] and first["properties"] == second["properties"]
