"""A refresh killed at five instants leaves the old state or the new one, and running again ends as if nothing had happened; so do two
refreshes at once."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from groningen_data.lakehouse import Lakehouse
from tests.pipeline.conftest import sample_settings
from tests.pipeline.drive import INSTANTS, SOME_TABLES, refresh

CONTENT = "SELECT count(*), sum(hash(t)) FROM lake.{table} t"
TABLES = ("core.waste_open_reports", "core.waste_reports", "core.traffic_counts", "collective.neighbourhood_month")
PROJECT = Path(__file__).parents[2]


def contents(settings) -> dict[str, tuple]:
    with Lakehouse(settings).reader() as con:
        return {table: con.execute(CONTENT.format(table=table)).fetchone() for table in TABLES}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    settings = sample_settings(tmp_path_factory.mktemp("undisturbed"), sample_days=3)
    refresh(settings, tables=SOME_TABLES)
    return settings


@pytest.mark.parametrize("instant", INSTANTS)
def test_a_killed_refresh_recovers_by_running_again(instant, undisturbed, tmp_path):
    settings = sample_settings(tmp_path, sample_days=3)
    shutil.copytree(undisturbed.sample_dir, settings.sample_dir)
    killed = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.drive", str(tmp_path), instant],
        cwd=PROJECT,
        env={**os.environ, "GRONINGEN_SAMPLE_DAYS": "3"},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    if Lakehouse(settings).exists:
        with Lakehouse(settings).reader() as con:
            # Whatever is in a table is in the ledger, and the other way round: no half batch.
            for table in TABLES:
                if not con.execute(
                    "SELECT 1 FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name || '.' || table_name = ?", [table]
                ).fetchone():
                    continue
                held = con.execute(f"SELECT count(*) FROM lake.{table}").fetchone()[0]
                promised = con.execute(
                    "SELECT coalesce(sum(rows_accepted), 0) FROM lake.ops.batches WHERE table_name = ? AND outcome = 'published'",
                    [table],
                ).fetchone()[0]
                assert held == promised
    marts = settings.serving_dir / "marts.duckdb"
    assert not marts.exists() or instant != "swapping"

    refresh(settings, "after the kill", SOME_TABLES)
    assert contents(settings) == contents(undisturbed)
    with duckdb.connect(str(marts), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM neighbourhood_month").fetchone() == (151,)
    assert not [p for p in tmp_path.rglob("*") if ".partial" in p.name and p.is_file()]


def test_two_refreshes_at_once_on_a_new_folder_both_end_well(undisturbed, tmp_path):
    settings = sample_settings(tmp_path, sample_days=3)
    shutil.copytree(undisturbed.sample_dir, settings.sample_dir)
    command = [sys.executable, "-m", "tests.pipeline.drive", str(tmp_path)]
    environment = {**os.environ, "GRONINGEN_SAMPLE_DAYS": "3"}
    both = [subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=600)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert contents(settings) == contents(undisturbed)
