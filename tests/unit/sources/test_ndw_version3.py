"""DATEX II version 3: the same truth in other elements."""

import re
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.traffic.site_indexes import TrafficSiteIndexes
from groningen_data.gate.recipe import BuildContext
from groningen_data.sample import traffic_feed
from groningen_data.settings import load_settings
from groningen_data.sources import datex, ndw_datex, ndw_site_table, ndw_sites
from groningen_data.sources.base import Head
from groningen_data.sources.ndw_datex import SITE_INDEXES, parse_counts
from groningen_data.sources.ndw_site_table import parse_indexes
from tests.unit.sample.cities import city_of

PUBLISHED_AT = datetime(2026, 3, 15, 7, 42, tzinfo=UTC)
NAMESPACES = " ".join(
    f'xmlns:{prefix}="http://datex2.eu/schema/3/{name}"'
    for prefix, name in (
        ("mc", "messageContainer"),
        ("roa", "roadTrafficData"),
        ("com", "common"),
        ("loc", "locationReferencing"),
    )
)
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def message(*payloads: str) -> bytes:
    return f'<?xml version="1.0"?><mc:messageContainer {NAMESPACES} {XSI}>{"".join(payloads)}</mc:messageContainer>'.encode()


def measured(*sites: str, table: str = "896") -> str:
    return (
        '<mc:payload xsi:type="roa:MeasuredDataPublication"><com:publicationTime>2026-03-02T10:02:00Z</com:publicationTime>'
        f'<roa:measurementSiteTableReference targetClass="roa:MeasurementSiteTable" id="T" version="{table}"/>{"".join(sites)}</mc:payload>'
    )


def site(*quantities: str, time: str = "2026-03-02T10:01:00Z") -> str:
    return (
        '<roa:siteMeasurements><roa:measurementSiteReference targetClass="roa:MeasurementSite" id="S1" version="3"/>'
        f"{''.join(quantities)}<roa:measurementTimeDefault><roa:timeValue>{time}</roa:timeValue></roa:measurementTimeDefault>"
        "</roa:siteMeasurements>"
    )


def quantity(index: int, data: str, after: str = "") -> str:
    return (
        f'<roa:physicalQuantity index="{index}"><roa:physicalQuantity xsi:type="roa:SinglePhysicalQuantity">{data}{after}'
        "</roa:physicalQuantity></roa:physicalQuantity>"
    )


def flow(rate: str, before: str = "", error: str = "") -> str:
    return (
        f'<roa:basicData xsi:type="roa:TrafficFlow">{before}<roa:vehicleFlow accuracy="0.0">{error}'
        f"<com:vehicleFlowRate>{rate}</com:vehicleFlowRate></roa:vehicleFlow></roa:basicData>"
    )


def speed(km_h: str, used: str = "") -> str:
    return f'<roa:basicData xsi:type="roa:TrafficSpeed"><roa:averageVehicleSpeed{used}><com:speed>{km_h}</com:speed></roa:averageVehicleSpeed></roa:basicData>'


def listed(*characteristics: str, place: str = "", version: str = "896") -> str:
    records = "".join(
        f'<roa:measurementSpecificCharacteristics index="{index}"><roa:measurementSpecificCharacteristics>{what}'
        "</roa:measurementSpecificCharacteristics></roa:measurementSpecificCharacteristics>"
        for index, what in enumerate(characteristics, start=1)
    )
    return (
        f'<mc:payload xsi:type="roa:MeasurementSiteTablePublication"><roa:measurementSiteTable id="T" version="{version}">'
        '<roa:measurementSite id="S1" version="3"><roa:measurementSiteName><com:values><com:value lang="nl">Sontweg</com:value>'
        f"</com:values></roa:measurementSiteName>{records}{place}</roa:measurementSite></roa:measurementSiteTable></mc:payload>"
    )


def what(quantity: str = "trafficFlow", lane: str = "", vehicles: str = "<com:vehicleType>anyVehicle</com:vehicleType>") -> str:
    return (
        f"<roa:accuracy>95.0</roa:accuracy><roa:measurementSide>northBound</roa:measurementSide><roa:period>60.0</roa:period>"
        f"<roa:specificMeasurementValueType>{quantity}</roa:specificMeasurementValueType>"
        f"<roa:specificVehicleCharacteristics>{vehicles}</roa:specificVehicleCharacteristics>{lane}"
    )


def lane(number: str = "", usage: str = "") -> str:
    numbered = f"<loc:laneNumber>{number}</loc:laneNumber>" if number else ""
    used = f"<loc:laneUsage>{usage}</loc:laneUsage>" if usage else ""
    return f"<roa:specificLane>{numbered}{used}</roa:specificLane>"


@pytest.fixture
def counted(payload, tmp_path):
    """`counted(bytes, indexes)`: rows of a message's readings, and the notes."""

    def count(data: bytes, indexes: pl.DataFrame | None = None, day: str = "2026-03-02") -> tuple[pl.DataFrame, dict]:
        published = indexes if indexes is not None else pl.DataFrame(schema=polars_schema(TrafficSiteIndexes))
        context = BuildContext(load_settings(data_dir=tmp_path), {SITE_INDEXES: published}.__getitem__)
        delivered = payload(ndw_datex.SOURCE, "snelheden_en_intensiteiten_meetgegevens.xml", data)
        assert delivered.problem is None
        return pl.concat(parse_counts([delivered], f"{day}/datex", context)).sort("site_id", "series_code"), context.notes

    return count


@pytest.fixture
def indexed(payload, tmp_path):
    """`indexed(bytes)`: the indexes that a message's site table lists."""

    def index(data: bytes) -> pl.DataFrame:
        delivered = payload(ndw_sites.SOURCE, "snelheden_en_intensiteiten_configuratie_meetlocaties.xml", data)
        assert delivered.problem is None
        context = BuildContext(load_settings(data_dir=tmp_path), lambda table: pl.DataFrame())
        return pl.concat(parse_indexes([delivered], delivered.batches[0], context))

    return index


def test_both_versions_of_one_publication_give_the_same_rows(counted, indexed):
    city = city_of(2)
    tables = [indexed(traffic_feed.site_table(city, PUBLISHED_AT, version).encode()) for version in (2, 3)]
    assert_frame_equal(*tables)
    (two, notes), (three, others) = (
        counted(traffic_feed.publication(city, PUBLISHED_AT, version).encode(), tables[0], "2026-03-15") for version in (2, 3)
    )
    assert_frame_equal(two, three)
    assert two.height > 1_000
    assert {k: v for k, v in notes.items() if k != "reference_values"} == others
    assert notes["reference_values"] == 3


@pytest.mark.parametrize(
    ("data", "value", "reason"),
    [
        (flow("600"), 600.0, None),
        (flow("0"), 0.0, None),
        (flow("0", error="<com:dataError>true</com:dataError>"), None, "data_error"),
        (flow("-1", error="<com:dataError>true</com:dataError>"), None, "data_error"),
        (flow("60", error="<com:dataError>false</com:dataError>"), 60.0, None),
        (flow("-1"), None, "no_input"),
        (flow(""), None, "not_delivered"),
    ],
)
def test_a_placeholder_is_no_flow(counted, data, value, reason):
    row = counted(message(measured(site(quantity(1, data)))))[0].row(0, named=True)
    assert (row["flow_veh_h"], row["flow_missing_reason"]) == (value, reason)


@pytest.mark.parametrize(
    ("data", "value", "reason"),
    [
        (speed("127.0"), 127.0, None),
        (speed("-1.0"), None, "no_input"),
        (speed("50.0", ' numberOfInputValuesUsed="0"'), None, "no_vehicles"),
        (speed("-1.0", ' numberOfInputValuesUsed="0"'), None, "no_vehicles"),
    ],
)
def test_a_placeholder_is_no_speed(counted, data, value, reason):
    row = counted(message(measured(site(quantity(1, data)))))[0].row(0, named=True)
    assert (row["speed_km_h"], row["speed_missing_reason"]) == (value, reason)


def test_a_flow_of_zero_with_a_speed_of_minus_one_is_an_empty_road(counted, indexed):
    table = indexed(message(listed(what(lane=lane("1")), what("trafficSpeed", lane("1")))))
    data = message(measured(site(quantity(1, flow("0")), quantity(2, speed("-1.0")))))
    (row,) = counted(data, table)[0].rows(named=True)
    assert (row["vehicles"], row["speed_missing_reason"], row["lane_code"], row["vehicle_class"]) == (
        0.0,
        "no_vehicles",
        "lane1",
        "any",
    )


def test_the_own_time_of_a_value_goes_before_that_of_its_site(counted):
    own = (
        "<roa:measurementOrCalculationTime><roa:timeValue>2026-03-02T09:58:30Z</roa:timeValue></roa:measurementOrCalculationTime>"
    )
    data = message(measured(site(quantity(1, flow("60", own)), quantity(2, flow("60")))))
    rows, _ = counted(data)
    assert rows["interval_start_at"].to_list() == [
        datetime(2026, 3, 2, 9, 55, tzinfo=UTC),
        datetime(2026, 3, 2, 10, tzinfo=UTC),
    ]


def test_indented_messages_with_extensions_and_faults_are_read(counted):
    extra = (
        "<roa:_singlePhysicalQuantityExtension><x><roa:basicData xsi:type='roa:TrafficFlow'><com:vehicleFlowRate>9999"
        "</com:vehicleFlowRate></roa:basicData></x></roa:_singlePhysicalQuantityExtension>"
    )
    data = message(measured(site(quantity(1, flow("60"), extra), quantity(2, flow("120")))))
    indented = re.sub(rb">\s*<", b">\n  <", data)
    rows, notes = counted(indented)
    assert rows["flow_veh_h"].to_list() == [60.0, 120.0]
    assert notes["values_read"] == 2


def test_an_index_is_never_taken_from_the_value_before(counted):
    nameless = quantity(1, flow("120")).replace(' index="1"', "")
    rows, notes = counted(message(measured(site(quantity(1, flow("60")), nameless, quantity(3, flow("180"))))))
    assert notes["readings_quarantined"] == 1
    assert rows.select("series_code", "flow_veh_h").rows() == [(None, 120.0), ("1", 60.0), ("3", 180.0)]


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_message_with_both_publications_each_source_reads_its_own(counted, indexed, order):
    both = message(*[listed(what(lane=lane("1"))), measured(site(quantity(1, flow("60"))))][::order])
    table = indexed(both)
    assert table.select("site_id", "index_code", "quantity", "lane_code").rows() == [("S1", "1", "flow", "lane1")]
    rows, _ = counted(both, table)
    assert rows.select("flow_veh_h", "vehicle_class").rows() == [(60.0, "any")]


@pytest.mark.parametrize(
    ("lanes", "code"),
    [
        (lane("2"), "lane2"),
        (lane(usage="hardShoulder"), "hardShoulder"),
        (lane("1", "busLane"), "lane1"),
        (lane(usage="allLanesCompleteCarriageway"), "allLanesCompleteCarriageway"),
        (lane("1") + lane("2"), "lane1+lane2"),
        ("", None),
    ],
)
def test_lanes_are_numbered_or_told_by_their_use(indexed, lanes, code):
    row = indexed(message(listed(what(lane=lanes)))).row(0, named=True)
    assert (row["lane_code"], row["direction"], row["site_name"]) == (code, "northBound", "Sontweg")
    assert (row["period_s"], row["accuracy_pct"]) == (60.0, 95.0)


def test_lanes_together_are_not_added_to_each_of_them(counted, indexed):
    table = indexed(message(listed(what(lane=lane("1")), what(lane=lane("2")), what(lane=lane("1") + lane("2")))))
    rows, _ = counted(message(measured(site(*(quantity(n, flow("60")) for n in (1, 2, 3))))), table)
    assert rows["vehicle_class"].to_list() == ["any", "any", "carriageway"]


@pytest.mark.parametrize("around", ["coordinatesForDisplay", "pointCoordinates"])
def test_a_point_is_found_by_its_coordinates(indexed, around):
    place = f"<loc:{around}><loc:latitude>53.2</loc:latitude><loc:longitude>6.5</loc:longitude></loc:{around}>"
    row = indexed(message(listed(what(), place=place))).row(0, named=True)
    assert (row["longitude"], row["latitude"]) == (6.5, 53.2)


def test_each_publication_is_recognised_by_its_content():
    feed, table = Head("x", message(measured(site(quantity(1, flow("1")))))), Head("x", message(listed(what())))
    assert [s.recognises(feed) for s in (ndw_datex.SOURCE, ndw_sites.SOURCE)] == [True, False]
    assert [s.recognises(table) for s in (ndw_datex.SOURCE, ndw_sites.SOURCE)] == [False, True]


def test_a_publication_of_another_kind_is_refused(payload):
    situations = message('<mc:payload xsi:type="sit:SituationPublication"/>')
    delivered = payload(ndw_datex.SOURCE, "trafficspeed.xml", situations)
    assert "publishes SituationPublication" in (delivered.problem or "")


def test_minutes_of_one_local_day_are_one_batch_whatever_the_version(payload):
    city = city_of(2)
    names = [
        payload(ndw_datex.SOURCE, "a.xml", traffic_feed.publication(city, PUBLISHED_AT + timedelta(hours=h), v).encode()).batches
        for v in (2, 3)
        for h in (0, 15, 16)
    ]
    assert names[:3] == names[3:]
    assert names[0] == ("2026-03-15/datex",)


@pytest.mark.parametrize("version", [2, 3])
def test_a_table_that_is_read_in_parts_is_the_same_table(indexed, monkeypatch, version):
    data = traffic_feed.site_table(city_of(2), PUBLISHED_AT, version).encode()
    whole = indexed(data)
    monkeypatch.setattr(datex, "_CHUNK", 5_000)
    monkeypatch.setattr(ndw_site_table, "_FRAME_ROWS", 40)
    assert_frame_equal(indexed(data), whole)
    assert whole.height == 12 * sum(site.lanes for site in city_of(2).sites)
