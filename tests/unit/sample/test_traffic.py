import gzip
import io
import json
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

import polars as pl
import pytest

from groningen_data.sample import traffic, traffic_feed
from groningen_data.sample.facts import City, sites
from groningen_data.sample.traffic_world import intervals
from tests.unit.sample.cities import LAST_DAY, city_of

NS = {"d": "http://datex2.eu/schema/2/2_0"}
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
DETECTORS = [detector for site in sites() for detector in site.detectors]
POISONED = LAST_DAY - timedelta(days=traffic.POISONED_BEFORE_LAST)
STUCK = [LAST_DAY - timedelta(days=n) for n in traffic.STUCK_BEFORE_LAST]
FLOW = pl.col("flow").cast(pl.Float64, strict=False)
BAD = FLOW.is_null() | (FLOW < 0)
Index = tuple[str, str | None, str]
"""Quantity, length class (from 1; None: any vehicle) and lane."""


@pytest.fixture(scope="module")
def city() -> City:
    return city_of(14)


@pytest.fixture(scope="module")
def files(city: City) -> dict[str, bytes]:
    return {path: gzip.decompress(data) for path, data in traffic.payloads(city)}


@pytest.fixture(scope="module")
def loops(files: dict[str, bytes]) -> dict[date, pl.DataFrame]:
    found = {path[14:24]: data for path, data in files.items() if path.startswith("traffic/loops_")}
    return {date.fromisoformat(day): rows_of(data) for day, data in found.items()}


@pytest.fixture(scope="module")
def publications(files: dict[str, bytes]) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(data) for path, data in sorted(files.items()) if "trafficspeed" in path]


@pytest.fixture(scope="module")
def table(files: dict[str, bytes]) -> ElementTree.Element:
    return ElementTree.fromstring(files[f"traffic/measurement_{LAST_DAY}.xml.gz"])


@pytest.fixture(scope="module")
def meanings(table: ElementTree.Element) -> dict[tuple[str, str], dict[str, Index]]:
    """Per site and version what each index measures, as the site table says."""
    found = {}
    for record in table.findall(".//d:measurementSiteRecord", NS):
        indexes = {}
        for element in record.findall("d:measurementSpecificCharacteristics", NS):
            what = element.find("d:measurementSpecificCharacteristics", NS)
            assert what is not None and what.findtext("d:period", None, NS) == "60"
            vehicles = what.find("d:specificVehicleCharacteristics", NS)
            assert vehicles is not None
            limits = [e.text for e in vehicles.findall(".//d:vehicleLength", NS)]
            assert (vehicles.findtext("d:vehicleType", None, NS) == "anyVehicle") == (not limits)
            length = str(["1.85", "2.40", "5.60", "11.50", "12.20"].index(str(limits[0])) + 1) if limits else None
            quantity = what.findtext("d:specificMeasurementValueType", "", NS)
            indexes[element.attrib["index"]] = (quantity, length, what.findtext("d:specificLane", "", NS))
        found[record.attrib["id"], record.attrib["version"]] = indexes
    return found


def rows_of(data: bytes) -> pl.DataFrame:
    return pl.read_csv(io.BytesIO(data), infer_schema=False)


def reference_of(element: ElementTree.Element) -> tuple[str, str]:
    reference = element.find("d:measurementSiteReference", NS)
    assert reference is not None
    return reference.attrib["id"], reference.attrib["version"]


def test_the_same_city_gives_the_same_bytes(city: City) -> None:
    assert list(traffic.payloads(city_of(2))) == list(traffic.payloads(city_of(2)))


def test_the_payloads_of_a_day_are_the_same_however_many_days_the_city_has() -> None:
    few, many = (dict(traffic.payloads(city_of(days))) for days in (2, 8))
    assert {path: many[path] for path in few} == few


def test_the_register_says_where_each_site_is_and_what_its_indexes_mean(
    files: dict[str, bytes], meanings: dict[tuple[str, str], dict[str, Index]]
) -> None:
    register = json.loads(files["traffic/ndw_measurement_locations.json.gz"])
    assert set(register) == {site.id for site in sites()}
    for (site_id, _), indexes in meanings.items():
        assert list(register[site_id]) == ["c", "n", "side", "lanes", "m"]
        for lane, speed, flow in register[site_id]["m"]:
            assert indexes[str(speed)] == ("trafficSpeed", None, f"lane{lane}")
            assert indexes[str(flow)] == ("trafficFlow", None, f"lane{lane}")


def test_each_detector_has_a_row_for_every_five_minutes(city: City, loops: dict[date, pl.DataFrame]) -> None:
    assert tuple(loops) == city.days
    for day, rows in loops.items():
        assert rows.columns == ["day", "interval", "detid", "flow", "occ", "error", "city", "speed"]
        assert rows["day"].unique().to_list() == [str(day)]
        assert rows.height == rows.select("detid", "interval").n_unique() == 288 * len(DETECTORS)
        assert rows["detid"].unique(maintain_order=True).to_list() == DETECTORS
        assert set(rows["interval"].cast(pl.Int64)) == set(range(0, 86_400, 300))


def test_sound_rows_say_what_passed(city: City, loops: dict[date, pl.DataFrame]) -> None:
    rows = loops[LAST_DAY].with_columns(pl.col("interval").cast(pl.Int64)).filter(~BAD, pl.col("error").is_null())
    both = rows.join(intervals(city, LAST_DAY), left_on=["detid", "interval"], right_on=["detector", "seconds"])
    assert both.height == rows.height == 288 * (len(DETECTORS) - 1) - traffic.BAD_ROWS - traffic.INFINITE_ROWS
    drifting = both.filter(pl.col("detid") == traffic.DRIFTING_DETECTOR)
    seen = 1 - traffic.DRIFT_PER_DAY * traffic.DRIFTS_BEFORE_LAST
    assert drifting.select(FLOW.sum() / 12 / pl.col("vehicles").sum()).item() == pytest.approx(seen, abs=0.03)
    both = both.filter(pl.col("detid") != traffic.DRIFTING_DETECTOR)
    assert (both.select(FLOW).to_series() == both["vehicles"] * 12).all()
    assert (both["speed"].cast(pl.Float64) == both["speed_km_h"].fill_null(0)).all()


def test_occupancy_is_flow_by_speed_and_infinite_where_the_detector_failed(loops: dict[date, pl.DataFrame]) -> None:
    for rows in loops.values():
        numbers = rows.with_columns(pl.col("occ", "speed", "error").cast(pl.Float64))
        infinite = numbers.filter(pl.col("occ").is_infinite())
        assert infinite.height == traffic.INFINITE_ROWS
        assert infinite.select(((pl.col("error") == 1) & (pl.col("speed") == 0) & (FLOW > 0)).all()).item()
        passed = numbers.filter(~BAD, pl.col("speed") > 0)
        assert passed.select(((pl.col("occ") * pl.col("speed") / FLOW - 1).abs() < 1e-4).all()).item()
        assert passed["occ"].max() < 100  # type: ignore[operator]


def test_a_usual_day_has_a_few_bad_rows_well_under_one_per_cent(loops: dict[date, pl.DataFrame]) -> None:
    for day, rows in loops.items():
        if day != POISONED:
            bad = rows.filter(BAD)
            assert bad.height == traffic.BAD_ROWS < 0.005 * rows.height
            assert set(bad["flow"].str.head(1)) == {"-", "E"}
            assert not bad["detid"].is_in([traffic_feed.DEAD_DETECTOR, traffic.STUCK_DETECTOR]).any()


def test_about_a_third_of_the_poisoned_day_is_bad(loops: dict[date, pl.DataFrame]) -> None:
    assert date(2026, 3, 10) == POISONED
    bad = loops[POISONED].filter(BAD)
    assert 0.30 < bad.height / loops[POISONED].height < 0.36
    assert bad.height == 288 * bad["detid"].n_unique()


def test_one_detector_reports_errors_all_the_time(loops: dict[date, pl.DataFrame]) -> None:
    for rows in loops.values():
        errors = rows.filter(pl.col("error") == "1.0")
        assert errors.filter(pl.col("detid") == traffic_feed.DEAD_DETECTOR).height == 288
        assert errors.height == 288 + traffic.INFINITE_ROWS == rows["error"].drop_nulls().len()


def test_one_detector_is_stuck_for_a_week(loops: dict[date, pl.DataFrame]) -> None:
    for day, rows in loops.items():
        readings = rows.filter(pl.col("detid") == traffic.STUCK_DETECTOR).select("flow", "speed", "occ").n_unique()
        assert (readings == 1) == (day in STUCK)


def test_an_hour_that_the_clock_skips_has_no_rows() -> None:
    day = date(2026, 3, 29)
    rows = traffic.loops(city_of(2, last=day + timedelta(days=1)), day)
    assert set(rows["interval"] // 3600) == set(range(24)) - {2}
    assert rows.height == 276 * len(DETECTORS)


def test_the_site_table_and_the_feed_belong_together(
    table: ElementTree.Element, publications: list[ElementTree.Element], meanings: dict[tuple[str, str], dict[str, Index]]
) -> None:
    (listed,) = table.findall(".//d:measurementSiteTable", NS)
    assert [site_id for site_id, _ in meanings] == [site.id for site in sites()]
    for publication in publications:
        (reference,) = publication.findall(".//d:measurementSiteTableReference", NS)
        assert (reference.attrib["id"], reference.attrib["version"]) == (listed.attrib["id"], listed.attrib["version"])
        sent = [reference_of(element) for element in publication.findall(".//d:siteMeasurements", NS)]
        assert [site_id for site_id, _ in sent] == [site.id for site in sites()]
        assert [site_id for site_id, version in sent if (site_id, version) not in meanings] == [traffic_feed.UNLISTED_SITE]


def test_each_index_has_the_type_that_the_table_gives_it(
    publications: list[ElementTree.Element], meanings: dict[tuple[str, str], dict[str, Index]]
) -> None:
    first_of_reordered = set()
    for element in publications[0].findall(".//d:siteMeasurements", NS):
        if (listed := meanings.get(reference_of(element))) is None:
            continue
        types = {
            value.attrib["index"]: value.find("d:measuredValue/d:basicData", NS).attrib[XSI_TYPE]  # type: ignore[union-attr]
            for value in element.findall("d:measuredValue", NS)
        }
        assert types == {index: quantity[0].upper() + quantity[1:] for index, (quantity, _, _) in listed.items()}
        if types["1"] == "TrafficSpeed":
            first_of_reordered.add(reference_of(element))
    assert first_of_reordered == {(traffic_feed.REORDERED_SITE, "2")}


def test_readings_are_what_was_measured(
    city: City, publications: list[ElementTree.Element], meanings: dict[tuple[str, str], dict[str, Index]]
) -> None:
    read = []
    for element in publications[-1].findall(".//d:siteMeasurements", NS):
        site_id, version = reference_of(element)
        at = element.findtext("d:measurementTimeDefault", "", NS)
        for value in element.findall("d:measuredValue", NS):
            data = value.find("d:measuredValue/d:basicData", NS)
            assert data is not None
            number = data.findtext(".//d:vehicleFlowRate", None, NS) or data.findtext(".//d:speed", None, NS)
            listed = meanings.get((site_id, version)) or meanings[site_id, "1"]
            quantity, length, lane = listed[value.attrib["index"]]
            read.append((site_id, int(lane[4:]), datetime.fromisoformat(at), length and int(length), quantity, int(str(number))))
    names = {"flow_veh_h": "trafficFlow", "speed_km_h": "trafficSpeed"}
    keys = ["site_id", "lane", "measured_at", "length_class", "quantity"]
    true = (
        traffic.measured(city)
        .unpivot(list(names), index=keys[:4], variable_name="quantity", value_name="value")
        .with_columns(pl.col("quantity").replace_strict(names))
    )
    both = pl.DataFrame(read, [*keys, "value"], orient="row").join(true, on=keys, nulls_equal=True, validate="1:1")
    assert both.height == len(read) == 12 * len(DETECTORS)
    assert (both["value"] == both["value_right"]).all()


def test_every_site_has_two_whole_intervals_of_five_readings(city: City) -> None:
    readings = traffic.measured(city).filter(pl.col("length_class").is_null(), pl.col("lane") == 1)
    assert not readings.select("site_id", "measured_at").is_duplicated().any()
    five = readings.group_by("site_id", pl.col("measured_at").dt.truncate("5m")).len().filter(pl.col("len") == 5)
    assert five.group_by("site_id").len()["len"].to_list() == [2] * len(sites())


def test_publications_come_every_minute_with_two_measuring_minutes_each(publications: list[ElementTree.Element]) -> None:
    at = [
        datetime.fromisoformat(p.findtext(".//d:publicationTime", "", NS)).replace(second=0, microsecond=0) for p in publications
    ]
    last = datetime(2026, 3, 15, 7, 42, tzinfo=UTC)
    assert at == [last - timedelta(minutes=n) for n in reversed(range(traffic.PUBLICATIONS))]
    for published_at, publication in zip(at, publications, strict=True):
        times = {datetime.fromisoformat(str(e.text)) for e in publication.findall(".//d:measurementTimeDefault", NS)}
        assert times == {published_at - timedelta(minutes=lag) for lag in (traffic_feed.FAST_LAG, traffic_feed.SLOW_LAG)}


def test_lengths_add_up_to_the_flow_of_all_vehicles(city: City) -> None:
    by_class = pl.col("flow_veh_h").filter(pl.col("length_class").is_not_null()).sum()
    sums = (
        traffic.measured(city)
        .group_by("site_id", "lane", "measured_at")
        .agg(by_class, any=pl.col("flow_veh_h").filter(pl.col("length_class").is_null()).first())
    )
    assert (sums["flow_veh_h"] == sums["any"]).all() and sums["any"].sum() > 0


def test_the_publications_have_the_oddities_of_the_feed(publications: list[ElementTree.Element]) -> None:
    for publication in publications:
        assert len(publication.findall(".//d:dataError", NS)) == 12
        unused = publication.findall(".//d:averageVehicleSpeed[@numberOfInputValuesUsed='0']/d:speed", NS)
        assert unused and all(speed.text == "-1" for speed in unused)
        assert len(publication.findall(".//d:measuredValueExtension", NS)) == 3
        expected = publication.findall(".//d:measuredValueExtension//d:vehicleFlowRate", NS)
        assert {rate.text for rate in expected} == {str(traffic_feed.EXPECTED_FLOW)}
