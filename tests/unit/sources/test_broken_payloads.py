"""What happens to each kind of broken payload: refused with a message that says why, or rows that are marked."""

import gzip
import json
import re
from io import BytesIO

import polars as pl
import pytest

from groningen_data.sources import cbs_statline, ndw_datex, ndw_sites, outlines, signalen, utd19_loops

LOOPS = "day,interval,detid,flow,occ,error,city,speed\n2017-09-21,300,S_1,60,1,,groningen,48\n"
REPORTS = [
    {
        "id": "a",
        "lng": 6.5,
        "lat": 53.2,
        "category_slug": "afval",
        "subcategory_slug": "x",
        "created_at": "2026-05-18T10:00:00+00:00",
    }
]
SITES = {"A_1": {"c": [6.5, 53.2], "n": "x", "side": "northBound", "lanes": 1, "m": []}}
SQUARE = {"type": "Polygon", "coordinates": [[[6.5, 53.2], [6.6, 53.2], [6.6, 53.3], [6.5, 53.3], [6.5, 53.2]]]}
HOOD = {"type": "Feature", "properties": {"buurtcode": "BU00140000", "buurtnaam": "A"}, "geometry": SQUARE}
HOODS = {"type": "FeatureCollection", "name": "buurten_2024", "features": [HOOD]}
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
DATEX = (
    f'<d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0" {XSI}><payloadPublication xsi:type="MeasuredDataPublication">'
    '<siteMeasurements><measurementSiteReference id="S" version="1"/><measurementTimeDefault>2026-03-02T10:01:00Z'
    '</measurementTimeDefault><measuredValue index="1"><measuredValue><basicData xsi:type="TrafficFlow"><vehicleFlow>'
    "<vehicleFlowRate>60</vehicleFlowRate></vehicleFlow></basicData></measuredValue></measuredValue></siteMeasurements>"
    "</payloadPublication></d2LogicalModel>"
)
BOMB = '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]>' + DATEX


def js(value: object) -> bytes:
    return json.dumps(value).encode()


def parquet(**columns: list) -> bytes:
    buffer = BytesIO()
    pl.DataFrame(columns).write_parquet(buffer)
    return buffer.getvalue()


def typed(value: object, **members: object) -> bytes:
    return js({"odata.metadata": "https://x/99999NED/$metadata#T.TypedDataSet", "value": value} | members)


SET = parquet(WijkenEnBuurten=["NL00"], AantalInwoners_5=[1])
PAGED = HOODS | {"links": [{"rel": "next", "href": "…"}]}
MERCATOR = {"type": "Polygon", "coordinates": [[[730000, 7040000], [731000, 7040000], [731000, 7041000], [730000, 7040000]]]}

REFUSED = [
    (utd19_loops, "loops.csv", b"", "is empty"),
    (utd19_loops, "loops.csv", LOOPS.split("\n")[0].encode(), "no rows"),
    (utd19_loops, "loops.csv", LOOPS.encode()[:-10], "cut off in its last line"),
    (utd19_loops, "loops.csv.gz", gzip.compress(LOOPS.encode() * 50)[:-20], "gzip stream is broken"),
    (utd19_loops, "loops.csv", LOOPS.replace("flow", "intensity").encode(), r"misses column\(s\) flow; new are intensity"),
    (utd19_loops, "loops.csv", LOOPS.replace(",", ";").encode(), "not comma-separated"),
    (utd19_loops, "loops.csv", LOOPS.encode("utf-16"), "not UTF-8"),
    (utd19_loops, "loops.csv", b"<html><body>Not found</body></html>", "not comma-separated"),
    (utd19_loops, "loops.csv", LOOPS.replace("2017-09-21", "21/09/2017").encode(), "no readable day"),
    (utd19_loops, "loops.csv", (LOOPS + "2017-09-21,300,S_1,60,1,,groningen,48,9,9\n").encode(), "not readable as CSV"),
    (signalen, "2026-05-18.json", b"", "is empty"),
    (signalen, "2026-05-18.json", b"[]", "lists no reports"),
    (signalen, "2026-05-18.json", js(REPORTS)[:-20], "not complete JSON"),
    (signalen, "2026-05-18.json", js({"detail": "not authenticated"}), "not a list of reports"),
    (signalen, "2026-05-18.json", js([1, 2]), "not of reports"),
    (signalen, "open_reports.json", js(REPORTS), "has no day in its name"),
    (signalen, "2026-13-45.json", js(REPORTS), "has no day in its name"),
    (signalen, "2026-05-18.json", js([{"id": 1, "created": "x"}]), r"misses column\(s\) created_at, .*; new are created"),
    (signalen, "2026-05-18.json", b"[" * 200_000, "not complete JSON"),
    (ndw_sites, "s.json", js([]), "not an object of sites"),
    (ndw_sites, "s.json", js({}), "lists no sites"),
    (ndw_sites, "s.json", js({"A": {"coordinates": [1, 2], "n": "x", "lanes": 1}}), r"misses column\(s\) c; new are coordinates"),
    (ndw_sites, "s.json", js(SITES)[:-9], "not complete JSON"),
    (ndw_datex, "trafficspeed.xml", BOMB.encode(), "declares a document type"),
    (ndw_datex, "trafficspeed.xml", DATEX.encode()[:-60], "was cut off"),
    (ndw_datex, "trafficspeed.xml", b"<html><body/></html>", "outermost element is html"),
    (ndw_datex, "trafficspeed.xml", b"day,interval\n", "not well-formed XML"),
    (ndw_datex, "trafficspeed.xml", DATEX.replace("MeasuredData", "Situation").encode(), "publishes SituationPublication"),
    (
        ndw_datex,
        "trafficspeed.xml",
        DATEX.replace("2026-03-02T10:01:00Z", "vanochtend").encode(),
        "no measurement with a readable time",
    ),
    (ndw_datex, "trafficspeed.xml", b"<d2LogicalModel/>", "no payloadPublication"),
    (ndw_datex, "trafficspeed.xml.gz", gzip.compress(DATEX.encode())[:-12], "gzip stream is broken"),
    (ndw_datex, "trafficspeed.xml", DATEX.encode() + b"<more/>", "not well-formed XML"),
    (outlines, "buurten.geojson", js(HOODS | {"features": []}), "holds no features"),
    (outlines, "buurten.geojson", js(HOODS | {"type": "Topology"}), "not a GeoJSON FeatureCollection"),
    (outlines, "buurten.geojson", js(HOODS | {"name": "buurten"}), "does not say of which year"),
    (outlines, "buurten.geojson", js(PAGED), "one page of several"),
    (outlines, "buurten.geojson", js(HOODS | {"features": [HOOD | {"properties": {"naam": "A"}}]}), "its columns are naam"),
    (outlines, "buurten.geojson", js(HOODS | {"features": [HOOD | {"geometry": MERCATOR}]}), "unknown coordinate system"),
    (
        outlines,
        "buurten.geojson",
        js(HOODS | {"crs": {"properties": {"name": "EPSG:3857"}}}),
        r"unknown coordinate system \(EPSG:3857\)",
    ),
    (outlines, "buurten.geojson", js(HOODS)[:-30], "not complete JSON"),
    (cbs_statline, "cbs.v3.99999NED_TypedDataSet.parquet", SET[:-100], "not complete parquet"),
    (cbs_statline, "cbs.v3.99999NED_TypedDataSet.parquet", parquet(Woonplaatsen=["WP1"]), r"misses column\(s\) WijkenEnBuurten"),
    (cbs_statline, "cbs.v3.99999NED_TypedDataSet.parquet", parquet(WijkenEnBuurten=[]), "holds no rows"),
    (cbs_statline, "x_TypedDataSet.parquet", SET, "does not say of which table"),
    (cbs_statline, "a.json", typed([]), "holds no rows"),
    (cbs_statline, "a.json", typed([{"WijkenEnBuurten": "NL00"}], **{"odata.nextLink": "…"}), "one page of several"),
    (cbs_statline, "a.json", typed([{"WijkenEnBuurten": "NL00", "Perioden": "2024JJ00"}]), "another table with periods"),
    (cbs_statline, "a.json", js({"Identifier": "1NED", "Title": "Banen van werknemers"}), "describes another table"),
    (cbs_statline, "a.json", js({"odata.error": "query returns more than 10000 records"}), r"misses column\(s\) value"),
    (
        cbs_statline,
        "cbs.v3.99999NED_DataProperties.parquet",
        parquet(Key=["a"], Title=["b"], ParentID=[1]),
        r"misses column\(s\) ID, Type, Unit",
    ),
]

MARKED = [
    (utd19_loops, "parse_counts", LOOPS.replace(",60,", ",veel,").encode(), ["flow_veh_h.type"], {"flow_veh_h": None}),
    (utd19_loops, "parse_counts", LOOPS.replace(",60,", ",-5,").encode(), ["flow_veh_h.greater_than_or_equal_to"], {}),
    (
        utd19_loops,
        "parse_counts",
        LOOPS.replace(",300,", ",vijf,").encode(),
        ["interval_start_at.type"],
        {"interval_start_at": None},
    ),
    (utd19_loops, "parse_counts", LOOPS.replace(",300,", ",86400,").encode(), ["interval_start_at.outside_day"], {}),
    (utd19_loops, "parse_counts", LOOPS.replace(",300,", ",301,").encode(), ["interval_start_at.not_five_minutes"], {}),
    (utd19_loops, "parse_counts", LOOPS.replace(",,gron", ",7,gron").encode(), ["error.unknown"], {}),
    (utd19_loops, "parse_counts", LOOPS.replace(",60,", ",,").encode(), [], {"flow_missing_reason": "not_delivered"}),
    (utd19_loops, "parse_counts", LOOPS.replace(",60,", ",inf,").encode(), [], {"flow_missing_reason": "not_a_number"}),
    (utd19_loops, "parse_counts", LOOPS.replace("S_1", "S").encode(), [], {"series_code": None}),
    (signalen, "parse_open_reports", js([REPORTS[0] | {"created_at": "gisteren"}]), ["created_at.type"], {"created_at": None}),
    (signalen, "parse_open_reports", js([REPORTS[0] | {"created_at": "2026-05-18T10:00:00"}]), ["created_at.type"], {}),
    (
        signalen,
        "parse_open_reports",
        js([REPORTS[0] | {"created_at": "2026-05-19T10:00:00Z"}]),
        ["created_at.after_snapshot"],
        {},
    ),
    (signalen, "parse_open_reports", js([REPORTS[0] | {"lat": "noord"}]), ["latitude.type"], {"location_status": "no_location"}),
    (signalen, "parse_open_reports", js([REPORTS[0] | {"lng": float("nan")}]), ["longitude.type"], {"longitude": None}),
    (signalen, "parse_open_reports", js([None, *REPORTS]), ["row.type"], {"report_id": None}),
    (signalen, "parse_open_reports", js([REPORTS[0] | {"id": None}]), [], {"report_id": None}),
    (ndw_sites, "parse_sites", js({"A_1": SITES["A_1"] | {"lanes": "two"}}), ["lanes.type"], {"lanes": None}),
    (
        ndw_sites,
        "parse_sites",
        js({"A_1": SITES["A_1"] | {"c": [6.5]}}),
        ["longitude.type", "latitude.type"],
        {"longitude": None},
    ),
    (ndw_sites, "parse_sites", js({"B": None} | SITES), ["row.type"], {"site_id": "B"}),
    (ndw_datex, "parse_counts", DATEX.replace(">60<", ">veel<").encode(), ["flow_veh_h.type"], {"site_id": "S"}),
    (ndw_datex, "parse_counts", DATEX.replace(">60<", ">-7<").encode(), ["flow_veh_h.greater_than_or_equal_to"], {}),
    (ndw_datex, "parse_counts", DATEX.replace('"S" version="1"', '"S" version="nieuw"').encode(), ["site_version.type"], {}),
    (ndw_datex, "parse_counts", DATEX.replace(' id="S"', "").encode(), ["site_id.required"], {"site_id": None}),
    (
        outlines,
        "parse_neighbourhoods",
        js(HOODS | {"features": [HOOD | {"geometry": {"type": "Polygon", "coordinates": [[[6.5]]]}}, HOOD]}),
        ["outline_wkb.type"],
        {"outline_wkb": None},
    ),
    (
        outlines,
        "parse_neighbourhoods",
        js(HOODS | {"features": [HOOD | {"geometry": None}, HOOD]}),
        [],
        {"outline_wkb": None, "centre_longitude": None},
    ),
]
NAMES = {
    utd19_loops: "loops.csv",
    signalen: "2026-05-18.json",
    ndw_sites: "sites.json",
    ndw_datex: "a.xml",
    outlines: "buurten_2024.geojson",
}


@pytest.mark.parametrize(("source", "name", "data", "phrase"), REFUSED)
def test_a_broken_payload_is_refused_with_its_reason(payload, source, name, data, phrase):
    delivered = payload(source.SOURCE, name, data)
    assert delivered.batches == ()
    assert re.search(phrase, delivered.problem or "")
    assert delivered.way_out


@pytest.mark.parametrize(("source", "parse", "data", "problems", "values"), MARKED)
def test_a_broken_row_is_kept_and_marked(payload, context, source, parse, data, problems, values):
    delivered = payload(source.SOURCE, NAMES[source], data)
    assert delivered.problem is None
    row = pl.concat(list(getattr(source, parse)([delivered], delivered.batches[0], context()))).row(0, named=True)
    assert row["_problems"] == problems
    assert {k: row[k] for k in values} == values
    if problems:
        assert row["_original"]
