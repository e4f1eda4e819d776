"""Fill levels pulled from the replica of a measuring system: by cursor, in order of arrival, whatever goes wrong on the way."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import polars as pl
import pytest
import stamina
from jsonschema import Draft202012Validator
from polars.testing import assert_frame_equal

from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Landing
from groningen_data.replica.app import running
from groningen_data.replica.faults import Fault, Faults
from groningen_data.replica.services.telemetry import _cursor
from groningen_data.settings import PROJECT, Settings, load_settings
from groningen_data.sources import telemetry
from groningen_data.sources.telemetry import SOURCE, parse_fill_levels

DAYS = 5
LAST_DAY = date(2026, 3, 15)
HOST = "telemetrie.groningen.example"
READING = "containercode;tijdstip;vulgraad;vullingGewicht\n10001;2026-03-15T08:05:00+01:00;57;120\n"
OPENAPI = json.loads((PROJECT / "docs" / "inbound-telemetry.openapi.json").read_text(encoding="utf-8"))


@dataclass
class Office:
    """A data folder that pulls from the replica, or reads the same city's files."""

    settings: Settings
    faults: Faults = field(default_factory=Faults)

    @property
    def landing(self) -> Landing:
        return Landing.of(self.settings)

    def fetch(self):
        return SOURCE.fetch(self.settings, self.landing)

    def rows(self) -> pl.DataFrame:
        """What the table gets, by key: of rows that are alike one, and none that breaks a rule."""
        sound = self.parsed().filter(
            (pl.col("_problems").list.len() == 0) & (pl.col("fill_pct").is_between(0, 150) | pl.col("fill_pct").is_null())
        )
        return sound.drop("_problems", "_original").unique().sort("container_code", "measured_at")

    def parsed(self) -> pl.DataFrame:
        payloads = [p for p in self.landing.payloads(SOURCE.name) if p.batches]
        context = BuildContext(self.settings, lambda table: pl.DataFrame())
        days = sorted({key for p in payloads for key in p.batches})
        return pl.concat(
            frame for key in days for frame in parse_fill_levels([p for p in payloads if key in p.batches], key, context)
        )


@pytest.fixture(autouse=True)
def _no_waiting():
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Office]:
    settings = load_settings(
        profile="replica", data_dir=tmp_path_factory.mktemp("replica"), sample_days=DAYS, http_rate_per_s=1000, http_attempts=2
    )
    faults = Faults()
    with running(settings, faults) as url:
        yield Office(settings.model_copy(update={"replica_url": url}), faults)


@pytest.fixture
def office(served: Office, tmp_path: Path) -> Iterator[Office]:
    """A data folder of its own before the same replica, from its last day on; the faults are off again afterwards."""
    yield Office(served.settings.model_copy(update={"data_dir": tmp_path, "first_day": LAST_DAY}), served.faults)
    served.faults.clear()


@pytest.fixture(scope="module")
def from_files(served: Office) -> pl.DataFrame:
    settings = load_settings(
        profile="real",
        files=served.settings.sample_dir / "waste",
        data_dir=served.settings.data_dir / "other",
        first_day="2026-03-01",
    )
    files = Office(settings)
    assert files.fetch().problem is None
    return files.rows()


@pytest.fixture(scope="module")
def last_day(from_files: pl.DataFrame) -> pl.DataFrame:
    return of_last_day(from_files)


def of_last_day(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("local_date") == LAST_DAY)


@pytest.fixture(scope="module")
def pulled(served: Office, from_files: pl.DataFrame) -> Office:
    assert served.fetch().problem is None
    return served


def ask(office: Office, token: str = "only-for-the-replica", **params: object) -> httpx.Response:
    url = f"{office.settings.address('telemetry')}/vulgraadmetingen"
    return httpx.get(url, params=params, headers={"Authorization": f"Bearer {token}"}, timeout=60)


def follows(schema: str, answer: httpx.Response) -> bool:
    root = {"$ref": f"#/components/schemas/{schema}", "components": OPENAPI["components"]}
    return Draft202012Validator(root, format_checker=Draft202012Validator.FORMAT_CHECKER).is_valid(answer.json())


class TestReplica:
    def test_the_description_is_one_of_json_schema(self):
        assert OPENAPI["openapi"].startswith("3.1.")
        for schema in OPENAPI["components"]["schemas"].values():
            Draft202012Validator.check_schema(schema)
        assert all(p["in"] == "query" for p in OPENAPI["paths"]["/vulgraadmetingen"]["get"]["parameters"])

    def test_answers_as_described(self, served):
        first = ask(served, vanaf="2026-03-01T00:00:00+01:00", limiet=10_000)
        assert first.status_code == 200 and follows("Bladzijde", first) and len(first.json()["metingen"]) == 10_000
        following = ask(served, na=first.json()["volgende"], limiet=3)
        assert follows("Bladzijde", following) and len(following.json()["metingen"]) == 3
        assert not follows("Vulgraadmeting", first)
        empty = ask(served, vanaf="2026-03-17T00:00:00Z")
        assert empty.json() == {"metingen": [], "volgende": None} and follows("Bladzijde", empty)

    @pytest.mark.parametrize(
        ("params", "status"),
        [
            ({}, 400),
            ({"vanaf": "gisteren"}, 400),
            ({"vanaf": "2026-03-01T00:00:00"}, 400),
            ({"na": "x"}, 400),
            ({"na": "x", "vanaf": "2026-03-01T00:00:00Z"}, 400),
            ({"vanaf": "2026-03-01T00:00:00Z", "limiet": 10_001}, 400),
            ({"vanaf": "2026-03-01T00:00:00Z", "token": "another"}, 401),
        ],
    )
    def test_refuses_as_described(self, served, params, status):
        answer = ask(served, **params)
        assert answer.status_code == status and follows("Probleem", answer)
        assert str(status) in OPENAPI["paths"]["/vulgraadmetingen"]["get"]["responses"]
        assert answer.headers["content-type"] == "application/problem+json"


class TestPull:
    def test_ends_in_the_rows_that_the_files_give(self, pulled, from_files):
        assert from_files.height > 100_000
        assert_frame_equal(pulled.rows(), from_files)

    def test_asks_only_for_what_is_new(self, pulled):
        report = pulled.fetch()
        assert (len(report.landed), report.known, report.problem) == (0, 1, None)

    def test_a_late_reading_joins_the_day_on_which_it_was_measured(self, pulled):
        pages = pulled.landing.payloads(SOURCE.name)
        assert all(p.problem is None and p.batches for p in pages)
        assert any(len(p.batches) > 1 for p in pages)

    def test_goes_on_after_a_kill_where_the_last_landed_page_ended(self, office, last_day, monkeypatch):
        whole, delivered = telemetry.Pull.deliver, []

        def killed(visit, place, answer, **how):
            if len(delivered) == 3:
                raise KeyboardInterrupt
            delivered.append(place)
            whole(visit, place, answer, **how)

        monkeypatch.setattr(telemetry.Pull, "deliver", killed)
        with pytest.raises(KeyboardInterrupt):
            office.fetch()
        monkeypatch.undo()
        report = office.fetch()
        assert len(delivered) == 3 and report.known == 0 and report.problem is None
        assert_frame_equal(of_last_day(office.rows()), last_day)

    @pytest.mark.parametrize(
        "fault", [Fault("duplicate_pages", HOST, 2), Fault("out_of_order", HOST), Fault("expired_token", HOST, 1)]
    )
    def test_a_fault_of_the_service_changes_nothing(self, office, last_day, fault):
        office.faults.switch_on(fault)
        report = office.fetch()
        assert report.problem is None
        assert_frame_equal(of_last_day(office.rows()), last_day)

    def test_pages_that_go_on_repeating_end_the_visit(self, office):
        office.faults.switch_on(Fault("duplicate_pages", HOST))
        report = office.fetch()
        assert len(report.landed) == 1 and "lead back" in report.problem.problem

    def test_a_token_that_stays_refused_is_told_without_being_shown(self, office):
        office.faults.switch_on(Fault("expired_token", HOST))
        report = office.fetch()
        assert "refuses the credentials" in report.problem.problem and "only-for" not in str(report.problem)

    def test_an_expired_cursor_makes_it_start_again_from_a_time(self, office):
        office.faults.switch_on(Fault("expired_token", HOST))
        old = _cursor(5, office.settings.now().replace(year=2025), 0)
        noted = {"next": old, "about": "2026-03-15T12:00:00+00:00"}
        assert ask(office, na=old).status_code == 401
        office.faults.clear()
        assert ask(office, na=old).status_code == 410
        office.landing.keep_notes(SOURCE.name, "cursor", noted)
        report = office.fetch()
        assert report.problem is None and report.landed[0].arrivals[0].place == "vulgraadmetingen/na_20260314.json"
        # Pages after a cursor and pages from a time have the same fields.
        assert list(office.landing.notes("telemetry", "shapes")["families"]) == ["vulgraadmetingen/na_#.json"]
        assert office.landing.notes(SOURCE.name, "cursor")["next"] != old

    def test_a_reading_from_the_future_is_set_aside_with_its_reason(self, office):
        office.faults.switch_on(Fault("clock_skew", HOST, value="36000"))
        assert office.fetch().problem is None
        rows = office.parsed()
        ahead = rows.filter(pl.col("_problems").list.contains("measured_at.after_response"))
        assert ahead.height > 1_000
        assert_frame_equal(ahead, rows.filter(pl.col("measured_at") > datetime(2026, 3, 16, 7, tzinfo=UTC)))

    def test_a_page_from_the_future_is_refused_with_its_reason(self, office):
        office.faults.switch_on(Fault("clock_skew", HOST, value="864000"))
        (first, *_) = office.fetch().unreadable
        assert "lie in the future" in first.problem and "clock" in first.way_out

    @pytest.mark.parametrize(
        "answer",
        [
            {"metingen": 3, "volgende": None},
            {"metingen": []},
            [],
            {"metingen": [], "volgende": "x"},
            {"metingen": [], "volgende": 3},
        ],
    )
    def test_an_answer_of_another_form_is_told(self, answer):
        found = telemetry.Answer("https://h/v1", 200, {}, json.dumps(answer).encode())
        visit = telemetry.Pull(
            load_settings(), type("Client", (), {"source": "telemetry"})(), {}, lambda *_: None, lambda _: None
        )
        if answer == {"metingen": []}:
            assert telemetry._page(visit, found) == ([], None)
        else:
            with pytest.raises(Exception, match="metingen"):
                telemetry._page(visit, found)


class TestFiles:
    def test_dropped_files_are_taken_as_well(self, office, tmp_path):
        drop = tmp_path / "drop"
        drop.mkdir()
        (drop / "extra.csv").write_text(READING)
        with_files = Office(office.settings.model_copy(update={"files": drop}))
        report = with_files.fetch()
        assert report.problem is None and "extra.csv" in [p.name for p in report.landed]
        row = with_files.rows().filter(container_code="10001")
        assert row["fill_pct"].to_list() == [57.0]
        assert len(with_files.fetch().landed) == 0

    def test_dropped_files_are_taken_when_the_service_fails(self, office, tmp_path):
        drop = tmp_path / "drop"
        drop.mkdir()
        (drop / "extra.csv").write_text(READING)
        office.faults.switch_on(Fault("expired_token", HOST))
        with_files = Office(office.settings.model_copy(update={"files": drop}))
        report = with_files.fetch()
        assert report.problem is not None and [p.name for p in report.landed] == ["extra.csv"]
        assert with_files.landing.notes(SOURCE.name, "visit")["problem"]

    def test_what_was_pulled_and_is_dropped_too_gives_no_row_twice(self, office, served, last_day, tmp_path):
        drop = tmp_path / "drop"
        drop.mkdir()
        for path in (served.settings.sample_dir / "waste").glob(f"fill_levels_{LAST_DAY}.*"):
            shutil.copy(path, drop)
        with_files = Office(office.settings.model_copy(update={"files": drop}))
        report = with_files.fetch()
        assert report.problem is None and "fill_levels" in report.landed[-1].name
        assert_frame_equal(of_last_day(with_files.rows()), last_day)
