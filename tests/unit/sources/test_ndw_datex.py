"""NDW's feed of measured data."""

import gzip
from datetime import UTC, date, datetime

import polars as pl
import pytest

from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.traffic.site_indexes import TrafficSiteIndexes
from groningen_data.gate.recipe import BuildContext
from groningen_data.settings import load_settings
from groningen_data.sources.ndw_datex import SITE_INDEXES, SOURCE, parse_counts

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><SOAP:Envelope xmlns:SOAP="http://schemas.xmlsoap.org/soap/envelope/"><SOAP:Body>'
    '<d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    '<payloadPublication xsi:type="MeasuredDataPublication"><publicationTime>2026-03-02T10:00:00Z</publicationTime>'
)
TAIL = "</payloadPublication></d2LogicalModel></SOAP:Body></SOAP:Envelope>"


@pytest.fixture
def context(tmp_path):
    """`context(index, …)`: what the parser gets when these indexes of site tables are published; none by default."""

    def make(*indexes: dict) -> BuildContext:
        published = pl.DataFrame(list(indexes), schema=polars_schema(TrafficSiteIndexes))
        return BuildContext(load_settings(data_dir=tmp_path), {SITE_INDEXES: published}.__getitem__)

    return make


def index(code: str, quantity: str, lane: str | None = "lane1", vehicles: str = "any", **other: object) -> dict:
    """An index of site S1, version 3, in table NDW01_MT, version 896."""
    usual = {"table_version": "896", "table_code": "NDW01_MT", "site_id": "S1", "site_version": 3, "period_s": 60.0}
    return usual | {"index_code": code, "quantity": quantity, "lane_code": lane, "vehicle_class": vehicles} | other


def value(index: int, body: str) -> str:
    return f'<measuredValue index="{index}"><measuredValue>{body}</measuredValue></measuredValue>'


def flow(rate: str, time: str = "", error: str = "") -> str:
    own = f"<measurementOrCalculationTime>{time}</measurementOrCalculationTime>" if time else ""
    wrong = f"<dataError>{error}</dataError>" if error else ""
    measured = f"<vehicleFlow>{wrong}<vehicleFlowRate>{rate}</vehicleFlowRate></vehicleFlow>"
    return f'<basicData xsi:type="TrafficFlow">{own}{measured}</basicData>'


def speed(km_h: str, inputs: str = "") -> str:
    used = f' numberOfInputValuesUsed="{inputs}"' if inputs else ""
    return (
        f'<basicData xsi:type="TrafficSpeed"><averageVehicleSpeed{used}><speed>{km_h}</speed></averageVehicleSpeed></basicData>'
    )


def site(*values: str, name: str = "S1", version: str = "3", time: str = "2026-03-02T10:01:00Z") -> str:
    return (
        f'<siteMeasurements><measurementSiteReference id="{name}" version="{version}"/>'
        f"<measurementTimeDefault>{time}</measurementTimeDefault>{''.join(values)}</siteMeasurements>"
    )


def feed(*sites: str, table: str = "") -> bytes:
    named = f'<measurementSiteTableReference id="NDW01_MT" version="{table}"/>' if table else ""
    return (HEAD + named + "".join(sites) + TAIL).encode()


def rows(payloads, context, key="2026-03-02/datex") -> pl.DataFrame:
    return pl.concat(list(parse_counts(payloads, key, context)))


def test_flow_and_speed_of_an_index_become_rows_of_five_minutes(payload, context):
    delivered = payload(SOURCE, "a.xml", feed(site(value(1, flow("600")), value(2, speed("47.5", "3")))))
    first, second = rows([delivered], context()).sort("series_code").rows(named=True)
    assert delivered.batches == ("2026-03-02/datex",)
    assert first["interval_start_at"] == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert (first["local_date"], first["local_hour"], first["weekday"]) == (date(2026, 3, 2), 11, 1)
    assert (first["site_id"], first["site_version"], first["series_code"]) == ("S1", 3, "1")
    assert (first["vehicles"], first["flow_veh_h"], first["measured_minutes"]) == (10.0, 600.0, 1)
    assert (first["speed_km_h"], first["speed_missing_reason"]) == (None, "measured_elsewhere")
    assert (second["speed_km_h"], second["flow_veh_h"], second["flow_missing_reason"]) == (47.5, None, "measured_elsewhere")
    assert (first["feed_code"], first["vehicle_class"]) == ("datex", "unknown")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (flow("0", error="true"), "data_error"),
        (flow("-1"), "no_input"),
        (flow(""), "not_delivered"),
        (flow("NaN"), "not_a_number"),
    ],
)
def test_a_flow_that_is_not_there_says_why(payload, context, body, reason):
    row = rows([payload(SOURCE, "a.xml", feed(site(value(1, body))))], context()).row(0, named=True)
    assert (row["flow_veh_h"], row["vehicles"], row["flow_missing_reason"]) == (None, None, reason)


@pytest.mark.parametrize(
    ("body", "reason"), [(speed("-1", "0"), "no_vehicles"), (speed("0", "0"), "no_vehicles"), (speed("-1"), "no_input")]
)
def test_a_speed_that_is_not_there_says_why(payload, context, body, reason):
    row = rows([payload(SOURCE, "a.xml", feed(site(value(1, body))))], context()).row(0, named=True)
    assert (row["speed_km_h"], row["speed_missing_reason"]) == (None, reason)


def test_flow_zero_without_error_is_a_measurement(payload, context):
    row = rows([payload(SOURCE, "a.xml", feed(site(value(1, flow("0", error="false")))))], context()).row(0, named=True)
    assert (row["vehicles"], row["flow_missing_reason"]) == (0.0, None)


def test_reference_values_are_counted_but_never_measured(payload, context):
    extension = (
        "<measuredValueExtension><measuredValueExtended><basicDataReferenceValue>"
        '<trafficData xsi:type="TrafficFlow"><vehicleFlow><vehicleFlowRate>9999</vehicleFlowRate></vehicleFlow></trafficData>'
        "</basicDataReferenceValue></measuredValueExtended></measuredValueExtension>"
    )
    status = '<basicData xsi:type="TrafficStatus"><trafficStatus/></basicData>'
    delivered = payload(SOURCE, "a.xml", feed(site(value(1, flow("60") + extension), value(2, status))))
    made = context()
    assert rows([delivered], made)["flow_veh_h"].to_list() == [60.0]
    assert {k: made.notes[k] for k in ("values_read", "reference_values", "other_types")} == {
        "values_read": 1,
        "reference_values": 1,
        "other_types": 1,
    }


def test_minutes_of_several_files_add_up_and_repeated_readings_count_once(payload, context):
    files = [
        payload(SOURCE, "1.xml", feed(site(value(1, flow("60")), time="2026-03-02T10:01:00Z"))),
        payload(
            SOURCE, "2.xml", feed(site(value(1, flow("60")), time="2026-03-02T10:01:00Z"), site(value(1, flow("5")), name="S2"))
        ),
        payload(SOURCE, "3.xml", feed(site(value(1, flow("180")), time="2026-03-02T10:03:00Z"))),
    ]
    made = context()
    row = rows(files, made).filter(site_id="S1").row(0, named=True)
    assert (row["vehicles"], row["flow_veh_h"], row["measured_minutes"]) == (4.0, 120.0, 2)
    assert made.notes["duplicates"] == 1


def test_minutes_in_error_do_not_count_as_measured(payload, context):
    files = [
        payload(SOURCE, "1.xml", feed(site(value(1, flow("60")), time="2026-03-02T10:01:00Z"))),
        payload(SOURCE, "2.xml", feed(site(value(1, flow("0", error="true")), time="2026-03-02T10:02:00Z"))),
    ]
    row = rows(files, context()).row(0, named=True)
    assert (row["vehicles"], row["measured_minutes"], row["flow_missing_reason"]) == (1.0, 1, None)


def test_the_own_time_of_a_value_goes_before_the_default(payload, context):
    delivered = payload(SOURCE, "a.xml", feed(site(value(1, flow("60", time="2026-03-02T09:58:30+00:00")))))
    assert rows([delivered], context())["interval_start_at"].item() == datetime(2026, 3, 2, 9, 55, tzinfo=UTC)


def test_a_default_time_after_the_values_still_counts(payload, context):
    body = (
        '<siteMeasurements><measurementSiteReference id="S1" version="1"/>'
        f"{value(1, flow('60'))}<measurementTimeDefault>2026-03-02T10:01:00Z</measurementTimeDefault></siteMeasurements>"
    )
    assert rows([payload(SOURCE, "a.xml", feed(body))], context())["_problems"].to_list() == [[]]


def test_a_file_around_midnight_feeds_both_local_days(payload, context):
    data = feed(site(value(1, flow("60")), time="2026-03-02T22:59:00Z"), site(value(1, flow("60")), time="2026-03-02T23:00:00Z"))
    delivered = payload(SOURCE, "a.xml.gz", gzip.compress(data))
    assert delivered.batches == ("2026-03-02/datex", "2026-03-03/datex")
    made = context()
    assert rows([delivered], made, "2026-03-03/datex")["local_hour"].to_list() == [0]
    assert made.notes["readings_of_other_days"] == 1


def test_one_version_of_a_site_counts_per_interval(payload, context):
    data = feed(
        site(value(1, flow("60")), version="9", time="2026-03-02T10:01:00Z"),
        site(value(1, flow("600")), version="10", time="2026-03-02T10:02:00Z"),
    )
    made = context()
    row = rows([payload(SOURCE, "a.xml", data)], made).row(0, named=True)
    assert (row["site_version"], row["flow_veh_h"]) == (10, 600.0)
    assert made.notes["readings_of_superseded_version"] == 1


def test_prefixes_of_the_namespace_do_not_matter(payload, context):
    data = feed(site(value(1, flow("60")))).decode()
    for tag in ("measuredValue", "vehicleFlowRate", "siteMeasurements"):
        data = data.replace(f"<{tag}", f"<d:{tag}").replace(f"</{tag}", f"</d:{tag}")
    data = data.replace("<d2LogicalModel ", '<d2LogicalModel xmlns:d="http://datex2.eu/schema/2/2_0" ')
    assert rows([payload(SOURCE, "a.xml", data.encode())], context())["flow_veh_h"].to_list() == [60.0]


def test_with_its_site_table_a_lane_has_its_class_and_its_speed(payload, context):
    data = feed(site(value(1, flow("600")), value(7, speed("47.5", "3")), value(2, flow("120"))), table="896")
    made = context(index("1", "flow"), index("7", "speed"), index("2", "flow", vehicles="length_1.85_2.40"))
    first, second = rows([payload(SOURCE, "a.xml", data)], made).sort("series_code").rows(named=True)
    assert (first["series_code"], first["vehicle_class"], first["lane_code"]) == ("1", "any", "lane1")
    assert (first["vehicles"], first["speed_km_h"], first["speed_missing_reason"]) == (10.0, 47.5, None)
    assert (second["series_code"], second["vehicle_class"], second["vehicles"]) == ("2", "length_1.85_2.40", 2.0)
    assert made.notes["readings_of_known_meaning"] == 3


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"table_version": "895"}, "896"),
        ({"table_code": "ANOTHER"}, "896"),
        ({"site_version": 4}, "896"),
        ({"site_id": "S2"}, "896"),
        ({"quantity": "speed"}, "896"),
        ({"quantity": "other"}, "896"),
        ({}, ""),
    ],
)
def test_the_meaning_of_another_table_site_version_or_quantity_does_not_count(payload, context, other, named):
    delivered = payload(SOURCE, "a.xml", feed(site(value(1, flow("600"))), table=named))
    row = rows([delivered], context(index("1", "flow") | other)).row(0, named=True)
    assert (row["vehicle_class"], row["lane_code"], row["vehicles"]) == ("unknown", None, 10.0)


def test_a_table_that_was_never_delivered_is_noted(payload, context):
    made = context(index("1", "flow", table_version="895"))
    rows([payload(SOURCE, "a.xml", feed(site(value(1, flow("600"))), table="896"))], made)
    assert made.notes["site_tables_not_delivered"] == "896/NDW01_MT"


def test_the_whole_carriageway_is_not_added_to_its_lanes(payload, context):
    data = feed(site(*(value(n, flow("60")) for n in (1, 2, 3))), table="896")
    lanes = [index("1", "flow"), index("2", "flow", "lane2"), index("3", "flow", "allLanesCompleteCarriageway")]
    found = rows([payload(SOURCE, "a.xml", data)], context(*lanes)).sort("series_code")
    assert found["vehicle_class"].to_list() == ["any", "any", "carriageway"]


def test_the_whole_carriageway_alone_holds_all_vehicles(payload, context):
    data = feed(site(value(3, flow("60")), value(4, speed("50"))), table="896")
    whole = context(index("3", "flow", None), index("4", "speed", None))
    row = rows([payload(SOURCE, "a.xml", data)], whole).row(0, named=True)
    assert (row["vehicle_class"], row["lane_code"], row["speed_km_h"]) == ("any", None, 50.0)


def test_a_lane_that_two_indexes_count_is_added_once(payload, context):
    data = feed(site(value(9, flow("60")), value(10, flow("60"))), table="896")
    found = rows([payload(SOURCE, "a.xml", data)], context(index("9", "flow"), index("10", "flow"))).sort("vehicle_class")
    assert found.select("series_code", "vehicle_class").rows() == [("9", "any"), ("10", "repeated")]


def test_a_reading_of_five_minutes_holds_the_vehicles_of_five_minutes(payload, context):
    data = feed(site(value(1, flow("600"))), table="896")
    row = rows([payload(SOURCE, "a.xml", data)], context(index("1", "flow", period_s=300.0))).row(0, named=True)
    assert (row["measured_minutes"], row["vehicles"]) == (5, 50.0)


def test_an_empty_road_has_no_speed_because_nothing_passed(payload, context):
    data = feed(site(value(1, flow("0")), value(7, speed("-1"))), table="896")
    row = rows([payload(SOURCE, "a.xml", data)], context(index("1", "flow"), index("7", "speed"))).row(0, named=True)
    assert (row["vehicles"], row["speed_km_h"], row["speed_missing_reason"]) == (0.0, None, "no_vehicles")


def test_the_real_feed_is_accounted_for_to_the_last_value(real_payloads, context):
    (delivered,) = real_payloads(SOURCE)
    made = context()
    found = rows([delivered], made, "2017-03-02/datex")
    assert delivered.batches == ("2017-03-02/datex",)
    counted = {k: made.notes[k] for k in ("sites", "values_read", "flow_values", "speed_values", "other_types")}
    assert counted == {
        "sites": 17_141,
        "values_read": 163_592,
        "flow_values": 88_095,
        "speed_values": 75_497,
        "other_types": 1_565,
    }
    assert found.height == 163_592
    assert found["flow_veh_h"].count() == 88_095 - made.notes["flow_data_error"]
    assert made.notes["flow_data_error"] + made.notes["speed_data_error"] == 13_015
    assert found["_problems"].list.len().sum() == 0
