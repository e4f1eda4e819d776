"""What the drills judge by: a folder that adds up says nothing, and each way in which it does not is told."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from drills.__main__ import names
from drills.nights import night
from drills.state import contents, differences, reconcile
from groningen_data.lakehouse import Lakehouse
from groningen_data.landing import Landing
from groningen_data.settings import Settings
from tests.pipeline.conftest import sample_settings

TABLE = "core.traffic_parking"
TABLES = {TABLE, "core.reference_neighbourhoods"}
PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = sample_settings(tmp_path_factory.mktemp("drills"), sample_days=2)
    assert night(settings, [TABLE]) == {}
    return settings


@pytest.fixture
def writer(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A writer whose changes are taken back."""
    with Lakehouse(settings).writer("drill") as con:
        kept = {table: con.execute(f"SELECT * FROM lake.{table}").pl() for table in (TABLE, "ops.batches")}
        yield con
        for table, rows in kept.items():
            con.execute(f"DELETE FROM lake.{table}")
            con.register("rows_kept", rows.to_arrow())
            con.execute(f"INSERT INTO lake.{table} BY NAME FROM rows_kept")
            con.unregister("rows_kept")


def test_a_folder_that_nobody_disturbed_adds_up(settings):
    assert reconcile(settings, TABLES) == []
    assert contents(settings)[TABLE][0] > 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (f"DELETE FROM lake.{TABLE} WHERE rowid = (SELECT min(rowid) FROM lake.{TABLE})", "its batches promise"),
        (f"INSERT INTO lake.{TABLE} SELECT * FROM lake.{TABLE} LIMIT 1", "its batches promise"),
        (f"UPDATE lake.ops.batches SET rows_quarantined = rows_quarantined + 1 WHERE table_name = '{TABLE}'", "rows came in"),
        (
            f"UPDATE lake.ops.batches SET rows_in = rows_in + 1, rows_quarantined = rows_quarantined + 1 WHERE table_name = '{TABLE}'",
            "0 of them kept",
        ),
        (f"UPDATE lake.ops.batches SET payloads = [] WHERE table_name = '{TABLE}'", "landed and is not in the batch"),
    ],
)
def test_what_is_lost_or_twice_or_not_accounted_for_is_told(settings, writer, change, said):
    before = contents(settings)
    writer.execute(change)
    problems = reconcile(settings, TABLES)
    assert any(said in problem and TABLE in problem for problem in problems), problems
    if f"lake.{TABLE}" in change:
        assert any(TABLE in line for line in differences(contents(settings), before))


def test_a_damaged_or_half_written_payload_is_told(settings):
    landing = Landing.of(settings)
    [payload] = landing.payloads("parking")
    whole = payload.path.read_bytes()
    (payload.path.parent / f"{payload.sha256}.partial-1").touch()
    payload.path.write_bytes(whole[:-1])
    try:
        problems = reconcile(settings, TABLES)
        assert any("is damaged" in problem for problem in problems)
        assert any("is left over" in problem for problem in problems)
    finally:
        payload.path.write_bytes(whole)
        (payload.path.parent / f"{payload.sha256}.partial-1").unlink()


def test_every_drill_is_documented():
    text = (PROJECT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert [name for name in names() if f"`{name}`" not in text] == []
