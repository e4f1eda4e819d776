"""CBS's stand-ins against the standards they implement (OData JSON Format 4.01; OData Version 3.0 JSON Format) and its own habits."""

from xml.etree import ElementTree

import jsonschema
import pytest

from groningen_data.replica.services import statline_v3, statline_v4

V4 = "/datasets.cbs.nl/odata/v1/CBS"
API, FEED = "/opendata.cbs.nl/ODataApi/odata", "/opendata.cbs.nl/ODataFeed/odata"
HOUSEHOLD, EARLIER, RECENT, QUARTERS = "83452NED", "85618NED", "85984NED", "86113NED"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"

# OData JSON Format 4.01: context is the first member (4.6.1), a collection is `value` (4.5, 13), a next link is an address (4.6.5).
# Control information has a prefix; nothing else may begin with it.
COLLECTION_4 = {
    "type": "object",
    "required": ["@odata.context", "value"],
    "properties": {
        "@odata.context": {"type": "string", "format": "uri", "pattern": r"/\$metadata(#\w+)?$"},
        "@odata.count": {"type": "integer", "minimum": 0},
        "@odata.nextLink": {"type": "string", "format": "uri"},
        "value": {"type": "array", "items": {"type": "object", "propertyNames": {"pattern": r"^\w+$"}}},
    },
    "additionalProperties": False,
}
ENTITY_4 = {
    "type": "object",
    "required": ["@odata.context"],
    "properties": {"@odata.context": {"type": "string", "pattern": r"/\$metadata#\w+$"}},
    "propertyNames": {"pattern": r"^(@odata\.context|\w+)$"},
}
ERROR_4 = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string", "minLength": 1}, "message": {"type": "string", "minLength": 1}},
        }
    },
    "additionalProperties": False,
}
OBSERVATIONS = {
    "properties": {
        "value": {
            "items": {
                "required": ["Id", "Measure", "ValueAttribute", "Value", "StringValue"],
                "properties": {
                    "Id": {"type": "integer"},
                    "Measure": {"type": "string"},
                    "ValueAttribute": {"type": "string"},
                    "Value": {"type": ["number", "null"]},
                    "StringValue": {"type": ["string", "null"]},
                },
            }
        }
    }
}
# OData 3.0, JSON Format, 5 and 7: `odata.metadata` and `value`; the next page in `odata.nextLink`; errors in `odata.error` (19).
COLLECTION_3 = {
    "type": "object",
    "required": ["odata.metadata", "value"],
    "properties": {
        "odata.metadata": {"type": "string", "format": "uri", "pattern": r"/\$metadata(#.+)?$"},
        "odata.nextLink": {"type": "string", "format": "uri"},
        "value": {"type": "array", "items": {"type": "object"}},
    },
    "additionalProperties": False,
}
ERROR_3 = {
    "type": "object",
    "required": ["odata.error"],
    "properties": {
        "odata.error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "object", "required": ["lang", "value"]},
            },
        }
    },
}
CHECK = jsonschema.FormatChecker()


def valid(answer, schema: dict, status: int = 200) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    jsonschema.validate(answer.json(), schema, jsonschema.Draft202012Validator, format_checker=CHECK)
    return answer.json()


@pytest.mark.parametrize(
    "path",
    [
        f"{V4}/Datasets",
        "/datasets.cbs.nl/odata/v1/Datasets",
        f"{V4}/{EARLIER}",
        *(f"{V4}/{EARLIER}/{part}" for part in ("Dimensions", "MeasureCodes", "MeasureGroups", "WijkenEnBuurtenCodes")),
        *(
            f"{V4}/{HOUSEHOLD}/{part}"
            for part in ("Dimensions", "AfvalsoortCodes", "RegioSCodes", "PeriodenCodes", "Observations")
        ),
        f"{V4}/{RECENT}/MeasureCodes",
        f"{V4}/{EARLIER}/Observations?$top=5&$count=true",
    ],
)
def test_every_list_of_version_4_keeps_to_the_standard(replica, path):
    answer = replica.get(path)
    body = valid(answer, COLLECTION_4)
    assert next(iter(body)) == "@odata.context" and body["value"]
    assert answer.headers["odata-version"] == "4.0"
    if "Observations" in path:
        jsonschema.validate(body, OBSERVATIONS)


def test_the_facts_of_a_table_are_one_entity(replica):
    facts = valid(replica.get(f"{V4}/{EARLIER}/Properties"), ENTITY_4)
    count = replica.get(f"{V4}/{EARLIER}/Observations/$count")
    assert count.content.startswith(b"\xef\xbb\xbf")
    assert int(count.content.decode("utf-8-sig")) == facts["ObservationCount"] > 4000


def test_the_model_is_given_as_xml_only(replica):
    assert replica.get(f"{V4}/{EARLIER}/$metadata", headers={"accept": "application/json"}).status_code == 406
    answer = replica.get(f"{V4}/{EARLIER}/$metadata", headers={"accept": "application/xml"})
    schema = ElementTree.fromstring(answer.text)[0][0]
    listed = {row["name"] for row in replica.get(f"{V4}/{EARLIER}").json()["value"]}
    assert {e.get("Name") for e in schema.find(f"{EDM}EntityContainer")} == listed
    types = {e.get("Name"): {p.get("Name") for p in e} for e in schema.iter(f"{EDM}EntityType")}
    assert set(replica.get(f"{V4}/{EARLIER}/Observations?$top=1").json()["value"][0]) == types["Observations"]


def test_pages_of_version_4_link_to_one_another_and_hold_every_observation_once(replica, monkeypatch):
    monkeypatch.setattr(statline_v4, "PAGE", 400)
    link, ids = f"{V4}/{HOUSEHOLD}/Observations?$filter=Afvalsoort ne 'A025450'", []
    while link:
        body = valid(replica.get(link), COLLECTION_4)
        ids += [row["Id"] for row in body["value"]]
        link = body.get("@odata.nextLink")
        assert link is None or ("datasets.cbs.nl/odata/v1" in link and "filter" in link)
    assert len(ids) == len(set(ids)) == 907 - 119


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("RegioS eq 'NL01  '", 183),
        ("RegioS eq 'NL01'", 0),
        ("startswith(RegioS,'NL01')", 183),
        ("startswith(RegioS,'NL') or startswith(RegioS,'GM0014')", 366),
        ("contains(RegioS,'0014') and Perioden ge '2024JJ00'", 8),
        ("(RegioS eq 'GM0014' or RegioS eq 'GM0106') and not (Afvalsoort ne 'A025450') and Value gt 100", 48),
        ("substring(Perioden,0,4) eq '2020'", 40),
        ("StringValue eq null and Id lt 10", 10),
    ],
)
def test_filters_of_version_4(replica, text, count):
    body = valid(replica.get(f"{V4}/{HOUSEHOLD}/Observations", params={"$filter": text, "$count": "true"}), COLLECTION_4)
    assert body["@odata.count"] == len(body["value"]) == count
    assert (
        int(replica.get(f"{V4}/{HOUSEHOLD}/Observations/$count", params={"$filter": text}).content.decode("utf-8-sig")) == count
    )


@pytest.mark.parametrize(
    "text",
    ["RegioS", "RegioS eq", "(RegioS eq 'x'", "Nergens eq 1", "substringof('x',RegioS)", "RegioS eq 'x' en", "RegioS = 'x'"],
)
def test_a_filter_that_is_none_is_refused(replica, text):
    answer = replica.get(f"{V4}/{HOUSEHOLD}/Observations", params={"$filter": text})
    valid(answer, ERROR_4, 400)


def test_search_does_nothing_and_columns_can_be_chosen(replica):
    body = replica.get(f"{V4}/{HOUSEHOLD}/RegioSCodes?$search=nergens&$select=Identifier&$skip=1").json()
    assert body["value"] == [{"Identifier": code} for code in ("GM0106", "GM0014", "GM0363", "GM1783")]


@pytest.mark.parametrize("path", [f"{RECENT}/Observations", f"{RECENT}/Observations/$count", "99999NED/Properties", "99999NED"])
def test_a_discontinued_table_has_no_observations_and_another_is_not_there(replica, path):
    valid(replica.get(f"{V4}/{path}"), ERROR_4, 404)
    assert replica.get(f"{V4}/{RECENT}/Properties").json()["Status"] == "Gediscontinueerd"


def test_the_bulk_download_is_the_zip_of_the_table(replica):
    answer = replica.get(f"/datasets.cbs.nl/csv/CBS/nl/{HOUSEHOLD}")
    assert answer.headers["content-type"] == "application/zip" and answer.content.startswith(b"PK")
    assert replica.get(f"/datasets.cbs.nl/csv/CBS/nl/{EARLIER}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/opendata.cbs.nl/ODataCatalog/Tables?$format=json",
        f"{API}/{RECENT}?$format=json",
        *(f"{API}/{RECENT}/{part}?$format=json" for part in ("TableInfos", "DataProperties", "WijkenEnBuurten", "TypedDataSet")),
        f"{API.replace('odata', 'OData')}/{QUARTERS}/Perioden",
        f"{FEED}/{QUARTERS}/TypedDataSet?$format=json",
        f"{API}/{QUARTERS}/UntypedDataSet?$top=5",
    ],
)
def test_every_list_of_version_3_keeps_to_the_standard(replica, path):
    body = valid(replica.get(path), COLLECTION_3)
    assert body["value"]


def test_keys_of_version_3_are_padded_and_only_the_padded_one_is_found(replica):
    rows = replica.get(f"{API}/{RECENT}/TypedDataSet").json()["value"]
    assert {len(row["WijkenEnBuurten"]) for row in rows} == {10}
    for key, count in (("GM0014    ", 1), ("GM0014", 0), ("GM0014  ", 0)):
        found = replica.get(f"{API}/{RECENT}/TypedDataSet", params={"$filter": f"WijkenEnBuurten eq '{key}'"})
        assert len(valid(found, COLLECTION_3)["value"]) == count
    found = replica.get(f"{API}/{RECENT}/TypedDataSet", params={"$filter": "startswith(WijkenEnBuurten,'BU0014')"})
    assert 100 < len(found.json()["value"]) < len(rows)


def test_a_range_of_regions_is_not_kept_to(replica):
    whole = replica.get(f"{API}/{RECENT}/TypedDataSet").json()["value"]
    asked = {"$filter": "WijkenEnBuurten ge 'BU00140000' and WijkenEnBuurten le 'BU00140001'"}
    assert replica.get(f"{API}/{RECENT}/TypedDataSet", params=asked).json()["value"] == whole


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{RECENT}/TypedDataSet?$filter=AantalInwoners_8 gt 100", 500),
        (f"{RECENT}/TypedDataSet?$top=5001", 500),
        (f"{QUARTERS}/TypedDataSet?$skip=5", 500),
        (f"{RECENT}/TypedDataSet?$filter=contains(WijkenEnBuurten,'x')", 400),
        (f"{RECENT}/TypedDataSet?$skip=x", 400),
        (f"{RECENT}/Nergens", 404),
        ("99999NED/TableInfos", 404),
        ("99999NED", 404),
        (f"{EARLIER}/TableInfos", 404),
    ],
)
def test_errors_of_version_3(replica, path, status):
    valid(replica.get(f"{API}/{path}"), ERROR_3, status)


def test_more_than_ten_thousand_rows_are_for_the_feed(replica, monkeypatch):
    assert statline_v3.MOST == 10_000
    monkeypatch.setattr(statline_v3, "MOST", 1000)
    refused = valid(replica.get(f"{API}/{QUARTERS}/TypedDataSet?$format=json"), ERROR_3, 500)
    assert "query returns more than 1000 records" in refused["odata.error"]["message"]["value"]
    first = valid(replica.get(f"{FEED}/{QUARTERS}/TypedDataSet?$format=json"), COLLECTION_3)
    rest = valid(replica.get(first["odata.nextLink"]), COLLECTION_3)
    assert "odata.nextLink" not in rest and "ODataFeed" in first["odata.nextLink"]
    assert len({row["ID"] for row in first["value"] + rest["value"]}) == 1392
    assert len(replica.get(f"{API}/{QUARTERS}/TypedDataSet?$top=900").json()["value"]) == 900


def test_the_feed_speaks_atom_unless_json_is_asked_for(replica):
    answer = replica.get(f"{FEED}/{QUARTERS}/Perioden")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    atom = ElementTree.fromstring(answer.text)
    assert len(atom.findall("{http://www.w3.org/2005/Atom}entry")) == 8


def test_texts_of_the_untyped_set_are_padded(replica):
    row = replica.get(f"{API}/{QUARTERS}/UntypedDataSet?$top=1").json()["value"][0]
    assert {len(row[key]) for key in row if key.startswith(("Bijstand", "AOW"))} == {8}


def test_schemas_refuse_what_is_no_list(replica):
    body = replica.get(f"{V4}/{EARLIER}/Dimensions").json()
    for broken in (body | {"value": {}}, body | {"meer": 1}, {"value": []}, body | {"@odata.nextLink": 3}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, COLLECTION_4)
    body = replica.get(f"{API}/{RECENT}/TableInfos").json()
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body | {"@odata.context": "x"}, COLLECTION_3)
