"""NDW's feed and site table pulled from the replica, in both versions of DATEX II, and what they become of the files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl
import pytest
import stamina
from polars.testing import assert_frame_equal

from groningen_data.fetching.shapes import family
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Landing, Payload
from groningen_data.replica.app import running
from groningen_data.replica.faults import Fault, Faults
from groningen_data.replica.services import ndw as service
from groningen_data.sample import traffic, traffic_feed
from groningen_data.settings import Settings, load_settings
from groningen_data.sources import ndw_datex, ndw_site_table, ndw_sites
from tests.unit.sample.cities import LAST_DAY, city_of

HOST = "opendata.ndw.nu"
DAY = f"{LAST_DAY}/datex"
PUBLICATIONS = traffic.publications_on(LAST_DAY)
CHANGE = datetime.combine(LAST_DAY, traffic_feed.TABLE_CHANGES, UTC)
MINUTE = timedelta(minutes=1)
INDEXES = ["table_version", "site_id", "site_version", "index_code"]
COUNTS = ["site_id", "series_code", "interval_start_at"]


@dataclass
class Office:
    """A data folder that pulls from the replica, or reads the same city's files."""

    settings: Settings
    faults: Faults = field(default_factory=Faults)
    landing: Landing = field(init=False)

    def __post_init__(self) -> None:
        self.landing = Landing.of(self.settings)

    def at(self, moment: datetime) -> "Office":
        """The same, with the replica's clock set to an instant."""
        httpx.post(f"{self.settings.replica_url}/_replica/clock", json={"now": moment.isoformat()}).raise_for_status()
        return self

    def feed(self):
        return ndw_datex.SOURCE.fetch(self.settings, self.landing)

    def table(self):
        return ndw_sites.SOURCE.fetch(self.settings, self.landing)

    def landed(self, source=ndw_datex.SOURCE) -> list[Payload]:
        return self.landing.payloads(source.name)

    def indexes(self) -> pl.DataFrame:
        payloads = [p for p in self.landed(ndw_sites.SOURCE) if p.batches]
        keys = [key for p in payloads for key in p.batches if ndw_sites.is_table_version(key)]
        context = BuildContext(self.settings, lambda table: pl.DataFrame())
        of_key = {key: [p for p in payloads if key in p.batches] for key in keys}
        return pl.concat(f for key, found in of_key.items() for f in ndw_site_table.parse_indexes(found, key, context))

    def counts(self) -> tuple[pl.DataFrame, dict[str, object]]:
        context = BuildContext(self.settings, {ndw_datex.SITE_INDEXES: self.indexes()}.__getitem__)
        rows = pl.concat(ndw_datex.parse_counts(self.landed(), DAY, context))
        return rows.sort(*COUNTS), context.notes


@pytest.fixture(autouse=True)
def _no_waiting():
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture(scope="module")
def replica(tmp_path_factory) -> Iterator[Office]:
    settings = load_settings(
        profile="replica", data_dir=tmp_path_factory.mktemp("replica"), sample_days=2, http_rate_per_s=1000, http_attempts=2
    )
    faults = Faults()
    with running(settings, faults) as url:
        yield Office(settings.model_copy(update={"replica_url": url}), faults)


@pytest.fixture(params=[2, 3])
def office(replica: Office, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Office]:
    """A data folder of its own before the replica, for each version; the faults are off again afterwards."""
    own = {"data_dir": tmp_path, "ndw_datex_version": request.param}
    yield Office(replica.settings.model_copy(update=own), replica.faults).at(PUBLICATIONS[0])
    replica.faults.clear()


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Office:
    """What the same city delivers in files."""
    folder = tmp_path_factory.mktemp("files")
    for path, data in traffic.payloads(city_of(2)):
        if "trafficspeed" in path or "measurement_2" in path:
            (folder / Path(path).name).write_bytes(data)
    office = Office(load_settings(profile="real", files=folder, data_dir=tmp_path_factory.mktemp("other")))
    office.table(), office.feed()
    return office


def test_what_is_pulled_becomes_the_rows_that_the_files_become(office: Office, files: Office):
    office.table()
    for published_at in PUBLICATIONS:
        assert office.at(published_at).feed().problem is None
    assert_frame_equal(office.indexes().sort(INDEXES), files.indexes().sort(INDEXES), check_row_order=False)
    rows, notes = office.counts()
    of_files, notes_of_files = files.counts()
    assert rows.height == of_files.height > 0
    assert_frame_equal(rows, of_files)
    for note in ("values_read", "duplicates", "readings_of_known_meaning", "flow_data_error", "speed_no_vehicles"):
        assert notes.get(note) == notes_of_files.get(note)
    places = [
        pl.concat(
            ndw_sites.parse_sites(
                o.landed(ndw_sites.SOURCE), "snapshot", BuildContext(o.settings, lambda _: _no_neighbourhoods())
            )
        ).sort("site_id")
        for o in (office, files)
    ]
    assert_frame_equal(*(p.drop("_original") for p in places))


def _no_neighbourhoods() -> pl.DataFrame:
    types = {"neighbourhood_code": pl.String, "neighbourhood_name": pl.String, "code_year": pl.Int64, "outline_wkb": pl.Binary}
    return pl.DataFrame(schema=types)


def test_each_publication_has_a_place_of_its_own_and_one_shape(office: Office):
    for published_at in PUBLICATIONS[:3]:
        report = office.at(published_at).feed()
        assert [p.problem for p in report.landed] == [None]
        assert report.drifts == ()
    names = [p.name for p in office.landed()]
    assert len(names) == len(set(names)) == 3
    assert {f"{PUBLICATIONS[0]:%Y-%m-%dT%H%M}40Z" in name for name in names} == {True, False}
    assert len({family(name) for name in names}) == 1


def test_what_did_not_change_is_not_sent_again(office: Office, monkeypatch):
    sent = []
    real = service.document
    monkeypatch.setattr(service, "document", lambda *args: sent.append(real(*args)) or sent[-1])
    for _ in range(3):
        assert office.table().problem is None
        assert office.feed().problem is None
    # The feed asks the table as well, once: which sites are in the area.
    assert [answer.status_code for answer in sent] == [200, 200, 200, 304, 304, 304, 304]
    assert len(office.landed()) == len(office.landed(ndw_sites.SOURCE)) == 1


def test_a_download_that_breaks_off_goes_on_where_it_was(office: Office, monkeypatch):
    office.feed()
    sent = []
    real = service.document
    monkeypatch.setattr(service, "document", lambda *args: sent.append(real(*args)) or sent[-1])
    office.faults.switch_on(Fault("truncated", HOST, 1))
    report = office.at(PUBLICATIONS[1]).feed()
    assert report.problem is None
    assert [answer.status_code for answer in sent] == [200, 206]
    assert len(sent[1].body) < len(sent[0].body)
    (landed,) = report.landed
    assert landed.problem is None


def test_the_same_publication_again_is_no_news(office: Office):
    office.feed()
    office.faults.switch_on(Fault("duplicate_pages", HOST))
    reports = [office.feed() for _ in range(2)]
    assert [(len(r.landed), r.known, r.problem) for r in reports] == [(0, 1, None)] * 2


def test_an_older_publication_after_a_newer_one_changes_no_reading(office: Office):
    office.table()
    for published_at in PUBLICATIONS[:6]:
        office.at(published_at).feed()
    expected, notes = office.counts()
    office.faults.switch_on(Fault("out_of_order", HOST))
    (older,) = [p for p in office.landed() if f"{PUBLICATIONS[0]:%H%M}40Z" in p.name]
    report = office.at(PUBLICATIONS[5]).feed()
    # The very publication of five minutes ago: known, and not taken for a newer one.
    assert (len(report.landed), report.known, report.problem) == (0, 1, None)
    assert office.landed()[0].sha256 == older.sha256
    rows, again = office.counts()
    assert_frame_equal(rows, expected)
    assert again["values_read"] == notes["values_read"]


def test_publications_in_any_order_give_the_same_rows(office: Office, tmp_path: Path):
    other = Office(office.settings.model_copy(update={"data_dir": tmp_path / "other"}), office.faults)
    for one, moments in ((office, PUBLICATIONS[:4]), (other, PUBLICATIONS[3::-1])):
        one.table()
        for published_at in moments:
            assert len(one.at(published_at).feed().landed) == 1
    assert_frame_equal(office.counts()[0], other.counts()[0])


def test_a_wrong_clock_of_the_publisher_changes_no_reading(office: Office):
    office.table()
    office.feed()
    expected, _ = office.counts()
    office.faults.switch_on(Fault("clock_skew", HOST, None, "7200"))
    (skewed,) = office.feed().landed
    assert f"{PUBLICATIONS[0] + timedelta(hours=2):%Y-%m-%dT%H%M}" in skewed.name
    rows, notes = office.counts()
    assert notes["duplicates"] == notes["values_read"] / 2  # type: ignore[operator]
    assert_frame_equal(rows, expected)


def test_a_site_table_that_changes_during_the_day_gives_each_reading_its_own_meaning(office: Office):
    before, after = CHANGE - MINUTE, CHANGE + 7 * MINUTE
    for moment in (before, after):
        assert office.at(moment).table().problem is None
        assert office.feed().problem is None
    assert {key for p in office.landed(ndw_sites.SOURCE) for key in p.batches} == {"2000/NDW01_MT", "2001/NDW01_MT"}
    rows, notes = office.counts()
    assert "site_tables_not_delivered" not in notes
    reordered = rows.filter(site_id=traffic_feed.REORDERED_SITE, vehicle_class="any").sort("interval_start_at")
    assert (
        reordered.select("site_version", "lane_code", "series_code").unique(maintain_order=True).height
        == 2 * reordered["lane_code"].n_unique()
    )
    assert reordered["site_version"].to_list() == sorted(reordered["site_version"])
    # What an index means changed with the version: flows are flows before and after.
    city = city_of(2)
    position = [site.id for site in city.sites].index(traffic_feed.REORDERED_SITE)
    first = sum(site.lanes for site in city.sites[:position])
    for moment, version in ((before, 1), (after, 2)):
        minute = traffic_feed.minute_of(city, traffic_feed.measured_at(position, moment))
        row = reordered.filter(site_version=version, lane_code="lane1").row(0, named=True)
        assert row["flow_veh_h"] == minute.vehicles[first, traffic_feed.CLASSES] * 60
    # A version that the table does not list has no meaning, before or after.
    assert rows.filter(site_id=traffic_feed.UNLISTED_SITE)["vehicle_class"].unique().to_list() == ["unknown"]


def test_a_feed_that_names_a_table_that_is_not_delivered_yet_is_kept_without_meaning(office: Office):
    office.at(CHANGE - MINUTE).table()
    office.at(CHANGE + MINUTE).feed()
    rows, notes = office.counts()
    assert notes["site_tables_not_delivered"] == "2001/NDW01_MT"
    assert rows["vehicle_class"].unique().to_list() == ["unknown"]


def test_only_the_sites_of_the_area_land(office: Office):
    city = city_of(2)
    middle = sorted(site.longitude for site in city.sites)[len(city.sites) // 2]
    west = {site.id for site in city.sites if site.longitude <= middle}
    half = Office(office.settings.model_copy(update={"traffic_area": (6.40, 53.10, middle, 53.30)}), office.faults)
    half.table(), half.feed()
    assert set(half.indexes()["site_id"]) == west
    assert set(half.counts()[0]["site_id"]) == west
    assert all(f"{len(west)} of {len(city.sites)}" in p.headers["excerpt"] for p in half.landed())
    # With the area of the settings again, nothing that was noted for the other one counts.
    office.table(), office.feed()
    assert set(office.counts()[0]["site_id"]) == {site.id for site in city.sites}


def test_an_area_without_sites_is_told(office: Office):
    nowhere = Office(office.settings.model_copy(update={"traffic_area": (3.0, 50.0, 3.1, 50.1)}), office.faults)
    for report in (nowhere.table(), nowhere.feed()):
        assert "no sites between" in str(report.problem)
        assert "GRONINGEN_TRAFFIC_AREA" in str(report.problem)
    assert nowhere.landed() == nowhere.landed(ndw_sites.SOURCE) == []


@pytest.mark.parametrize(
    ("fault", "told"), [("wrong_type", "declares a document type"), ("error", "status 500"), ("too_many", "status 429")]
)
def test_a_service_in_trouble_leaves_nothing_behind(office: Office, fault, told):
    office.feed()
    office.faults.switch_on(Fault(fault, HOST, None, "600" if fault == "too_many" else ""))
    report = office.at(PUBLICATIONS[1]).feed()
    assert told in str(report.problem)
    assert len(office.landed()) == 1
    assert [p for p in office.settings.scratch_dir.rglob("*") if p.is_file()] == []
    office.faults.clear()
    assert len(office.feed().landed) == 1
