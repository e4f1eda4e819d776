"""The replica of NDW's open data: files as a server gives them, in the elements that DATEX II prescribes.

The orders of elements below are those of the schemas of DATEX II v2.0 and v3; no parser of the product is used.
"""

import gzip
from collections.abc import Iterator
from xml.etree import ElementTree

import httpx
import pytest

from groningen_data.sources.ndw_area import FEEDS, TABLES

HOST = "opendata.ndw.nu"
V2 = "{http://datex2.eu/schema/2/2_0}"
ROA, COM, LOC, MC = (
    f"{{http://datex2.eu/schema/3/{name}}}" for name in ("roadTrafficData", "common", "locationReferencing", "messageContainer")
)
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"

# Per element what may stand in it, in this order; an element with a type is told by that.
ORDERS_2: dict[str, list[str]] = {
    "Envelope": [f"{SOAP}Body"],
    "Body": [f"{V2}d2LogicalModel"],
    "d2LogicalModel": [f"{V2}exchange", f"{V2}payloadPublication"],
    "MeasuredDataPublication": [
        f"{V2}{n}"
        for n in (
            "publicationTime",
            "publicationCreator",
            "measurementSiteTableReference",
            "headerInformation",
            "siteMeasurements",
        )
    ],
    "MeasurementSiteTablePublication": [
        f"{V2}{n}" for n in ("publicationTime", "publicationCreator", "headerInformation", "measurementSiteTable")
    ],
    "headerInformation": [f"{V2}confidentiality", f"{V2}informationStatus"],
    "siteMeasurements": [f"{V2}measurementSiteReference", f"{V2}measurementTimeDefault", f"{V2}measuredValue"],
    "measuredValue": [f"{V2}measuredValue", f"{V2}basicData", f"{V2}measuredValueExtension"],
    "TrafficFlow": [f"{V2}vehicleFlow"],
    "vehicleFlow": [f"{V2}dataError", f"{V2}vehicleFlowRate"],
    "TrafficSpeed": [f"{V2}averageVehicleSpeed"],
    "averageVehicleSpeed": [f"{V2}dataError", f"{V2}speed"],
    "measurementSiteTable": [f"{V2}measurementSiteRecord"],
    "measurementSiteRecord": [
        f"{V2}{n}"
        for n in (
            "measurementSiteRecordVersionTime",
            "computationMethod",
            "measurementEquipmentTypeUsed",
            "measurementSiteName",
            "measurementSiteNumberOfLanes",
            "measurementSiteIdentification",
            "measurementSide",
            "measurementSpecificCharacteristics",
            "measurementSiteLocation",
        )
    ],
    "measurementSpecificCharacteristics": [
        f"{V2}{n}"
        for n in (
            "measurementSpecificCharacteristics",
            "accuracy",
            "period",
            "specificLane",
            "specificMeasurementValueType",
            "specificVehicleCharacteristics",
        )
    ],
    "measurementEquipmentTypeUsed": [f"{V2}values"],
    "measurementSiteName": [f"{V2}values"],
    "specificVehicleCharacteristics": [f"{V2}vehicleType", f"{V2}lengthCharacteristic"],
    "lengthCharacteristic": [f"{V2}comparisonOperator", f"{V2}vehicleLength"],
    "Point": [f"{V2}locationForDisplay"],
    "locationForDisplay": [f"{V2}latitude", f"{V2}longitude"],
}
ORDERS_3: dict[str, list[str]] = {
    "messageContainer": [f"{MC}payload"],
    "MeasuredDataPublication": [
        f"{COM}publicationTime",
        f"{COM}publicationCreator",
        f"{ROA}measurementSiteTableReference",
        f"{ROA}headerInformation",
        f"{ROA}siteMeasurements",
    ],
    "MeasurementSiteTablePublication": [
        f"{COM}publicationTime",
        f"{COM}publicationCreator",
        f"{ROA}headerInformation",
        f"{ROA}measurementSiteTable",
    ],
    "publicationCreator": [f"{COM}country", f"{COM}nationalIdentifier"],
    "headerInformation": [f"{COM}confidentiality", f"{COM}informationStatus"],
    "siteMeasurements": [f"{ROA}measurementSiteReference", f"{ROA}physicalQuantity", f"{ROA}measurementTimeDefault"],
    "physicalQuantity": [f"{ROA}physicalQuantity"],
    "SinglePhysicalQuantity": [f"{ROA}basicData"],
    "TrafficFlow": [f"{ROA}vehicleFlow"],
    "vehicleFlow": [f"{COM}dataError", f"{COM}vehicleFlowRate"],
    "TrafficSpeed": [f"{ROA}averageVehicleSpeed"],
    "averageVehicleSpeed": [f"{COM}dataError", f"{COM}speed"],
    "measurementTimeDefault": [f"{ROA}timeValue"],
    "measurementSiteTable": [f"{ROA}measurementSite"],
    "measurementSite": [
        f"{ROA}{n}"
        for n in (
            "measurementSiteRecordVersionTime",
            "measurementEquipmentTypeUsed",
            "measurementSiteName",
            "measurementSiteNumberOfLanes",
            "measurementSiteIdentification",
            "measurementSpecificCharacteristics",
            "measurementSiteLocation",
        )
    ],
    "measurementSpecificCharacteristics": [
        f"{ROA}{n}"
        for n in (
            "measurementSpecificCharacteristics",
            "accuracy",
            "computationMethod",
            "measurementSide",
            "period",
            "specificMeasurementValueType",
            "specificVehicleCharacteristics",
            "specificLane",
        )
    ],
    "specificVehicleCharacteristics": [f"{COM}vehicleType", f"{COM}lengthCharacteristic"],
    "lengthCharacteristic": [f"{COM}comparisonOperator", f"{COM}vehicleLength"],
    "specificLane": [f"{LOC}laneNumber"],
    "PointLocation": [f"{LOC}pointByCoordinates"],
    "pointByCoordinates": [f"{LOC}pointCoordinates"],
    "pointCoordinates": [f"{LOC}latitude", f"{LOC}longitude"],
    "measurementEquipmentTypeUsed": [f"{COM}values"],
    "measurementSiteName": [f"{COM}values"],
    "values": [f"{COM}value"],
}
# What version 2 has between an element and the numbers in it that are not checked: the expectations inside an extension.
UNCHECKED = ("measuredValueExtension", "exchange", "publicationCreator", "values")


def broken_orders(element: ElementTree.Element, orders: dict[str, list[str]]) -> Iterator[str]:
    """Where a message departs from the orders of elements."""
    local = element.tag.rpartition("}")[2]
    kind = element.get(XSI_TYPE, "").rpartition(":")[2] or local
    if local in UNCHECKED and local not in orders:
        return
    allowed = orders.get(kind, [])
    positions = [allowed.index(child.tag) if child.tag in allowed else None for child in element]
    if None in positions:
        yield f"{kind} has {[child.tag for child in element if child.tag not in allowed]}"
    elif positions != sorted(positions):  # type: ignore[type-var]
        yield f"{kind} is out of order"
    for child in element:
        yield from broken_orders(child, orders)


@pytest.fixture(scope="module")
def unpacked(replica: httpx.Client) -> dict[str, ElementTree.Element]:
    names = (*FEEDS.values(), *TABLES.values())
    return {name: ElementTree.fromstring(gzip.decompress(replica.get(f"/{HOST}/{name}").content)) for name in names}


@pytest.mark.parametrize("name", [*FEEDS.values(), *TABLES.values()])
def test_elements_stand_in_their_namespace_and_order(unpacked: dict[str, ElementTree.Element], name: str) -> None:
    orders = ORDERS_2 if name in (FEEDS[2], TABLES[2]) else ORDERS_3
    assert list(broken_orders(unpacked[name], orders)) == []


@pytest.mark.parametrize("version", [2, 3])
def test_the_order_test_can_fail(unpacked: dict[str, ElementTree.Element], version: int) -> None:
    root = ElementTree.fromstring(ElementTree.tostring(unpacked[FEEDS[version]]))
    site = next(e for e in root.iter() if e.tag.endswith("}siteMeasurements"))
    site[:] = reversed(site[:])
    assert list(broken_orders(root, {2: ORDERS_2, 3: ORDERS_3}[version])) == ["siteMeasurements is out of order"]


@pytest.mark.parametrize("version", [2, 3])
def test_references_have_what_the_schema_requires(unpacked: dict[str, ElementTree.Element], version: int) -> None:
    feed, table = unpacked[FEEDS[version]], unpacked[TABLES[version]]
    prefix = "roa:" if version == 3 else ""
    record = "MeasurementSite" if version == 3 else "MeasurementSiteRecord"
    listed = {(e.get("id"), e.get("version")) for e in table.iter() if e.tag.endswith(f"}}{record[0].lower()}{record[1:]}")}
    references = [e for e in feed.iter() if e.tag.endswith("}measurementSiteReference")]
    assert {e.get("targetClass") for e in references} == {prefix + record}
    assert len({(e.get("id"), e.get("version")) for e in references} - listed) == 1
    (of_table,) = [e for e in feed.iter() if e.tag.endswith("}measurementSiteTableReference")]
    (itself,) = [e for e in table.iter() if e.tag.endswith("}measurementSiteTable")]
    assert (of_table.get("id"), of_table.get("version")) == (itself.get("id"), itself.get("version"))
    indexes = [e.get("index") for e in feed.iter() if e.tag.endswith("}siteMeasurements") for e in e if "index" in e.attrib]
    assert len(indexes) > 1_000


class TestServer:
    URL = f"/{HOST}/{FEEDS[3]}"

    def test_says_when_and_what_it_was(self, replica: httpx.Client) -> None:
        answer = replica.get(self.URL)
        assert answer.headers["content-type"] == "application/gzip"
        assert answer.headers["etag"].startswith('"')
        assert answer.headers["last-modified"] == "Sun, 15 Mar 2026 22:59:40 GMT"
        assert "content-encoding" not in answer.headers

    @pytest.mark.parametrize("header", ["If-None-Match", "If-Modified-Since"])
    def test_sends_nothing_that_is_known(self, replica: httpx.Client, header: str) -> None:
        known = replica.get(self.URL).headers
        said = known["etag"] if header == "If-None-Match" else known["last-modified"]
        again = replica.get(self.URL, headers={header: said})
        assert (again.status_code, again.content) == (304, b"")
        other = {"If-None-Match": '"other"', "If-Modified-Since": "Sun, 15 Mar 2026 22:59:39 GMT"}[header]
        assert replica.get(self.URL, headers={header: other}).status_code == 200

    def test_sends_the_rest_of_the_same_file_only(self, replica: httpx.Client) -> None:
        whole = replica.get(self.URL)
        rest = replica.get(self.URL, headers={"Range": "bytes=100-", "If-Range": whole.headers["etag"]})
        assert (rest.status_code, rest.content) == (206, whole.content[100:])
        assert rest.headers["content-range"] == f"bytes 100-{len(whole.content) - 1}/{len(whole.content)}"
        assert replica.get(self.URL, headers={"Range": "bytes=100-", "If-Range": '"other"'}).content == whole.content
        assert replica.get(self.URL, headers={"Range": f"bytes={len(whole.content)}-"}).status_code == 416

    def test_has_a_clock_that_can_be_set(self, replica: httpx.Client) -> None:
        before = replica.get("/_replica/clock").json()
        try:
            replica.post("/_replica/clock", json={"now": "2026-03-15T07:42:59Z"})
            assert replica.get(self.URL).headers["last-modified"] == "Sun, 15 Mar 2026 07:42:40 GMT"
            replica.post("/_replica/clock", json={"now": "2026-03-15T07:42:00Z", "speed": 1e6})
            assert replica.get("/_replica/clock").json()["now"] > "2026-03-15T07:42:00"
            assert replica.post("/_replica/clock", json={"now": "yesterday"}).status_code == 400
        finally:
            replica.post("/_replica/clock", json=before)
