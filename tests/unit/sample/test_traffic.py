import csv
import gzip
import io
import json
import math
from datetime import UTC, date, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from groningen_data.sample import traffic
from groningen_data.sample.city import build
from groningen_data.sample.facts import sites
from groningen_data.settings import Settings

Rows = list[dict[str, str]]
NS = {"d": "http://datex2.eu/schema/2/2_0"}
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def rows_of(path: Path) -> Rows:
    return list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))


@pytest.fixture(scope="module")
def loops(folder: Path) -> dict[str, Rows]:
    return {path.name[6:16]: rows_of(path) for path in sorted(folder.glob("traffic/loops_*.csv.gz"))}


@pytest.fixture(scope="module")
def publication(folder: Path) -> ElementTree.Element:
    (path,) = folder.glob("traffic/ndw_trafficspeed_2026-03-15T0742Z.xml.gz")
    return ElementTree.fromstring(gzip.decompress(path.read_bytes()))


def is_bad(row: dict[str, str]) -> bool:
    try:
        return float(row["flow"]) < 0
    except ValueError:
        return True


def mean_flow(rows: Rows, part: str = "") -> float:
    flows = [float(row["flow"]) for row in rows if part in row["detid"] and not is_bad(row)]
    return sum(flows) / len(flows)


def poisoned(loops: dict[str, Rows]) -> str:
    return list(loops)[traffic.POISONED_DAY]


def test_the_register_says_where_each_site_is_and_what_its_indexes_mean(folder: Path) -> None:
    register = json.loads(gzip.decompress((folder / "traffic/ndw_measurement_locations.json.gz").read_bytes()))
    assert set(register) == {site.id for site in sites()}
    for site in sites():
        entry = register[site.id]
        assert list(entry) == ["c", "n", "side", "lanes", "m"]
        assert entry["m"] == [[1, 12, 6], [2, 24, 18], [3, 36, 30]][: site.lanes]


def test_each_detector_has_a_row_for_every_five_minutes(loops: dict[str, Rows]) -> None:
    detectors = {detector for site in sites() for detector in site.detectors}
    for day, rows in loops.items():
        assert list(rows[0]) == ["day", "interval", "detid", "flow", "occ", "error", "city", "speed"]
        assert {row["day"] for row in rows} == {day}
        assert len(rows) == len({(row["detid"], row["interval"]) for row in rows}) == 288 * len(detectors)
        assert {row["detid"] for row in rows} == detectors
        assert {int(row["interval"]) for row in rows} == set(range(0, 86_400, 300))


def test_occupancy_is_flow_by_speed_and_infinite_where_the_detector_failed(loops: dict[str, Rows]) -> None:
    for rows in loops.values():
        infinite = [row for row in rows if row["occ"] == "inf"]
        assert len(infinite) == traffic.INFINITE_ROWS
        assert all(row["error"] == "1.0" and row["speed"] == "0.0" and float(row["flow"]) > 0 for row in infinite)
        for row in rows[:2000]:
            if float(row["speed"]) > 0 and not is_bad(row):
                assert float(row["occ"]) == pytest.approx(float(row["flow"]) / float(row["speed"]))


def test_numbers_are_believable_where_they_are_numbers(loops: dict[str, Rows]) -> None:
    for rows in loops.values():
        good = [row for row in rows if not is_bad(row)]
        assert all(float(row["flow"]) % 12 == 0 and float(row["flow"]) <= 1800 for row in good)
        assert all(0 <= float(row["speed"]) <= 70 for row in rows)


def test_a_usual_day_has_a_few_bad_rows_well_under_one_per_cent(loops: dict[str, Rows]) -> None:
    for day, rows in loops.items():
        if day != poisoned(loops):
            bad = [row for row in rows if is_bad(row)]
            assert len(bad) == traffic.BAD_ROWS
            assert len(bad) / len(rows) < 0.005
            assert {row["flow"][0] for row in bad} == {"-", "E"}


def test_about_a_third_of_the_poisoned_day_is_bad(loops: dict[str, Rows]) -> None:
    rows = loops[poisoned(loops)]
    bad = [row for row in rows if is_bad(row)]
    assert poisoned(loops) == "2026-03-10"
    assert 0.30 < len(bad) / len(rows) < 0.36
    assert len(bad) == 288 * len({row["detid"] for row in bad})


def test_weekdays_have_rush_hours_and_weekends_less_traffic(loops: dict[str, Rows]) -> None:
    by_day = {day: mean_flow(rows) for day, rows in loops.items()}
    weekend = [flow for day, flow in by_day.items() if date.fromisoformat(day).isoweekday() > 5]
    week = [flow for day, flow in by_day.items() if date.fromisoformat(day).isoweekday() <= 5]
    assert max(weekend) < 0.7 * min(week)
    monday = loops["2026-03-02"]

    def at(hour: int) -> float:
        return mean_flow([row for row in monday if int(row["interval"]) // 3600 == hour])

    assert at(8) > 1.1 * at(10) > 5 * at(3)
    assert at(16) > at(14)


def test_a_road_has_twice_its_usual_traffic_on_the_day_of_the_diversion(loops: dict[str, Rows]) -> None:
    diverted = list(loops)[traffic.DOUBLED_DAY]
    usual = mean_flow(loops["2026-03-05"], traffic.DOUBLED_ROAD)
    assert mean_flow(loops[diverted], traffic.DOUBLED_ROAD) == pytest.approx(2 * usual, rel=0.08)


def test_one_detector_reports_errors_all_the_time(loops: dict[str, Rows]) -> None:
    for rows in loops.values():
        dead = [row for row in rows if row["detid"] == traffic.DEAD_DETECTOR]
        assert len(dead) == 288 and all(row["error"] == "1.0" for row in dead)
        assert sum(row["error"] == "1.0" for row in rows) == 288 + traffic.INFINITE_ROWS


def test_an_hour_that_the_clock_skips_has_no_rows(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, sample_days=2, as_of=datetime(2026, 3, 30, 6, tzinfo=UTC))
    rows = rows_of(build(settings) / "traffic/loops_2026-03-29.csv.gz")
    hours = {int(row["interval"]) // 3600 for row in rows}
    assert hours == set(range(24)) - {2}


def test_the_publication_measures_every_site_and_index(publication: ElementTree.Element) -> None:
    found = publication.findall(".//d:siteMeasurements", NS)
    assert len(found) == len(sites())
    for element, site in zip(found, sites(), strict=True):
        reference = element.find("d:measurementSiteReference", NS)
        assert reference is not None and reference.attrib["id"] == site.id and reference.attrib["version"] == "1"
        values = element.findall("d:measuredValue", NS)
        assert [int(value.attrib["index"]) for value in values] == list(range(1, 12 * site.lanes + 1))
        types = [value.find("d:measuredValue/d:basicData", NS).attrib[XSI_TYPE] for value in values]  # type: ignore[union-attr]
        assert types == (["TrafficFlow"] * 6 + ["TrafficSpeed"] * 6) * site.lanes


def test_the_publication_has_two_measuring_minutes_in_one_file(publication: ElementTree.Element) -> None:
    times = {element.text for element in publication.findall(".//d:measurementTimeDefault", NS)}
    assert times == {"2026-03-15T07:36:00Z", "2026-03-15T07:41:00Z"}


def test_lengths_add_up_to_the_flow_of_all_vehicles(publication: ElementTree.Element) -> None:
    for element in publication.findall(".//d:siteMeasurements", NS):
        rates = [float(rate.text or math.nan) for rate in element.findall(".//d:basicData/d:vehicleFlow/d:vehicleFlowRate", NS)]
        for start in range(0, len(rates), 6):
            assert sum(rates[start : start + 5]) == rates[start + 5]


def test_the_publication_has_the_oddities_of_the_feed(publication: ElementTree.Element) -> None:
    errors = publication.findall(".//d:dataError", NS)
    assert len(errors) == 12
    assert any(speed.text == "-1" for speed in publication.findall(".//d:speed", NS))
    unused = publication.findall(".//d:averageVehicleSpeed[@numberOfInputValuesUsed='0']/d:speed", NS)
    assert unused and all(speed.text == "-1" for speed in unused)
    assert len(publication.findall(".//d:measuredValueExtension", NS)) == 3
