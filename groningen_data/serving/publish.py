"""Publishing for readers: a fresh serving database and Parquet files, built beside the old ones and swapped in by rename.

Only this module writes the serving folder. What it writes went through `protect`; exact figures never reach a served file.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from groningen_data import __version__
from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import ContractModel, columns_of, facts_of, sql_types
from groningen_data.errors import LakehouseError
from groningen_data.lakehouse import Lakehouse
from groningen_data.lakehouse.connection import load_extension
from groningen_data.lakehouse.tables import existing_columns
from groningen_data.serving import geometry
from groningen_data.serving.dictionary import Dictionary, insert_rows, write_comments
from groningen_data.serving.protect import protected_select, served_columns
from groningen_data.settings import Settings

MARTS = "marts.duckdb"
REFRESHED = "refreshed.json"
_BUILD = ".marts-"


@dataclass(frozen=True)
class ServingReport:
    """What one publication did.

    Args:
        tables: Number of served tables.
        rows: Rows in them together.
        seconds: How long it took.
        changed: Whether the files were replaced; False when they already held exactly this.
    """

    tables: int
    rows: int
    seconds: float
    changed: bool


def publish_serving(lakehouse: Lakehouse, now_real: datetime | None = None, is_refresh: bool = True) -> ServingReport:
    """Bring the serving database and the Parquet files up to date with the lake.

    Everything is read in one snapshot. The rename of the database comes after those of the Parquet files, so a build that
    is killed anywhere leaves a complete database, and the next publication repairs the rest.

    Args:
        lakehouse: Where to read.
        now_real: The real time (UTC) to note down; the present moment when not given.
        is_refresh: Whether this ends a whole refresh; after a restore, or a run of one store or a few days, it does not, and
            what `groningen watch` sees keeps its age.

    Raises:
        LakehouseError: Nothing was published in the lake yet, or another publication does not end.
        ContractError: A contract cannot be served safely.
    """
    started = time.monotonic()
    settings = lakehouse.settings
    changed_at = now_real or datetime.now(UTC)
    folder = settings.serving_dir
    with _only_builder(folder, settings), lakehouse.reader() as con:
        build = folder / f"{_BUILD}{os.getpid()}.duckdb"
        with _attached(con, build):
            content_hash, rows = build_database(con, settings, settings.now(), changed_at)
            changed = not _holds(folder, content_hash, rows)
            if changed:
                _write_parquet(con, folder, rows)
        if changed:
            _swap_in(folder, build, rows)
        facts = {
            "refreshed_at": changed_at.astimezone(UTC).isoformat() if is_refresh else _earlier_refresh(folder / REFRESHED),
            "as_of": settings.now().isoformat(),
            "marts_sha256": _sha256(folder / MARTS),
        }
        _write_atomically(folder / REFRESHED, json.dumps(facts))
    return ServingReport(len(rows), sum(rows.values()), time.monotonic() - started, changed)


def _earlier_refresh(path: Path) -> str | None:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["refreshed_at"])
    except (OSError, ValueError, KeyError):
        return None


def build_as_of(con: duckdb.DuckDBPyConnection, settings: Settings, at: datetime, target: Path) -> None:
    """Write a past state of everything served, under the protection of today, into a database file of its own.

    Args:
        con: A reader of the lake as it was at `at`.
        settings: The settings of this process.
        at: The instant (UTC).
        target: Where to put the file; it appears complete or not at all.
    """
    with _only_builder(target.parent, settings):
        build = target.parent / f"{_BUILD}{os.getpid()}.duckdb"
        with _attached(con, build):
            build_database(con, settings, at, at)
        _fsync(build)
        build.replace(target)


def build_database(
    con: duckdb.DuckDBPyConnection, settings: Settings, now: datetime, changed_at: datetime
) -> tuple[str, dict[str, int]]:
    """Fill the attached, empty database `serving` from the attached lake, in one transaction.

    Returns:
        The hash of the content (the time of building left out) and the rows per served table.
    """
    contracts = all_contracts()
    served = {facts_of(c).short_name: c for c in contracts.values() if facts_of(c).served}
    load_extension(con, "spatial")
    # Without it, rows would not be stored in the order of their keys.
    con.execute("SET preserve_insertion_order = true")
    con.execute("BEGIN")
    try:
        Dictionary(contracts, lambda table, types: _relation(con, table, types), now).write(con, "serving")
        for name, contract in served.items():
            _write_table(con, name, contract)
        rows = {name: _count(con, f"serving.main.{name}") for name in served}
        content_hash = _content_hash(con, settings)
        refresh = [changed_at, now, settings.municipality_code, settings.profile, __version__, content_hash]
        insert_rows(con, "serving.dictionary.refresh", [refresh])
    except BaseException:
        con.execute("ROLLBACK")
        raise
    con.execute("COMMIT")
    return content_hash, rows


def _write_table(con: duckdb.DuckDBPyConnection, name: str, contract: ContractModel) -> None:
    facts = facts_of(contract)
    former = {new: column.renamed_from for new, column in columns_of(contract).items() if column.renamed_from}
    exact = _relation(con, facts.name, sql_types(contract), former)
    con.execute(f"CREATE TABLE serving.main.{name} AS {protected_select(contract, exact)}")
    meanings = {c: f"{f.title_en} [{f.unit}]" if f.unit else f.title_en for c, f in served_columns(contract).items()}
    write_comments(con, f"serving.main.{name}", f"{facts.title_en} ({facts.title_nl}): {facts.grain}", meanings)


def _relation(
    con: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], former: Mapping[str, str] | None = None
) -> str:
    """A lake table as a relation with exactly these columns, whatever the table was like when it was written.

    Columns it does not have are NULL, unless it has them under a former name; a table the lake does not have is empty.
    """
    existing = existing_columns(con, table)
    columns = []
    for name, kind in types.items():
        held = name if name in existing else (former or {}).get(name, name)
        if held not in existing:
            columns.append(f'CAST(NULL AS {kind}) AS "{name}"')
        elif existing[held] == kind:
            columns.append(f'"{held}" AS "{name}"')
        else:
            columns.append(f'TRY_CAST("{held}" AS {kind}) AS "{name}"')
    return f"(SELECT {', '.join(columns)} {f'FROM lake.{table}' if existing else 'WHERE false'})"


def _content_hash(con: duckdb.DuckDBPyConnection, settings: Settings) -> str:
    tables = con.execute(
        "SELECT schema_name, table_name, t.comment, list((column_name, data_type, c.comment) ORDER BY column_index) "
        "FROM duckdb_tables() AS t JOIN duckdb_columns() AS c USING (database_name, schema_name, table_name) "
        "WHERE database_name = 'serving' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    parts: list[object] = [settings.municipality_code, settings.profile, settings.as_of, __version__, duckdb.__version__]
    for schema, name, *_ in tables:
        table = f"serving.{schema}.{name}"
        parts.append(con.execute(f"SELECT count(*), sum(CAST(hash(t, rowid) AS HUGEINT)) FROM {table} AS t").fetchone())
    return hashlib.sha256(repr((tables, parts)).encode()).hexdigest()


def _holds(folder: Path, content_hash: str, tables: Mapping[str, int]) -> bool:
    """Whether the folder already holds this content, whole and not tampered with."""
    try:
        facts = json.loads((folder / REFRESHED).read_text(encoding="utf-8"))
        if facts["marts_sha256"] != _sha256(folder / MARTS):
            return False
        with duckdb.connect() as con:
            con.execute(f"ATTACH '{_quoted(folder / MARTS)}' AS published (READ_ONLY)")
            held = con.execute("SELECT content_hash FROM published.dictionary.refresh").fetchall()
    except (OSError, ValueError, KeyError, duckdb.Error):
        return False
    files = {path.name for path in folder.glob("*.parquet")}
    return held == [(content_hash,)] and files == {f"{name}.parquet" for name in tables}


def _write_parquet(con: duckdb.DuckDBPyConnection, folder: Path, tables: Mapping[str, int]) -> None:
    for name in tables:
        table, path = f"serving.main.{name}", _parquet_build(folder, name)
        if geometry.served_outline(con, table):
            geometry.write_geoparquet(con, table, path)
        else:
            con.execute(f"COPY (FROM {table} ORDER BY rowid) TO '{_quoted(path)}' (FORMAT parquet, COMPRESSION zstd)")


def _swap_in(folder: Path, build: Path, tables: Mapping[str, int]) -> None:
    for name in tables:
        _fsync(_parquet_build(folder, name))
        _parquet_build(folder, name).replace(folder / f"{name}.parquet")
    for path in folder.glob("*.parquet"):
        if path.stem not in tables:
            path.unlink(missing_ok=True)
    _fsync(build)
    # A reader that opened the old file for writing may have left its log, which must never be replayed on the new one.
    (folder / f"{MARTS}.wal").unlink(missing_ok=True)
    build.replace(folder / MARTS)
    _fsync(folder)


def _parquet_build(folder: Path, name: str) -> Path:
    return folder / f"{_BUILD}{os.getpid()}-{name}.parquet"


@contextmanager
def _attached(con: duckdb.DuckDBPyConnection, path: Path) -> Iterator[None]:
    con.execute(f"ATTACH '{_quoted(path)}' AS serving")
    try:
        yield
        con.execute("CHECKPOINT serving")
    finally:
        con.execute("DETACH serving")


@contextmanager
def _only_builder(folder: Path, settings: Settings) -> Iterator[None]:
    """One build per folder at a time; whatever lies there half built is then the work of a killed process."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=settings.writer_wait_s):
            _remove_leftovers(folder)
            try:
                yield
            finally:
                _remove_leftovers(folder)
    except Timeout:
        raise LakehouseError(
            "serving", f"another publication still runs after {settings.writer_wait_s:g} s", "wait for it to end, or stop it"
        ) from None


def _remove_leftovers(folder: Path) -> None:
    for path in folder.glob(f"{_BUILD}*"):
        path.unlink(missing_ok=True)


def _write_atomically(path: Path, text: str) -> None:
    partial = path.with_name(f"{_BUILD}{os.getpid()}-{path.name}")
    partial.write_text(text, encoding="utf-8")
    _fsync(partial)
    partial.replace(path)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    (count,) = con.execute(f"SELECT count(*) FROM {relation}").fetchone() or (0,)
    return int(count)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
