"""Small tables to fill a lake with, and other processes that read, write, hold the lock or get killed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from groningen_data.contracts.base import Contract, column, table
from groningen_data.gate.gate import Gate, TableResult
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.lakehouse import Lakehouse
from groningen_data.landing import Landing
from groningen_data.settings import Settings
from groningen_data.sources.base import FileSource

WORKER = Path(__file__).with_name("worker.py")

# For what is about files and processes, and does not touch the catalog: once is enough.
ON_SQLITE = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)

State = list[tuple[str, int]]


def publish(lakehouse: Lakehouse, *batches: tuple[str, list[int]], table: str = "core.numbers") -> list[datetime]:
    """Replace batches of a table (columns key and n), each in a transaction of its own; returns the instants just after."""
    instants = []
    with lakehouse.writer("publish") as con:
        con.execute(f"CREATE TABLE IF NOT EXISTS lake.{table} (key VARCHAR, n INTEGER)")
        for key, numbers in batches:
            con.execute("BEGIN")
            con.execute(f"DELETE FROM lake.{table} WHERE key = ?", [key])
            con.execute(f"INSERT INTO lake.{table} SELECT ?, unnest(?::INTEGER[])", [key, numbers])
            con.execute("COMMIT")
            instants.append(datetime.now(UTC))
    return instants


def state(lakehouse: Lakehouse, at: datetime | None = None, table: str = "core.numbers") -> State:
    """The rows of a table now, or at an instant."""
    with lakehouse.reader(at) as con:
        return con.execute(f"SELECT * FROM lake.{table} ORDER BY ALL").fetchall()


def states(lakehouse: Lakehouse, table: str = "core.numbers") -> dict[int, State]:
    """The rows of a table in every state that time travel reaches and that has the table, by version."""
    with lakehouse.reader() as con:
        (first,) = con.execute(
            "SELECT min(begin_snapshot) FROM __ducklake_metadata_lake.ducklake_table WHERE table_name = ?", [table.split(".")[1]]
        ).fetchone()
        versions = [v for (v,) in con.execute("SELECT snapshot_id FROM lake.snapshots() ORDER BY 1").fetchall() if v >= first]
        return {v: con.execute(f"SELECT * FROM lake.{table} AT (VERSION => {v}) ORDER BY ALL").fetchall() for v in versions}


def create_twins(lakehouse: Lakehouse) -> None:
    """The two tables that the workers `publish` and `read` use."""
    with lakehouse.writer("create twins") as con:
        for name in "ab":
            con.execute(f"CREATE TABLE lake.core.twin_{name} AS SELECT 0 AS version FROM range(5)")


def files_on_disk(lakehouse: Lakehouse) -> set[Path]:
    return {path for path in lakehouse.files_dir.rglob("*") if path.is_file()}


@contextmanager
def worker(settings: Settings, task: str, *arguments: str) -> Iterator[subprocess.Popen]:
    """Another process on the same lake (see `worker.py`), from the moment that it reports to be at work."""
    with workers(settings, task, arguments=arguments) as (process,):
        yield process


@contextmanager
def workers(settings: Settings, *tasks: str, arguments: Sequence[str] = ()) -> Iterator[list[subprocess.Popen]]:
    """Several of them, started together."""
    environment = os.environ | {
        "GRONINGEN_DATA_DIR": str(settings.data_dir),
        "GRONINGEN_CATALOG_URI": settings.catalog_uri.get_secret_value() if settings.catalog_uri else "",
        "GRONINGEN_MEMORY_LIMIT_MB": "200",
        "GRONINGEN_THREADS": "1",
    }
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with ExitStack() as stack:
        processes = []
        for task in tasks:
            process = subprocess.Popen([sys.executable, str(WORKER), task, *arguments], env=environment, text=True, **pipes)
            processes.append(stack.enter_context(process))
            stack.callback(process.kill)
        for process in processes:
            line = process.stdout.readline()
            assert line == "at work\n", line + process.stderr.read()
        yield processes


def end(*processes: subprocess.Popen) -> list[dict]:
    """Tell workers to stop; returns what each did. A worker that met an error fails the test."""
    for process in processes:
        process.stdin.write("stop\n")
        process.stdin.flush()
    did = []
    for process in processes:
        said, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        did.append(json.loads(said))
    return did


class DailyCounts(Contract):
    """Counts per day and site, for the tests of the lakehouse."""

    counted_on: pl.Date = column("Dag", "Day")
    site: str = column("Punt", "Site")
    n: int = column("Aantal", "Number", ge=0)

    class Config(Contract.Config):
        metadata = table(
            name="core.traffic_daily_counts",
            title_nl="Tellingen",
            title_en="Counts",
            grain="one site on one day",
            key=("counted_on", "site"),
            owner="Verkeer",
            purpose="To test the lakehouse.",
            legal_basis="None needed",
            classification="public",
            retention="as long as the test",
            freshness_days=1,
            load_mode="partition",
            partition_columns=("counted_on",),
        )


SOURCE = FileSource(
    name="daily_counts",
    title="Daily counts",
    patterns=("counts-*.csv",),
    recognises=lambda head: False,
    batches=lambda payload: (payload.name[7:17],),
)
RECIPE = Recipe(DailyCounts, (), (Feed(SOURCE, lambda payloads, key, context: iter([pl.read_csv(payloads[-1].read())])),))


def deliver(settings: Settings, day: str, **counts: int) -> TableResult:
    """Deliver a file of one day, land it and take it through the gate."""
    settings.source_root.mkdir(parents=True, exist_ok=True)
    lines = ["counted_on,site,n", *(f"{day},{site},{n}" for site, n in counts.items())]
    (settings.source_root / f"counts-{day}.csv").write_text("\n".join(lines))
    return refresh(settings, fetch=True)


def refresh(settings: Settings, fetch: bool = False) -> TableResult:
    landing = Landing(settings.landing_dir)
    if fetch:
        SOURCE.fetch(settings, landing)
    return Gate(Lakehouse(settings), "test").refresh(RECIPE, landing)
