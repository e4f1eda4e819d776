"""Pulling neighbourhoods from PDOK and containers from Groningen's GeoServer: all pages of a layer, or nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from groningen_data.landing import Landing
from groningen_data.replica.app import running
from groningen_data.replica.faults import Fault
from groningen_data.replica.services import groningen_maps, pdok
from groningen_data.sample import city
from groningen_data.settings import load_settings
from groningen_data.sources import charge_points, container_wfs, outlines
from groningen_data.sources.base import FileSource

DAYS = 2
PDOK, MAPS = "api.pdok.nl", "maps.groningen.nl"
NEIGHBOURHOODS, DISTRICTS, CONTAINERS = 151, 20, 1961
CHARGE_POINTS = "opendata.ndw.nu"
SOURCES = [(outlines.SOURCE, PDOK), (container_wfs.SOURCE, MAPS)]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both services give fewer features at a time than is asked for."""
    monkeypatch.setattr(pdok, "_MOST", 60)
    monkeypatch.setattr(groningen_maps, "_MOST", 700)


def features(landing: Landing, source: FileSource) -> list[dict]:
    payload = landing.payloads(source.name)[-1]
    return payload.json()["features"]


def when_asked(source: FileSource, number: int, happens: Callable[[], None]) -> FileSource:
    """The source, of which something happens just before its so many-th request."""
    pull, asked = source.connector.pull, 0

    def pulling(visit):
        get = visit.client.get

        def getting(*args, **how):
            nonlocal asked
            asked += 1
            if asked == number:
                happens()
            return get(*args, **how)

        visit.client.get = getting
        pull(visit)

    return replace(source, connector=replace(source.connector, pull=pulling))


@pytest.mark.parametrize(("source", "host"), SOURCES, ids=["outlines", "containers"])
@pytest.mark.parametrize("kind", ["error", "truncated", "wrong_type"])
def test_a_failure_on_the_second_page_lands_nothing_and_next_time_all_of_it(
    settings, landing, faults, small_pages, source, host, kind
):
    failing = when_asked(source, 2, lambda: faults.switch_on(Fault(kind, host)))
    report = failing.fetch(settings, landing)
    assert report.landed == () and report.problem is not None
    assert landing.payloads(source.name) == []
    faults.clear()
    again = source.fetch(settings, landing)
    assert (len(again.landed), again.problem) == (1, None)
    assert len(features(landing, source)) == (NEIGHBOURHOODS + DISTRICTS if source is outlines.SOURCE else CONTAINERS)


@pytest.mark.parametrize(("source", "host"), SOURCES, ids=["outlines", "containers"])
def test_the_size_and_the_order_of_pages_change_no_byte(settings, landing, faults, monkeypatch, source, host):
    source.fetch(settings, landing)
    monkeypatch.setattr(pdok, "_MOST", 60)
    monkeypatch.setattr(groningen_maps, "_MOST", 700)
    faults.switch_on(Fault("out_of_order", host))
    report = source.fetch(settings, landing)
    assert (report.landed, report.known, report.problem) == ((), 1, None)


def test_a_page_of_pdok_that_is_served_twice_counts_once(settings, landing, faults, small_pages):
    outlines.SOURCE.fetch(settings, landing)
    faults.switch_on(Fault("duplicate_pages", PDOK, times=1))
    report = outlines.SOURCE.fetch(settings, landing)
    assert (report.landed, report.known, report.problem) == ((), 1, None)


def test_pages_of_pdok_that_lead_nowhere_are_a_problem(settings, landing, faults, small_pages):
    faults.switch_on(Fault("duplicate_pages", PDOK))
    report = outlines.SOURCE.fetch(settings, landing)
    assert report.landed == () and "lead back to one another" in str(report.problem)


def test_a_page_of_the_wfs_that_is_served_twice_is_a_problem(settings, landing, faults, small_pages):
    faults.switch_on(Fault("duplicate_pages", MAPS))
    report = container_wfs.SOURCE.fetch(settings, landing)
    assert report.landed == () and "the same features" in str(report.problem)


def test_both_have_what_the_files_have(settings, landing):
    for source in (outlines.SOURCE, container_wfs.SOURCE):
        assert source.fetch(settings, landing).problem is None
    districts = [f for f in features(landing, outlines.SOURCE) if "buurtcode" not in f["properties"]]
    assert len(districts) == DISTRICTS
    assert len(features(landing, outlines.SOURCE)) == NEIGHBOURHOODS + DISTRICTS
    assert len(features(landing, container_wfs.SOURCE)) == CONTAINERS
    assert {p.name: p.batches for s in (outlines.SOURCE, container_wfs.SOURCE) for p in landing.payloads(s.name)} == {
        "pdok_wijken_en_buurten_2024.geojson": ("outlines-2024",),
        "containers_wfs.json": ("wfs",),
    }


class TestEditions:
    def test_an_edition_that_is_not_there_yet_is_no_problem(self, settings, landing):
        report = outlines.SOURCE.fetch(settings, landing)
        assert ([p.name for p in report.landed], report.problem) == (["pdok_wijken_en_buurten_2024.geojson"], None)

    def test_figures_of_an_older_edition_go_to_the_codes_of_the_newest(self, tmp_path, context):
        of_city = load_settings(profile="replica", data_dir=tmp_path / "city", sample_days=2)
        newest = next((city.build(of_city) / "geo").glob("*_2024.geojson"))
        older = newest.read_text(encoding="utf-8").replace('"BU00140110", "buurtnaam"', '"BU00140808", "buurtnaam"')
        newest.with_name("groningen_buurten_2023.geojson").write_text(older, encoding="utf-8")
        with running(of_city) as url:
            asked = {"replica_url": url, "http_rate_per_s": 1000, "first_day": date(2025, 6, 1)}
            report = outlines.SOURCE.fetch(of_city.model_copy(update=asked), Landing(tmp_path))
        assert ([p.batches for p in report.landed], report.problem) == ([("outlines-2023",), ("outlines-2024",)], None)
        payloads = Landing(tmp_path).payloads("outlines")
        published = next(outlines.parse_neighbourhoods(payloads, "outlines-2024", context()))
        assert published["code_year"].unique().to_list() == [2024]
        frames = outlines.parse_key_figures(payloads[:1], "outlines-2023", replace(context(), published=lambda table: published))
        codes = pl.concat(frames).select("region_code", "year", "current_code", "code_status").unique()
        assert ("BU00140808", 2023, "BU00140110", "recoded") in codes.rows()
        assert codes.filter(pl.col("code_status") != "same").height == 1

    def test_an_edition_that_is_missing_before_a_later_one_is_told(self, settings, landing):
        earlier = settings.model_copy(update={"first_day": date(2025, 1, 1)})
        report = outlines.SOURCE.fetch(earlier, landing)
        assert len(report.landed) == 1 and "no neighbourhoods of 2023" in str(report.problem)

    def test_no_edition_at_all_is_a_problem(self, settings, landing):
        later = settings.model_copy(update={"as_of": datetime(2028, 1, 1, tzinfo=UTC)})
        report = outlines.SOURCE.fetch(later, landing)
        assert report.landed == () and "no neighbourhoods of 2025, 2026, 2027, 2028" in str(report.problem)

    def test_an_edition_without_districts_is_a_problem(self, settings, landing, monkeypatch):
        whole = pdok._edition
        monkeypatch.setattr(pdok, "_edition", lambda found: {k: v for k, v in whole(found).items() if k != "wijken"})
        with running(settings) as url:
            report = outlines.SOURCE.fetch(settings.model_copy(update={"replica_url": url}), landing)
        assert report.landed == () and "the wijken of 2024 have none of GM0014" in str(report.problem)

    def test_a_municipality_without_neighbourhoods_is_a_problem(self, settings, landing):
        elsewhere = settings.model_copy(update={"municipality_code": "GM0363"})
        report = outlines.SOURCE.fetch(elsewhere, landing)
        assert report.landed == () and "buurten of 2024 have none of GM0363" in str(report.problem)

    def test_the_name_of_a_district_comes_from_the_districts(self, settings, landing, context):
        outlines.SOURCE.fetch(settings, landing)
        rows = next(outlines.parse_neighbourhoods(landing.payloads("outlines"), "outlines-2024", context()))
        assert rows.height == NEIGHBOURHOODS and rows["district_name"].null_count() == 0

    def test_a_figure_that_is_withheld_says_so(self, settings, landing, context):
        outlines.SOURCE.fetch(settings, landing)
        frames = outlines.parse_key_figures(landing.payloads("outlines"), "outlines-2024", context())
        missing = {row["missing_reason"] for frame in frames for row in frame.iter_rows(named=True) if row["value"] is None}
        assert missing == {"withheld"}
        assert any(f["properties"].get("gemiddelde_woningwaarde") == -99997 for f in features(landing, outlines.SOURCE))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"sort_by": "STRAAT"}, "Illegal property name: STRAAT"),
        ({"layer": "geo-data:Bomen gemeente Groningen"}, "Feature type geo-data:Bomen gemeente Groningen unknown"),
        ({"version": "1.0.0", "sort_by": "STRAAT"}, "Illegal property name: STRAAT"),
        ({"sort_by": ""}, "Cannot do natural order without a primary key"),
    ],
    ids=["order", "layer", "1.0.0", "no order"],
)
def test_what_the_wfs_says_in_an_error_with_status_200_is_told(settings, landing, query, said):
    report = asking(query).fetch(settings, landing)
    assert report.landed == () and said in str(report.problem)


def test_an_older_wfs_is_asked_with_its_own_words(settings, landing, small_pages):
    container_wfs.SOURCE.fetch(settings, landing)
    report = asking({"version": "1.0.0"}).fetch(settings, landing)
    assert (report.landed, report.known, report.problem) == ((), 1, None)


def asking(query: dict[str, str]) -> FileSource:
    """The registry of containers, asked in another way."""
    asked = {"layer": "geo-data:CONTAINERS", "sort_by": "CONTAINERCODE", **query}

    def pull(visit):
        url = visit.client.url("container_wfs")
        found = container_wfs.wfs_features(visit, url, asked.pop("layer"), **asked)
        visit.deliver("containers_wfs.json", container_wfs.feature_collection("containers", found))

    return replace(container_wfs.SOURCE, connector=replace(container_wfs.SOURCE.connector, pull=pull))


def test_a_layer_that_grows_while_it_is_read_is_a_problem(settings, landing, monkeypatch, small_pages):
    whole = groningen_maps._sorted

    def grow() -> None:
        monkeypatch.setattr(groningen_maps, "_sorted", lambda *args, **how: whole(*args, **how)[1:])

    report = when_asked(container_wfs.SOURCE, 2, grow).fetch(settings, landing)
    assert report.landed == () and "changed while it was read" in str(report.problem)


@pytest.mark.parametrize("moved", [2, 40])
def test_pages_of_the_wfs_that_overlap_are_a_problem(settings, landing, monkeypatch, small_pages, moved):
    whole = groningen_maps._sorted

    def move() -> None:
        monkeypatch.setattr(groningen_maps, "_sorted", lambda *args, **how: (w := whole(*args, **how))[-moved:] + w[:-moved])

    report = when_asked(container_wfs.SOURCE, 2, move).fetch(settings, landing)
    assert report.landed == () and "different features of 1,961" in str(report.problem)


def test_features_that_are_alike_on_both_sides_of_the_end_of_a_page_are_two(settings, landing, monkeypatch):
    container_wfs.SOURCE.fetch(settings, landing)
    codes = sorted(f["properties"]["CONTAINERCODE"] for f in features(landing, container_wfs.SOURCE))
    twins = next(n for n, code in enumerate(codes) if codes[n + 1] == code)
    monkeypatch.setattr(groningen_maps, "_MOST", twins + 1)
    report = container_wfs.SOURCE.fetch(settings, landing)
    assert (report.landed, report.known, report.problem) == ((), 1, None)


def test_a_field_that_got_another_name_is_told(settings, landing, faults):
    container_wfs.SOURCE.fetch(settings, landing)
    faults.switch_on(Fault("drift", MAPS, value="FRACTIE:AFVALSOORT"))
    report = container_wfs.SOURCE.fetch(settings, landing)
    assert "AFVALSOORT" in report.drifts[0]
    assert "misses column(s) FRACTIE" in (report.unreadable[0].problem or "")


def test_an_answer_in_another_coordinate_system_is_a_problem(settings, landing, monkeypatch):
    monkeypatch.setattr(pdok, "_CRS84", pdok._RD)
    report = outlines.SOURCE.fetch(settings, landing)
    assert report.landed == () and "EPSG/0/28992" in str(report.problem)


def test_a_page_that_holds_less_than_it_says_is_a_problem(settings, landing, monkeypatch):
    monkeypatch.setattr(pdok, "len", lambda found: 1 + sum(1 for _ in found), raising=False)
    report = outlines.SOURCE.fetch(settings, landing)
    assert report.landed == () and "where it says" in str(report.problem)


def test_ids_that_a_geoserver_makes_up_do_not_land(settings, landing):
    container_wfs.SOURCE.fetch(settings, landing)
    assert all("id" not in f for f in features(landing, container_wfs.SOURCE))
    text = json.dumps(features(landing, container_wfs.SOURCE))
    assert "fid-" not in text and "timeStamp" not in text


class TestChargePoints:
    def test_the_file_is_not_sent_again_while_it_is_the_same(self, settings, landing):
        first, second = (charge_points.SOURCE.fetch(settings, landing) for _ in range(2))
        assert [p.batches for p in first.landed] == [("snapshot",)]
        assert (second.landed, second.known, second.problem) == ((), 0, None)

    @pytest.mark.parametrize("kind", ["duplicate_pages", "out_of_order"])
    def test_locations_twice_or_in_another_order_change_no_row(self, settings, landing, faults, context, kind):
        charge_points.SOURCE.fetch(settings, landing)
        faults.switch_on(Fault(kind, CHARGE_POINTS))
        again = Landing(landing.root / "again")
        report = charge_points.SOURCE.fetch(settings, again)
        assert len(report.landed) == 1
        found = [
            pl.concat(charge_points.parse_charge_points(where.payloads("charge_points"), "snapshot", context()))
            for where in (landing, again)
        ]
        columns = [name for name in found[0].columns if not name.startswith("_")]
        assert found[0].height > 0 and found[0].select(columns).equals(found[1].select(columns))

    def test_a_download_that_breaks_off_goes_on(self, settings, landing, faults):
        faults.switch_on(Fault("truncated", CHARGE_POINTS, times=1))
        report = charge_points.SOURCE.fetch(settings, landing)
        assert (len(report.landed), report.unreadable, report.problem) == (1, (), None)

    def test_a_field_that_got_another_name_is_told(self, settings, landing, faults):
        charge_points.SOURCE.fetch(settings, landing)
        landing.keep_notes("charge_points", "cursor", {})
        faults.switch_on(Fault("drift", CHARGE_POINTS, value="evses:charging_points"))
        report = charge_points.SOURCE.fetch(settings, landing)
        assert "charging_points" in report.drifts[0]
        assert "locations without evses" in (report.unreadable[0].problem or "")
