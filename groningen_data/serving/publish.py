"""Publishing for readers: a fresh serving database and Parquet files, built beside the old ones and swapped in by rename.

Only this module writes the serving folder. What it writes went through `protect`; exact figures never reach a served file.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from groningen_data.contracts.base import facts_of
from groningen_data.errors import LakehouseError
from groningen_data.lakehouse import Lakehouse
from groningen_data.serving import geometry
from groningen_data.serving.parts import Built, Lake, build, made_with, read_built, served_contracts
from groningen_data.serving.protect import is_monthly, order_of
from groningen_data.settings import Settings

MARTS = "marts.duckdb"
REFRESHED = "refreshed.json"
_BUILD = ".marts-"
_SWAPPING = ".swapping"
"""Is there while files are replaced: then they may be of two publications."""
_WHOLE_EVERY = timedelta(days=7)


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

    Everything is read in one snapshot. What changed is made anew in a copy of the database that was published last; all of it when
    that is not whole, was made with other contracts or versions, or once a week, for what was deleted from a copy leaves traces in
    the file. The rename of the database comes after those of the Parquet files, so a build that is killed anywhere leaves a complete
    database, and the next publication repairs the rest.

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
        path, lake = folder / f"{_BUILD}{os.getpid()}.duckdb", Lake.of(con)
        published = _copied(lake, folder, path)
        is_kept = published is not None and changed_at - published.made_whole_at < _WHOLE_EVERY
        if not is_kept:
            path.unlink(missing_ok=True)
        with _attached(con, path):
            built = build(lake, settings, settings.now(), changed_at, published, is_kept)
            files = _files(built)
            held = _files(published) if published else {}
            due = [file for file in files if files[file] != held.get(file) or not (folder / file).is_file()]
            withdrawn = [file for file in _parquet_in(folder) if file not in files]
            is_new = published is None or published.content_hash != built.content_hash
            changed = is_new or bool(due or withdrawn) or not is_kept
            for file in due:
                _write_parquet(con, files[file], _parquet_build(folder, file))
        if changed:
            _swap_in(folder, path, due, withdrawn)
        facts = {
            "refreshed_at": changed_at.astimezone(UTC).isoformat() if is_refresh else _earlier_refresh(folder / REFRESHED),
            "as_of": settings.now().isoformat(),
            "marts_sha256": _sha256(folder / MARTS),
        }
        _write_atomically(folder / REFRESHED, json.dumps(facts))
        (folder / _SWAPPING).unlink(missing_ok=True)
    return ServingReport(len(served_contracts()), built.rows, time.monotonic() - started, changed)


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
        path = target.parent / f"{_BUILD}{os.getpid()}.duckdb"
        with _attached(con, path):
            build(Lake.of(con), settings, at, at)
        _fsync(path)
        path.replace(target)


def _copied(lake: Lake, folder: Path, path: Path) -> Built | None:
    """Copy the published database, and give what it holds; None when there is none, when it or a file beside it may not be what was
    published, or when all of it must be made anew."""
    try:
        if (folder / _SWAPPING).exists():
            return None
        expected = json.loads((folder / REFRESHED).read_text(encoding="utf-8"))["marts_sha256"]
        shutil.copyfile(folder / MARTS, path)
    except (OSError, ValueError, KeyError):
        return None
    if _sha256(path) != expected:
        return None
    with _attached(lake.con, path):
        built = read_built(lake.con)
    return built if built and built.made_with == made_with(lake) else None


@dataclass(frozen=True)
class _Content:
    """What one Parquet file holds: a table, or a month of it, with the rows and the hash of each of its parts."""

    table: str
    month: date | None
    parts: tuple[tuple[date | None, int, str], ...]


def _files(built: Built) -> dict[str, _Content]:
    """The Parquet files of a serving database, by their path in the folder: one per table, and of tables of days and hours, which
    grow by thousands of rows a day, one per month."""
    found = {}
    for name, contract in served_contracts().items():
        parts = [(p.month, p.rows, p.content_hash) for p in built.parts if p.table == name]
        if is_monthly(contract) and facts_of(contract).period_column == "local_date":
            found.update({f"{name}/{part[0]:%Y-%m}.parquet": _Content(name, part[0], (part,)) for part in parts})
        else:
            found[f"{name}.parquet"] = _Content(name, None, tuple(parts))
    return found


def _parquet_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for pattern in ("*.parquet", "*/*.parquet") for path in folder.glob(pattern))


def _write_parquet(con: duckdb.DuckDBPyConnection, content: _Content, path: Path) -> None:
    """Write one file, in the order of the table's key."""
    table, contract = f"serving.main.{content.table}", served_contracts()[content.table]
    order = order_of(contract)
    if geometry.served_outline(con, table):
        geometry.write_geoparquet(con, table, order, path)
        return
    where = f"WHERE month = DATE '{content.month}'" if content.month else ""
    con.execute(f"COPY (FROM {table} {where} ORDER BY {order}) TO '{_quoted(path)}' (FORMAT parquet, COMPRESSION zstd)")


def _swap_in(folder: Path, build: Path, due: Sequence[str], withdrawn: Sequence[str]) -> None:
    (folder / _SWAPPING).touch()
    for file in due:
        _fsync(_parquet_build(folder, file))
        (folder / file).parent.mkdir(exist_ok=True)
        _parquet_build(folder, file).replace(folder / file)
    for file in withdrawn:
        (folder / file).unlink(missing_ok=True)
    _fsync(build)
    # A reader that opened the old file for writing may have left its log, which must never be replayed on the new one.
    (folder / f"{MARTS}.wal").unlink(missing_ok=True)
    build.replace(folder / MARTS)
    _fsync(folder)


def _parquet_build(folder: Path, file: str) -> Path:
    return folder / f"{_BUILD}{os.getpid()}-{file.replace('/', '-')}"


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


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
