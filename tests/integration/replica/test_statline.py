"""CBS StatLine pulled from the replica over both versions of OData: a release is there as a whole or not at all."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import pytest
import stamina
from polars.testing import assert_frame_equal

from groningen_data.contracts.base import ContractModel, facts_of, polars_schema
from groningen_data.contracts.reference.household_waste import ReferenceHouseholdWaste
from groningen_data.contracts.reference.key_figures import ReferenceKeyFigures
from groningen_data.contracts.welfare.recipients import WelfareRecipients
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Landing
from groningen_data.replica import statline
from groningen_data.replica.app import running
from groningen_data.replica.faults import Fault, Faults
from groningen_data.replica.odata import FUNCTIONS_4
from groningen_data.replica.services import statline_v3, statline_v4
from groningen_data.sample import city
from groningen_data.settings import Settings, load_settings
from groningen_data.sources import cbs_household_waste, cbs_statline, outlines

V3, V4 = "opendata.cbs.nl", "datasets.cbs.nl"
ELSEWHERE = f"https://{V3}/ODataApi/nowhere"
TABLES, WASTE = cbs_statline.SOURCE, cbs_household_waste.SOURCE
EARLIER, RECENT, QUARTERS, HOUSEHOLD = "85618NED", "85984NED", "86113NED", "83452NED"
PARSERS = [
    (TABLES, cbs_statline.parse_key_figures, EARLIER, ReferenceKeyFigures),
    (TABLES, cbs_statline.parse_key_figures, RECENT, ReferenceKeyFigures),
    (TABLES, cbs_statline.parse_recipients, EARLIER, WelfareRecipients),
    (TABLES, cbs_statline.parse_recipients, RECENT, WelfareRecipients),
    (TABLES, cbs_statline.parse_recipients, QUARTERS, WelfareRecipients),
    (WASTE, cbs_household_waste.parse_household_waste, HOUSEHOLD, ReferenceHouseholdWaste),
]


@dataclass
class Office:
    """A data folder that pulls from the replica, or reads the same city's files; `asked` are the requests of its last visit."""

    settings: Settings
    neighbourhoods: pl.DataFrame
    landing: Landing = field(init=False)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.landing = Landing.of(self.settings)

    def visit(self, source=TABLES, at: tuple[str, int] = ("", 0), happens: Callable[[], object] = lambda: None):
        """Fetch; just before the so many-th request for a path with these words, something happens."""
        words, number = at
        self.asked.clear()

        def pulling(visit):
            get = visit.client.get

            def getting(url, **how):
                self.asked.append(f"{urlsplit(url).path.split('/', 2)[2]}?{urlsplit(url).query or how.get('params') or ''}")
                if words and words in self.asked[-1] and sum(words in asked for asked in self.asked) == number:
                    happens()
                return get(url, **how)

            visit.client.get = getting
            source.connector.pull(visit)

        return replace(source, connector=replace(source.connector, pull=pulling)).fetch(self.settings, self.landing)

    def rows(self, source, parse, table: str, contract: ContractModel) -> pl.DataFrame:
        payloads = [p for p in self.landing.payloads(source.name) if table in p.batches]
        self.context = BuildContext(self.settings, lambda name: self.neighbourhoods)
        found = pl.concat(list(parse(payloads, table, self.context)))
        assert found["_problems"].list.len().sum() == 0
        return found.select(polars_schema(contract).keys()).sort(facts_of(contract).key)

    def inhabitants(self, code: str = "GM0014") -> float:
        found = self.rows(TABLES, cbs_statline.parse_key_figures, EARLIER, ReferenceKeyFigures)
        return found.filter(region_code=code, measure_code="inhabitants")["value"].item()


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture(scope="module")
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("city")


@pytest.fixture(scope="module")
def address(folder: Path, faults: Faults) -> Iterator[str]:
    settings = load_settings(profile="replica", data_dir=folder, sample_days=2)
    city.build(settings)
    with running(settings, faults) as url:
        yield url


@pytest.fixture(scope="module")
def neighbourhoods(address: str, folder: Path) -> pl.DataFrame:
    settings = load_settings(profile="sample", data_dir=folder, sample_days=2)
    landing = Landing.of(settings)
    outlines.SOURCE.fetch(settings, landing)
    payloads = landing.payloads(outlines.SOURCE.name)
    return pl.concat(
        list(outlines.parse_neighbourhoods(payloads, "snapshot", BuildContext(settings, lambda name: pl.DataFrame())))
    )


@pytest.fixture(scope="module")
def files(folder: Path, address: str, neighbourhoods: pl.DataFrame) -> Office:
    office = Office(load_settings(profile="sample", data_dir=folder, sample_days=2), neighbourhoods)
    for source in (TABLES, WASTE):
        source.fetch(office.settings, office.landing)
    return office


@pytest.fixture
def office(tmp_path: Path, address: str, faults: Faults, files: Office) -> Iterator[Office]:
    faults.clear()
    settings = load_settings(profile="replica", data_dir=tmp_path, sample_days=2, replica_url=address, http_rate_per_s=1000)
    yield Office(settings, files.neighbourhoods)
    faults.clear()


@pytest.fixture
def small_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statline_v4, "PAGE", 1500)
    monkeypatch.setattr(statline_v3, "MOST", 250)


@dataclass
class Release:
    """The files of the table of 2023 at the replica, and a newer release of them."""

    folder: Path

    def __post_init__(self) -> None:
        self.paths = sorted((self.folder / "sample-city" / "cbs").glob(f"*{EARLIER}*"))
        self.before = {path: path.read_bytes() for path in self.paths}

    def newer(self, more: int = 1, modified: str = "2026-02-01T02:00:00+01:00") -> None:
        """Every figure is so much higher."""
        for path in self.paths:
            answer = json.loads(self.before[path])
            if "_Properties" in path.name:
                answer["Modified"] = modified
            for row in answer.get("value", []) if "_Observations" in path.name else ():
                row["Value"] = None if row["Value"] is None else row["Value"] + more
            self._write(path, json.dumps(answer).encode())

    def of_the_country(self) -> None:
        """The whole table has more observations than those of the wanted regions, as at CBS."""
        path = next(path for path in self.paths if "_Properties" in path.name)
        answer = json.loads(self.before[path])
        self._write(path, json.dumps(answer | {"ObservationCount": answer["ObservationCount"] * 40}).encode())

    def shorter(self) -> None:
        """The last page loses its rows, and nothing says so."""
        pages = [path for path in self.paths if "_Observations" in path.name]
        answer = json.loads(self.before[pages[-1]])
        self._write(pages[-1], json.dumps(answer | {"value": answer["value"][:1]}).encode())

    def restore(self) -> None:
        for path, data in self.before.items():
            self._write(path, data)

    def _write(self, path: Path, data: bytes) -> None:
        last = path.stat().st_mtime_ns
        partial = path.with_name(".partial")
        partial.write_bytes(data)
        os.utime(partial, ns=(last + 1_000_000, last + 1_000_000))
        partial.replace(path)


@pytest.fixture
def release(folder: Path, office: Office) -> Iterator[Release]:
    """Nothing else is pulled then."""
    office.settings = office.settings.model_copy(update={"statline_tables": (EARLIER,)})
    found = Release(folder)
    yield found
    found.restore()


def every_row(office: Office) -> list[pl.DataFrame]:
    return [office.rows(*how) for how in PARSERS]


def test_pulled_and_filed_tables_give_the_same_core_rows(office, files):
    for source, count in ((TABLES, 3), (WASTE, 1)):
        report = office.visit(source)
        assert (len(report.landed), report.problem, report.unreadable) == (count, None, ())
    for pulled, filed in zip(every_row(office), every_row(files), strict=True):
        assert filed.height > 300
        assert_frame_equal(pulled, filed)


def test_several_years_come_in_one_shape(office):
    office.visit()
    years = [office.rows(TABLES, cbs_statline.parse_key_figures, table, ReferenceKeyFigures) for table in (EARLIER, RECENT)]
    assert [found["year"].unique().to_list() for found in years] == [[2023], [2024]]
    measures = [set(found["measure_code"]) for found in years]
    assert measures[0] == measures[1] and years[0].schema == years[1].schema


@pytest.mark.parametrize("kind", ["duplicate_pages", "out_of_order"])
def test_pages_that_come_twice_or_in_another_order_change_no_row(office, files, faults, small_answers, kind):
    faults.switch_on(Fault(kind))
    assert office.visit().problem is None
    assert sum("Observations" in asked for asked in office.asked) > 4
    assert office.visit(WASTE).problem is None
    for pulled, filed in zip(every_row(office), every_row(files), strict=True):
        assert_frame_equal(pulled, filed)


def test_more_rows_than_version_3_gives_come_from_its_feed(office, files, small_answers):
    assert office.visit().problem is None
    feed = [asked for asked in office.asked if "ODataFeed" in asked and f"{QUARTERS}/TypedDataSet" in asked]
    assert len(feed) == -(-1392 // 250)
    how = (TABLES, cbs_statline.parse_recipients, QUARTERS, WelfareRecipients)
    assert_frame_equal(office.rows(*how), files.rows(*how))


def test_a_table_that_did_not_change_is_asked_for_its_date_only(office):
    office.visit()
    assert len(office.asked) > 20
    report = office.visit()
    assert (report.landed, report.problem) == ((), None)
    assert {asked.split("?")[0].rsplit("/", 1)[1] for asked in office.asked} <= {"Properties", "TableInfos"}


def test_only_the_wanted_regions_are_asked_for(office):
    office.visit(WASTE)
    found = office.rows(*PARSERS[-1])
    assert set(found["region_code"]) == {"NL01", "GM0014"}
    assert office.context.notes["figures_of_other_regions"] == 0
    assert [asked for asked in office.asked if "Observations" in asked and "startswith(RegioS,'GM0014')" not in asked] == []


@pytest.mark.parametrize("habit", ["ignored", "ignored when counting", "refused"])
def test_where_regions_cannot_be_chosen_the_whole_table_is_taken(office, files, monkeypatch, habit):
    keeps = statline_v4._filtered
    if habit == "ignored":
        monkeypatch.setattr(statline_v4, "_filtered", lambda request, rows: rows)
    elif habit == "ignored when counting":
        monkeypatch.setattr(
            statline_v4, "_filtered", lambda request, rows: rows if request.url.path.endswith("$count") else keeps(request, rows)
        )
    else:
        monkeypatch.setattr(statline_v4, "FUNCTIONS_4", FUNCTIONS_4 - {"startswith"})
    assert office.visit(WASTE).problem is None
    assert_frame_equal(office.rows(*PARSERS[-1]), files.rows(*PARSERS[-1]))
    assert office.context.notes["figures_of_other_regions"] == 541


def test_a_new_release_under_the_same_id_replaces_the_one_before(office, release):
    office.visit()
    before = office.inhabitants()
    release.newer()
    report = office.visit()
    assert [p.name for p in report.landed] == [f"{EARLIER}.zip"]
    assert office.inhabitants() == before + 1
    found = office.rows(TABLES, cbs_statline.parse_key_figures, EARLIER, ReferenceKeyFigures)
    assert [moment.date() for moment in found["released_at"].unique()] == [date(2026, 2, 1)]
    assert office.visit().landed == ()


@pytest.mark.parametrize("kind", ["error", "truncated", "wrong_type"])
def test_a_failure_between_pages_leaves_the_release_before(office, release, faults, small_answers, kind):
    office.visit()
    before = office.inhabitants()
    release.newer()
    report = office.visit(TABLES, ("Observations?", 2), lambda: faults.switch_on(Fault(kind, f"{V4}/odata")))
    assert report.landed == () and report.problem is not None
    assert office.inhabitants() == before
    assert not list((office.settings.scratch_dir / "pulled").rglob("*.zip"))
    faults.clear()
    assert len(office.visit().landed) == 1
    assert office.inhabitants() == before + 1


@pytest.mark.parametrize("instant", ["between pages", "at the landing"])
def test_a_visit_that_is_killed_leaves_the_release_before(office, release, small_answers, monkeypatch, instant):
    office.visit()
    before = office.inhabitants()
    release.newer()

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        if instant == "between pages":
            office.visit(TABLES, ("Observations?", 3), killed)
        else:
            # The bytes are written, their facts are not.
            patch.setattr(Landing, "keep", killed)
            office.visit()
    office.landing = Landing.of(office.settings)
    assert office.inhabitants() == before
    assert len(office.visit().landed) == 1
    assert office.inhabitants() == before + 1


def test_a_release_while_the_one_before_is_read_lands_nothing_of_either(office, release, small_answers):
    office.visit()
    before = office.inhabitants()
    release.newer(1)
    report = office.visit(TABLES, ("Observations?", 2), lambda: release.newer(5, modified="2026-02-02T02:00:00+01:00"))
    assert report.landed == () and "was released anew while it was read" in str(report.problem)
    assert office.inhabitants() == before
    office.visit()
    assert office.inhabitants() == before + 5


def test_a_page_without_its_rows_is_noticed_by_the_number_announced(office, release, small_answers):
    release.of_the_country()
    report = office.visit(TABLES, ("Observations?", 2), release.shorter)
    assert f"table {EARLIER} announces" in str(report.problem)
    assert report.landed == ()


def test_a_renamed_field_is_told_and_does_not_land(office, faults):
    faults.switch_on(Fault("drift", f"{V4}/odata/v1/CBS/{EARLIER}", value="ValueAttribute:Attribuut"))
    report = office.visit()
    assert "ValueAttribute" in str(report.problem) and len(report.landed) == 2
    faults.clear()
    assert [p.name for p in office.visit().landed] == [f"{EARLIER}.zip"]


def test_a_new_field_is_told_and_lands(office, release, faults):
    office.visit()
    before = office.inhabitants()
    release.newer()
    faults.switch_on(Fault("drift", f"{V4}/odata/v1/CBS/{EARLIER}/MeasureCodes"))
    report = office.visit()
    assert (len(report.landed), report.problem) == (1, None)
    assert [drift.startswith(f"{EARLIER}.zip: MeasureCodes.") and "nieuwVeld is new" in drift for drift in report.drifts] == [
        True
    ]
    assert office.inhabitants() == before + 1


def test_a_table_that_is_nowhere_is_told_and_keeps_no_other_out(office):
    office.settings = office.settings.model_copy(update={"statline_tables": ("82339NED", EARLIER)})
    report = office.visit()
    assert [p.name for p in report.landed] == [f"{EARLIER}.zip"]
    assert "table 82339NED has no figures in version 4 and is not there in version 3" in str(report.problem)


class TestWithdrawn:
    """Tables that CBS takes away."""

    @pytest.fixture
    def gone(self, monkeypatch: pytest.MonkeyPatch) -> set[str]:
        """Ids of tables that the services no longer have."""
        found, whole = set[str](), statline.Tables.all
        monkeypatch.setattr(
            statline.Tables, "all", lambda tables: {name: t for name, t in whole(tables).items() if name not in found}
        )
        return found

    def test_a_table_that_was_there_is_told_once_and_stays(self, office, gone):
        assert len(office.visit().landed) == 3
        before = office.inhabitants()
        gone.add(EARLIER)
        report = office.visit()
        assert (report.problem, report.landed) == (None, ())
        assert report.news == (
            f"CBS has withdrawn table {EARLIER}: it has no figures in version 4 and is not there in version 3; "
            "what landed of it before stays",
        )
        again = office.visit()
        assert (again.problem, again.news) == (None, ())
        assert office.inhabitants() == before

    def test_one_that_comes_back_and_goes_again_is_told_again(self, office, gone):
        office.visit()
        for _ in range(2):
            gone.add(EARLIER)
            assert len(office.visit().news) == 1
            gone.clear()
            report = office.visit()
            assert (report.problem, report.news, report.landed) == (None, (), ())

    def test_those_of_our_own_list_are_told_once_without_having_been_there(self, office):
        office.settings = office.settings.model_copy(update={"statline_tables": ()})
        report = office.visit()
        assert report.problem is None and len(report.landed) == 3
        assert len(report.news) > 20 and any("82339NED" in line for line in report.news)
        assert office.visit().news == ()

    def test_one_that_cbs_calls_discontinued_is_told_once_though_it_was_never_there(self, office):
        office.settings = office.settings.model_copy(update={"statline_tables": (RECENT,)})
        office.settings = office.settings.model_copy(
            update={"addresses": {**office.settings.addresses, "statline_v3": ELSEWHERE}}
        )
        report = office.visit()
        assert report.problem is None and [RECENT in line for line in report.news] == [True]
        assert office.visit().news == ()

    def test_a_service_without_any_table_is_a_problem_every_night(self, office, gone):
        office.visit()
        gone |= {EARLIER, RECENT, QUARTERS, HOUSEHOLD}
        for _ in range(2):
            report = office.visit()
            assert report.news == () and f"table {EARLIER} has no figures in version 4" in str(report.problem)


def test_another_municipality_is_asked_for_anew(office):
    office.visit(WASTE)
    office.settings = office.settings.model_copy(update={"municipality_code": "GM0363"})
    assert len(office.visit(WASTE).landed) == 1
    found = office.rows(*PARSERS[-1])
    assert set(found["region_code"]) == {"NL01", "GM0363"}
