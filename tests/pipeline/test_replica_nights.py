"""Two nights against the replica: one in which every service has some fault, and the one after it; each the whole nightly job."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from assets import all_recipes
from groningen_data.lakehouse import Lakehouse
from groningen_data.landing import Landing
from groningen_data.replica.app import running
from groningen_data.replica.faults import Fault, Faults
from groningen_data.settings import Settings, load_settings
from tests.pipeline.test_command import groningen

# Faults that pass, or that change no fact: the services are asked again, or what they say twice counts once.
PASSING = (
    Fault("too_many", "opendata.cbs.nl", 3, "0"),
    Fault("error", "datasets.cbs.nl", 2),
    Fault("truncated", "api.pdok.nl", 1),
    Fault("slow", "opendata.ndw.nu", 2, "0.5"),
    Fault("expired_token", "signalen", 1),
    Fault("out_of_order", "signalen"),
)
DOWN = Fault("error", "www.daggegevens.knmi.nl")
MAINTENANCE = Fault("wrong_type", "maps.groningen.nl")
STUCK = Fault("duplicate_pages", "telemetrie")
CHANGED = Fault("drift", "api.pdok.nl")
"""In the night after: every object has a field more."""
WITHOUT = {"core.reference_weather_days", "core.reference_weather_hours", "core.waste_containers"}


@dataclass(frozen=True)
class Night:
    """One night.

    Args:
        code: Exit code.
        text: What was printed.
        rows: Rows per table afterwards.
    """

    code: int
    text: str
    rows: dict[str, int]


@pytest.fixture(scope="module")
def faults() -> Faults:
    return Faults(*PASSING, DOWN, MAINTENANCE, STUCK)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(profile="replica", data_dir=tmp_path_factory.mktemp("replica"), sample_days=2)


@pytest.fixture(scope="module")
def nights(settings: Settings, faults: Faults) -> Iterator[tuple[Night, Night]]:
    with running(settings, faults) as url:
        first = night(settings.data_dir, url)
        faults.clear()
        faults.switch_on(CHANGED)
        yield first, night(settings.data_dir, url)


def night(folder: Path, url: str) -> Night:
    told = {"GRONINGEN_REPLICA_URL": url, "GRONINGEN_PROFILE": "replica", "GRONINGEN_HTTP_RATE_PER_S": "1000"}
    process = groningen("refresh", folder=folder, more=told)
    out, err = process.communicate(timeout=600)
    assert "Traceback" not in out + err, err
    return Night(process.returncode, out, rows(folder))


@contextmanager
def lake(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with Lakehouse(load_settings(profile="replica", data_dir=folder)).reader() as con:
        yield con


def rows(folder: Path) -> dict[str, int]:
    with lake(folder) as con:
        tables = con.execute("SELECT DISTINCT table_name FROM lake.ops.batches WHERE outcome = 'published'").fetchall()
        return {table: con.execute(f"SELECT count(*) FROM lake.{table}").fetchone()[0] for (table,) in tables}


def test_a_service_that_is_down_is_told_and_the_rest_is_published(nights):
    first, _ = nights
    assert first.code == 1
    assert "www.daggegevens.knmi.nl/klimatologie/uurgegevens answered status 500 4 times" in first.text
    assert "answered text/html" in first.text
    assert not WITHOUT & first.rows.keys()
    assert {"core.reference_neighbourhoods", "core.reference_key_figures", "core.traffic_counts"} <= first.rows.keys()
    assert {"collective.neighbourhood_month", "collective.site_hour"} <= first.rows.keys()


def test_the_night_after_has_everything(nights):
    first, second = nights
    assert second.code == 0, second.text
    assert second.rows.keys() - first.rows.keys() >= WITHOUT
    # Of two days nothing can be said yet of weeks; but nothing that was delivered is missing.
    empty = {table for table, rows in second.rows.items() if not rows}
    assert not {table for table in empty if all_recipes()[table].feeds}


def test_faults_that_pass_leave_no_trace(nights):
    first, second = nights
    same = (
        "core.reference_key_figures",
        "core.reference_neighbourhoods",
        "core.traffic_counts",
        "core.waste_public_report_counts",
        "core.waste_report_states",
    )
    assert {table: first.rows[table] for table in same} == {table: second.rows[table] for table in same}


def test_what_came_before_a_service_failed_is_loaded_and_the_rest_follows(nights):
    first, second = nights
    assert "telemetry" in first.text and "lead back to one another" in first.text
    assert 0 < first.rows["core.waste_fill_levels"] < second.rows["core.waste_fill_levels"]


def test_a_new_field_is_told_and_breaks_nothing(nights):
    _, second = nights
    assert "properties.nieuwVeld is new" in second.text and second.code == 0


def test_nothing_is_lost(nights, settings):
    with lake(settings.data_dir) as con:
        unbalanced = "SELECT * FROM lake.ops.batches WHERE rows_in <> rows_accepted + rows_quarantined + rows_collapsed"
        assert con.execute(unbalanced).fetchall() == []
    landing = Landing.of(settings)
    sources = [path.name for path in landing.root.iterdir() if path.is_dir()]
    unread = {source: [p.name for p in landing.payloads(source) if p.problem] for source in sources}
    assert {source: names for source, names in unread.items() if names} == {}
    problems = {s: json.loads((landing.root / f".{s}.visit").read_text())["problem"] for s in sources}
    assert {s: p for s, p in problems.items() if p} == {}
