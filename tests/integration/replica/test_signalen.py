"""Reports pulled from the replica of a Signalen installation: what is known of them afterwards, and what never was written."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
import stamina

from assets import all_recipes, all_sources
from groningen_data.gate.gate import Gate
from groningen_data.gate.recipe import BuildContext
from groningen_data.lakehouse import Lakehouse
from groningen_data.landing import Landing
from groningen_data.replica.app import running
from groningen_data.replica.faults import Fault, Faults
from groningen_data.replica.services import signalen as service
from groningen_data.replica.services.signalen import PERSONAL
from groningen_data.sample import city, reports
from groningen_data.settings import Settings, load_settings
from groningen_data.sources.signalen_map import SOURCE as MAP
from groningen_data.sources.signalen_map import parse_counts
from groningen_data.sources.signalen_states import SOURCE, parse_states
from tests.pipeline.memory_lake import MemoryLake
from tests.pipeline.payloads import write_payloads

DAYS = 4
HOST = "signalen.groningen.example"
MORNING, EVENING = "2026-03-16T06:00:00+00:00", "2026-03-16T20:00:00+00:00"
STATES, OPEN, REPORTS = "core.waste_report_states", "core.waste_open_reports", "core.waste_reports"
COUNTS = "core.waste_public_report_counts"
MONTHS, PLACES = "collective.neighbourhood_month", "core.reference_neighbourhoods"


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture(scope="module")
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, faults: Faults) -> Iterator[str]:
    settings = load_settings(profile="replica", data_dir=tmp_path_factory.mktemp("replica"), sample_days=DAYS)
    with running(settings, faults) as url:
        yield url


@dataclass
class Office:
    """A data folder that asks the replica, and remembers what it asked."""

    settings: Settings
    asked: list[httpx.URL] = field(default_factory=list)

    @property
    def landing(self) -> Landing:
        return Landing.of(self.settings)

    def fetch(self) -> Any:
        self.asked.clear()
        return SOURCE.fetch(self.settings, self.landing)

    def states(self) -> pl.DataFrame:
        payloads = self.landing.payloads(SOURCE.name)
        nowhere = pl.DataFrame(schema={"neighbourhood_code": pl.String, "outline_wkb": pl.Binary})
        context = BuildContext(self.settings, lambda table: nowhere)
        return pl.concat(list(parse_states(payloads, "snapshot", context))).drop("_original", "_problems").sort("report_id")

    def lists(self) -> list[httpx.URL]:
        return [url for url in self.asked if url.path.endswith("/private/signals/")]


def office_at(folder: Path, address: str) -> Office:
    settings = load_settings(profile="replica", data_dir=folder, sample_days=DAYS, http_rate_per_s=100_000, http_attempts=2)
    only_signalen = {name: url for name, url in settings.addresses.items() if name.startswith("signalen")}
    return Office(settings.model_copy(update={"replica_url": address, "addresses": only_signalen}))


@pytest.fixture
def set_clock(address: str) -> Iterator[Callable[[str], None]]:
    def set_clock(now: str) -> None:
        assert httpx.post(f"{address}/_replica/clock", json={"now": now}).status_code == 200

    yield set_clock
    set_clock(MORNING)


@pytest.fixture
def office(tmp_path: Path, address: str, faults: Faults, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    faults.clear()
    made = office_at(tmp_path, address)
    send = httpx.Client.send

    def sending(client: httpx.Client, request: httpx.Request, **how: Any) -> httpx.Response:
        made.asked.append(request.url)
        return send(client, request, **how)

    monkeypatch.setattr(httpx.Client, "send", sending)
    yield made
    faults.clear()


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory, address: str, faults: Faults) -> Office:
    """A first visit in the morning that nothing disturbed."""
    faults.clear()
    made = office_at(tmp_path_factory.mktemp("complete"), address)
    assert made.fetch().problem is None
    return made


@pytest.fixture
def morning(office: Office, complete: Office) -> Office:
    """An office that already made its first visit."""
    shutil.copytree(complete.settings.landing_dir, office.settings.landing_dir)
    return office


@pytest.fixture(scope="module")
def expected(complete: Office) -> pl.DataFrame:
    return complete.states()


@pytest.fixture(scope="module")
def lake(complete: Office) -> MemoryLake:
    """What the installation says, and the same city's daily lists: tables of both, and those of lists alone under `of_lists`."""
    settings = complete.settings
    write_payloads(settings, ("geography", "reports"), city.city_of(settings).days)
    made = MemoryLake(settings)
    made.read(settings, PLACES, OPEN)
    made.make(REPORTS)
    made.make(MONTHS, "2026-03-01")
    for table in (REPORTS, MONTHS):
        made.con.execute(f"CREATE TABLE of_lists_{table.split('.')[1]} AS FROM {table}")
        made.con.execute(f"TRUNCATE lake.{table}")
    made.read(settings, STATES)
    made.make(REPORTS)
    made.make(MONTHS, "2026-03-01")
    return made


def matched(lake: MemoryLake, columns: str) -> list[tuple[Any, ...]]:
    """Each report of the lists beside the same one as the installation numbers it: made at the same microsecond at the same place."""
    return lake.ask(
        f"SELECT {columns} FROM of_lists_waste_reports l LEFT JOIN {REPORTS} s "
        "ON l.created_at = s.created_at AND l.longitude IS NOT DISTINCT FROM s.longitude"
    )


class TestAgainstTheLists:
    """The installation and its daily lists tell of the same city."""

    def test_the_same_reports_were_open_on_every_day(self, lake: MemoryLake):
        town = city.city_of(lake.settings)
        for day in town.days:
            taken_at = reports.snapshot_taken_at(town, day)
            listed = lake.ask(
                f"SELECT created_at, category_code, neighbourhood_code FROM {OPEN} WHERE snapshot_on = ? ORDER BY ALL", day
            )
            known = lake.ask(
                f"SELECT created_at, category_code, neighbourhood_code FROM {STATES} WHERE NOT is_parent AND created_at < ? "
                "AND (closed_at IS NULL OR closed_at > ?) ORDER BY ALL",
                taken_at,
                taken_at,
            )
            assert len(listed) > 100
            assert known == listed

    def test_every_listed_report_has_the_same_category_and_place(self, lake: MemoryLake):
        same = (
            "main_category_code",
            "category_code",
            "waste_kind",
            "longitude",
            "latitude",
            "neighbourhood_code",
            "location_status",
        )
        rows = matched(
            lake, ", ".join(f"l.{c} IS NOT DISTINCT FROM s.{c} AND s.report_id IS NOT NULL" for c in (*same, "created_on"))
        )
        assert len(rows) == lake.one("SELECT count(*) FROM of_lists_waste_reports")[0] > 200
        assert set(rows) == {(True,) * 8}

    def test_what_was_inferred_to_be_closed_was_closed_by_then(self, lake: MemoryLake):
        rows = matched(lake, "l.is_open, l.last_seen_on, l.closed_on, s.is_open, s.closed_on, s.is_closing_inferred")
        closed = [row for row in rows if not row[0]]
        assert len(closed) > 50
        assert all(
            not is_open and last <= known <= inferred and not guessed for _, last, inferred, is_open, known, guessed in closed
        )
        assert sum(is_open for _, _, _, is_open, _, _ in rows) > 100

    def test_reports_of_a_single_day_are_known_too_and_parents_count_as_their_parts(self, lake: MemoryLake):
        [more] = lake.one(f"SELECT (SELECT count(*) FROM {REPORTS}) - (SELECT count(*) FROM of_lists_waste_reports)")
        assert more > 10
        assert lake.one(f"SELECT count(*) FROM {STATES} WHERE is_parent") == (1,)
        assert lake.one(f"SELECT count(*) FROM {REPORTS} JOIN {STATES} USING (report_id) WHERE is_parent") == (0,)
        assert lake.one(f"SELECT count(*) FROM {REPORTS} JOIN {STATES} USING (report_id) WHERE parent_id IS NOT NULL") == (2,)
        assert lake.one(f"SELECT count(*) FROM {REPORTS} WHERE is_closing_inferred") == (0,)

    def test_the_months_have_the_same_days_and_not_fewer_reports(self, lake: MemoryLake):
        asked = "SELECT sum(waste_reports), any_value(waste_reports_completeness), count(*) FROM "
        listed, known = lake.one(asked + "of_lists_neighbourhood_month"), lake.one(asked + MONTHS)
        assert known[1:] == listed[1:]
        assert listed[0] < known[0] < 3 * listed[0]

    def test_without_lists_the_months_are_the_same(self, lake: MemoryLake):
        before = lake.ask(f"SELECT neighbourhood_code, waste_reports, waste_reports_completeness FROM {MONTHS} ORDER BY ALL")
        alone = MemoryLake(lake.settings)
        alone.put(PLACES, lake.con.execute(f"FROM {PLACES}").pl())
        alone.put(STATES, lake.con.execute(f"FROM {STATES}").pl())
        alone.make(REPORTS)
        alone.make(MONTHS, "2026-03-01")
        assert (
            alone.ask(f"SELECT neighbourhood_code, waste_reports, waste_reports_completeness FROM {MONTHS} ORDER BY ALL")
            == before
        )

    def test_containers_that_people_point_at_are_registered_ones(self, lake: MemoryLake):
        codes = {code for (code,) in lake.ask(f"SELECT DISTINCT container_code FROM {STATES} WHERE container_code IS NOT NULL")}
        assert len(codes) > 10
        assert all(len(code) == 5 and code.isdigit() for code in codes)


class TestIncrements:
    """The second night and those after it."""

    def test_nothing_new_lands_nothing_and_asks_little(self, morning: Office):
        report = morning.fetch()
        assert (report.problem, report.landed) == (None, ())
        assert len(morning.asked) < 12
        assert {url.params["updated_after"] for url in morning.lists()} == {"2026-03-15T00:00:00Z", "2026-03-16T00:00:00Z"}
        assert all(url.params["ordering"] == "updated_at" and "incident_date_after" not in url.params for url in morning.lists())

    def test_the_next_night_tells_what_changed(self, morning: Office, expected: pl.DataFrame, set_clock: Callable[[str], None]):
        set_clock(EVENING)
        assert morning.fetch().problem is None
        assert {url.params["updated_after"] for url in morning.lists()} == {"2026-03-15T00:00:00Z", "2026-03-16T00:00:00Z"}
        after = morning.states()
        assert set(expected["report_id"]) < set(after["report_id"])
        both = after.join(expected, "report_id", suffix="_before")
        changed = both.filter(pl.col("updated_at") != pl.col("updated_at_before"))
        assert changed.filter(pl.col("is_closed") & ~pl.col("is_closed_before")).height > 2
        moved = changed.filter(pl.col("category_code") != pl.col("category_code_before"))
        assert moved.select("category_code_before", "category_code").rows() == [("veeg-en-zwerfvuil", "dumping")]
        removed = both.filter("is_removed")
        assert removed.select("is_removed_before", "category_code").rows() == [(False, "veeg-en-zwerfvuil")]
        split = both.filter(pl.col("is_parent") & ~pl.col("is_parent_before"))
        assert split["status_code"].to_list() == ["s"]
        assert after.filter(pl.col("parent_id").is_in(split["report_id"].to_list())).height == 2

    def test_the_same_is_known_as_after_a_first_visit_on_that_night(
        self, morning: Office, tmp_path: Path, address: str, set_clock: Callable[[str], None]
    ):
        set_clock(EVENING)
        morning.fetch()
        late = office_at(tmp_path / "late", address)
        late.fetch()
        assert morning.states().filter(~pl.col("is_removed")).equals(late.states())

    def test_a_report_that_comes_back_on_the_same_day_is_no_longer_removed(
        self, morning: Office, set_clock: Callable[[str], None]
    ):
        set_clock(EVENING)
        morning.fetch()
        assert morning.states()["is_removed"].any()
        set_clock(MORNING)
        morning.fetch()
        assert not morning.states()["is_removed"].any()


class TestMap:
    """The public map, for who has no credentials."""

    @pytest.fixture(autouse=True)
    def _small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(service, "_GEO_PAGE", 100)
        monkeypatch.setattr(service, "PUBLIC_REQUESTS_PER_HOUR", 1000)

    def counts(self, office: Office) -> pl.DataFrame:
        nowhere = pl.DataFrame(schema={"neighbourhood_code": pl.String, "outline_wkb": pl.Binary})
        payloads = office.landing.payloads(MAP.name)
        return pl.concat(list(parse_counts(payloads, "2026-03-16", BuildContext(office.settings, lambda table: nowhere))))

    def test_it_counts_what_the_list_of_reports_counts(self, lake: MemoryLake, monkeypatch: pytest.MonkeyPatch):
        lake.read(lake.settings, COUNTS)
        cell = "main_category_code, category_code, neighbourhood_code, location_status, waste_kind"
        shown = lake.ask(f"SELECT {cell}, open_reports, oldest_created_on, newest_created_on FROM {COUNTS} ORDER BY ALL")
        known = lake.ask(
            f"SELECT {cell}, count(*), min(created_on), max(created_on) FROM {STATES} "
            "WHERE NOT is_closed AND NOT is_removed AND longitude IS NOT NULL GROUP BY ALL ORDER BY ALL"
        )
        assert shown == known
        assert len(shown) > 100 and sum(row[5] for row in shown) > 200
        assert {status for _, _, _, status, *_ in shown} == {"inside", "outside_municipality"}
        assert lake.one(f"SELECT count(DISTINCT snapshot_on), max(snapshot_on) FROM {COUNTS}") == (1, date(2026, 3, 16))

    def test_it_asks_no_more_than_it_must_and_without_credentials(self, office: Office):
        office.asked.clear()
        assert MAP.fetch(office.settings, office.landing).problem is None
        pages = [url.params.get("geopage") for url in office.asked]
        assert pages == [None, *map(str, range(2, len(pages) + 1))] and len(pages) > 2
        assert {url.host for url in office.asked} == {"127.0.0.1"}
        assert MAP.fetch(office.settings, office.landing).landed == ()

    def test_the_last_answer_of_a_day_counts(self, office: Office, set_clock: Callable[[str], None]):
        MAP.fetch(office.settings, office.landing)
        before = self.counts(office)["open_reports"].sum()
        set_clock(EVENING)
        report = MAP.fetch(office.settings, office.landing)
        assert [p.batches for p in report.landed] == [("2026-03-16",)]
        after = self.counts(office)
        assert after["open_reports"].sum() != before
        assert "dumping" in after["category_code"].to_list()

    @pytest.mark.parametrize(("kind", "times"), [("duplicate_pages", 1), ("out_of_order", 3), ("error", 1), ("truncated", 1)])
    def test_faults_that_pass_change_nothing(self, office: Office, faults: Faults, kind: str, times: int):
        MAP.fetch(office.settings, office.landing)
        faults.switch_on(Fault(kind, HOST, times))
        report = MAP.fetch(office.settings, office.landing)
        assert (report.landed, report.known, report.problem) == ((), 1, None)

    @pytest.mark.parametrize(
        ("fault", "said"),
        [
            (Fault("duplicate_pages", HOST), "lists another number of them, 3 times"),
            (Fault("wrong_type", HOST), "answered text/html"),
            (Fault("too_many", HOST, value="3000"), "asks to wait 3,000 s"),
            (Fault("drift", HOST, value="created_at:gemaakt"), "shows reports without when they were made"),
            (Fault("drift", HOST, value="slug:code"), "shows reports without the slug of their category"),
            (Fault("drift", HOST, value="features:objects"), "lists another number of them, 3 times"),
        ],
        ids=lambda found: getattr(found, "kind", ""),
    )
    def test_a_map_that_cannot_be_counted_lands_nothing_and_says_why(
        self, office: Office, faults: Faults, fault: Fault, said: str
    ):
        faults.switch_on(replace(fault))
        report = MAP.fetch(office.settings, office.landing)
        assert report.landed == () and said in str(report.problem)

    def test_it_passes_the_gate(self, office: Office):
        settings, recipes = office.settings, all_recipes()
        write_payloads(settings, ("geography",), city.city_of(settings).days)
        all_sources()["outlines"].fetch(settings, office.landing)
        MAP.fetch(settings, office.landing)
        gate = Gate(Lakehouse(settings), "test")
        gate.refresh(recipes[PLACES], office.landing)
        result = gate.refresh(recipes[COUNTS], office.landing)
        assert [(b.key, b.outcome, b.quarantined) for b in result.batches] == [("2026-03-16", "published", 0)]
        assert result.warnings == () and result.rows > 100


class _KilledError(BaseException):
    """No error of ours: nothing may handle it."""


class TestTrouble:
    """Whatever goes wrong on the way, in the end the same is known."""

    @pytest.mark.parametrize("requests", [4, 21])
    def test_a_kill_between_pages_costs_asking_again(
        self, office: Office, expected: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, requests: int
    ):
        send, left = httpx.Client.send, requests

        def dying(client: httpx.Client, request: httpx.Request, **how: Any) -> httpx.Response:
            nonlocal left
            left -= 1
            if left < 0:
                raise _KilledError
            return send(client, request, **how)

        with monkeypatch.context() as patched:
            patched.setattr(httpx.Client, "send", dying)
            with pytest.raises(_KilledError):
                office.fetch()
        assert office.fetch().problem is None
        assert office.states().equals(expected)

    @pytest.mark.parametrize("notes", [5])
    def test_a_kill_before_a_delivery_is_remembered_loses_nothing(
        self, office: Office, expected: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, notes: int
    ):
        keep, left = Landing.keep_notes, notes

        def dying(landing: Landing, source: str, kind: str, found: Any) -> None:
            nonlocal left
            left -= kind == "cursor"
            if left <= 0:
                raise _KilledError
            keep(landing, source, kind, found)

        with monkeypatch.context() as patched:
            patched.setattr(Landing, "keep_notes", dying)
            with pytest.raises(_KilledError):
                office.fetch()
        assert office.fetch().problem is None
        assert office.states().equals(expected)

    @pytest.mark.parametrize(
        ("kind", "times", "value"),
        [("expired_token", 1, ""), ("duplicate_pages", 9, ""), ("out_of_order", 7, "")],
    )
    def test_faults_that_pass_change_nothing(
        self, office: Office, faults: Faults, expected: pl.DataFrame, kind: str, times: int, value: str
    ):
        faults.switch_on(Fault(kind, HOST, times, value))
        assert office.fetch().problem is None
        assert office.states().equals(expected)

    def test_pages_that_stay_twice_the_same_are_told(self, office: Office, faults: Faults):
        faults.switch_on(Fault("duplicate_pages", HOST))
        assert "reports and lists" in str(office.fetch().problem)

    @pytest.mark.parametrize(
        "fault", [Fault("drift", HOST, value="updated_at:bijgewerkt"), Fault("wrong_type", HOST), Fault("expired_token", HOST)]
    )
    def test_a_service_that_stays_odd_is_told_without_what_it_said(self, office: Office, faults: Faults, fault: Fault):
        faults.switch_on(fault)
        problem = str(office.fetch().problem)
        assert HOST in problem or "bijgewerkt" in problem or "updated_at" in problem
        assert not any(word in problem for word in PERSONAL)

    def test_a_field_that_is_new_is_told_without_what_it_holds(
        self, morning: Office, faults: Faults, monkeypatch: pytest.MonkeyPatch
    ):
        # The tests of this hour together ask the public map more often than a guest may.
        monkeypatch.setattr(service, "PUBLIC_REQUESTS_PER_HOUR", 1_000)
        MAP.fetch(morning.settings, morning.landing)
        faults.switch_on(Fault("drift", HOST))
        report = morning.fetch()
        assert report.problem is None and "v1/private/signals/: nieuwVeld is new" in report.drifts
        assert morning.fetch().drifts == ()
        of_map = MAP.fetch(morning.settings, morning.landing)
        assert of_map.problem is None and "features[].properties.nieuwVeld is new" in of_map.drifts[0]
        assert not any(b"nieuwVeld" in p.read() for p in morning.landing.payloads(MAP.name))

    def test_a_field_that_is_gone_is_told_beside_the_problem(self, morning: Office, faults: Faults):
        faults.switch_on(Fault("drift", HOST, value="updated_at:updated_on"))
        report = morning.fetch()
        assert report.problem and any("updated_at is now updated_on" in drift for drift in report.drifts)

    def test_a_token_service_that_refuses_us_is_told(self, office: Office, monkeypatch: pytest.MonkeyPatch):
        office.settings = office.settings.model_copy(update={"secrets": {}})
        keys = office.settings.data_dir / "keys"
        keys.mkdir()
        for name, text in (("signalen_client_id", "groningen-data"), ("signalen_client_secret", "a guess")):
            (keys / name).write_text(text)
        problem = str(office.fetch().problem)
        assert "gives no token for these credentials (status 401)" in problem
        assert "a guess" not in problem


def test_nothing_that_leads_to_a_person_is_written_and_changes_rebuild_their_months(
    office: Office, set_clock: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
):
    written: list[bytes] = []
    write_bytes = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda path, data: (written.append(data), write_bytes(path, data))[1])
    settings, recipes = office.settings, all_recipes()
    write_payloads(settings, ("geography",), city.city_of(settings).days)
    all_sources()["outlines"].fetch(settings, office.landing)
    gate = Gate(Lakehouse(settings), "test")

    def refreshed() -> list[tuple[str, str]]:
        assert office.fetch().problem is None
        results = [gate.refresh(recipes[name], office.landing) for name in (PLACES, STATES, REPORTS, MONTHS)]
        assert [
            (b.outcome, b.quarantined, b.reason) for r in results for b in r.batches if b.outcome == "rejected" or b.quarantined
        ] == []
        assert results[1].rows > results[2].rows > 200
        return [(r.table, b.key) for r in results for b in r.published]

    changed = [(STATES, "snapshot"), (REPORTS, "snapshot"), (MONTHS, "2026-03-01")]
    assert refreshed() == [(PLACES, "snapshot"), *changed]
    assert refreshed() == []
    set_clock(EVENING)
    assert refreshed() == changed

    words = [word.encode() for word in PERSONAL]
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert [path for path in files if any(word in path.read_bytes() for word in words)] == []
    assert len(written) > 10
    assert not any(word in data for data in written for word in words)
    with Lakehouse(settings).reader() as con:
        tables = con.execute(
            "SELECT concat(schema_name, '.', table_name) FROM duckdb_tables() WHERE database_name = 'lake'"
        ).fetchall()
        assert len(tables) > 5
        for (table,) in tables:
            told = con.execute(f"SELECT CAST(to_json(t) AS VARCHAR) FROM lake.{table} t").fetchall()
            assert not [word for word in PERSONAL for (row,) in told if word in row]


def test_moments_are_of_the_city_and_not_of_this_machine(expected: pl.DataFrame):
    assert expected["updated_at"].max() <= datetime.fromisoformat(MORNING)
    assert expected["created_at"].min() < datetime.fromisoformat(MORNING) - timedelta(days=100)


def test_what_lands_is_small_and_plain(complete: Office):
    contents = [json.loads(payload.read()) for payload in complete.landing.payloads(SOURCE.name)]
    kept = {key for content in contents for report in content.get("signals", ()) for key in report}
    assert kept == {"id", "created_at", "updated_at", "status", "category", "location", "parent", "has_children", "containers"}


def test_an_installation_without_any_reports_makes_no_batch_of_them(office: Office):
    result = Gate(Lakehouse(office.settings), "test").refresh(all_recipes()[REPORTS], office.landing)
    assert (result.batches, result.standing, result.rows, result.nothing_usable) == ((), (), 0, False)
