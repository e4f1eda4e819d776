"""Publishing for readers: a fresh serving database and Parquet files, built beside the old ones and swapped in by rename.

Only this module writes the serving folder. What it writes went through `protect`; exact figures never reach a served file.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock, Timeout

from groningen_data.contracts.base import ContractModel, facts_of
from groningen_data.errors import LakehouseError
from groningen_data.lakehouse import Lakehouse
from groningen_data.serving import geometry
from groningen_data.serving.parts import Built, build, read_built, served_contracts
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
        changed: Whether files were replaced; False when all of them held exactly this and nothing had to be made anew.
    """

    tables: int
    rows: int
    seconds: float
    changed: bool


def publish_serving(lakehouse: Lakehouse, now_real: datetime | None = None, is_refresh: bool = True) -> ServingReport:
    """Bring the serving database and the Parquet files up to date with the lake.

    Everything is read in one snapshot. What changed is made anew in a copy of the database that was published last; all of it,
    Parquet files as well, when that is not what was published, was made with other contracts or versions, or once a week, for what was
    deleted from a copy leaves traces in the file. The rename of the database comes after those of the Parquet files, so a build that is killed anywhere leaves a complete
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
        path = folder / f"{_BUILD}{os.getpid()}.duckdb"
        told = _told(folder)
        published = _copied(con, folder, path, told)
        with _brought_up_to_date(con, settings, path, changed_at, published) as (built, is_anew):
            files = _files(built)
            held = {} if published is None or is_anew else _files(published.built)
            stamps = published.stamps if published else {}
            due = [file for file in files if files[file] != held.get(file) or stamps.get(file) != _stamp(folder / file)]
            for file in due:
                _write_parquet(con, files[file], _parquet_build(folder, file))
        withdrawn = _withdrawn(folder, files, stamps)
        changed = published is None or published.built.content_hash != built.content_hash or bool(due or withdrawn)
        sha256 = _swap_in(folder, path, due, withdrawn) if published is None or changed else published.marts_sha256
        facts = {
            "refreshed_at": changed_at.astimezone(UTC).isoformat() if is_refresh else told.get("refreshed_at"),
            "as_of": settings.now().isoformat(),
            "marts_sha256": sha256,
            "parquet": {file: _stamp(folder / file) for file in files},
        }
        _write_atomically(folder / REFRESHED, json.dumps(facts))
        (folder / _SWAPPING).unlink(missing_ok=True)
    return ServingReport(len(served_contracts()), built.rows, time.monotonic() - started, changed)


@dataclass(frozen=True)
class _Published:
    """What lies in the folder, as far as it is what was published.

    Args:
        built: What the database holds.
        marts_sha256: Its hash.
        stamps: By Parquet file, what tells whether somebody changed it.
    """

    built: Built
    marts_sha256: str
    stamps: Mapping[str, str]


@contextmanager
def _brought_up_to_date(
    con: duckdb.DuckDBPyConnection, settings: Settings, path: Path, changed_at: datetime, published: _Published | None
) -> Iterator[tuple[Built, bool]]:
    """The database at `path` attached as `serving`, as it is to be published, and whether it was made anew."""
    dated = published.built if published else None
    if dated and timedelta(0) <= changed_at - dated.made_whole_at < _WHOLE_EVERY:
        with _attached(con, path):
            built = build(con, settings, settings.now(), changed_at, dated, base=dated)
            if built:
                yield built, False
                return
    path.unlink(missing_ok=True)
    with _attached(con, path):
        built = build(con, settings, settings.now(), changed_at, dated)
        assert built is not None
        yield built, True


def _told(folder: Path) -> dict[str, Any]:
    """What the last publication told of itself; nothing when that cannot be read."""
    try:
        told = json.loads((folder / REFRESHED).read_text(encoding="utf-8"))
        return told if isinstance(told, dict) else {}
    except (OSError, ValueError):
        return {}


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
            build(con, settings, at, at)
        _fsync(path)
        path.replace(target)


def _copied(con: duckdb.DuckDBPyConnection, folder: Path, path: Path, told: Mapping[str, Any]) -> _Published | None:
    """Copy the published database to `path`, and tell what it holds; None when it, or a file beside it, may not be what the last
    publication told of."""
    try:
        if (folder / _SWAPPING).exists():
            return None
        shutil.copyfile(folder / MARTS, path)
        if (sha256 := _sha256(path)) != told.get("marts_sha256"):
            return None
        with _attached(con, path):
            built = read_built(con)
    except (OSError, duckdb.Error):
        return None
    stamps = told.get("parquet")
    return _Published(built, sha256, stamps if isinstance(stamps, dict) else {}) if built else None


@dataclass(frozen=True)
class _Content:
    """What one Parquet file holds: a table, or a month of it, with the rows and the hash of each of its parts."""

    table: str
    month: date | None
    parts: tuple[tuple[date | None, int, str], ...]


def _files(built: Built) -> dict[str, _Content]:
    """The Parquet files of a serving database, by their path in the folder."""
    found = {}
    for name, contract in served_contracts().items():
        parts = [(part.month, part.rows, part.content_hash) for part in built.parts if part.table == name and part.rows]
        if parts and _is_split(contract):
            found.update({f"{name}/{part[0]:%Y-%m}.parquet": _Content(name, part[0], (part,)) for part in parts})
        else:
            found[f"{name}/empty.parquet" if _is_split(contract) else f"{name}.parquet"] = _Content(name, None, tuple(parts))
    return found


def _is_split(contract: ContractModel) -> bool:
    """Whether a table has one Parquet file per month: those of days and hours, which grow by thousands of rows a day."""
    return is_monthly(contract) and facts_of(contract).period_column == "local_date"


def _withdrawn(folder: Path, files: Mapping[str, _Content], stamps: Mapping[str, str]) -> list[str]:
    """Parquet files that are not published any more; folders of others are left alone."""
    own = {Path(file).parent for file in (*files, *stamps)} | {Path()}
    found = (str(path.relative_to(folder)) for parent in own for path in (folder / parent).glob("*.parquet"))
    return sorted(file for file in found if file not in files)


def _stamp(path: Path) -> str:
    """Size and time of a file; empty when there is none."""
    try:
        facts = path.stat()
    except OSError:
        return ""
    return f"{facts.st_size}-{facts.st_mtime_ns}"


def _write_parquet(con: duckdb.DuckDBPyConnection, content: _Content, path: Path) -> None:
    """Write one file, in the order of the table's key."""
    table, contract = f"serving.main.{content.table}", served_contracts()[content.table]
    order = order_of(contract)
    if geometry.served_outline(con, table):
        geometry.write_geoparquet(con, table, order, path)
        return
    where = f"WHERE month = DATE '{content.month}'" if content.month else ""
    con.execute(f"COPY (FROM {table} {where} ORDER BY {order}) TO '{_quoted(path)}' (FORMAT parquet, COMPRESSION zstd)")


def _swap_in(folder: Path, build: Path, due: Sequence[str], withdrawn: Sequence[str]) -> str:
    """Put the new files in the places of the old; gives the hash of the database."""
    (folder / _SWAPPING).touch()
    _fsync(folder)
    for file in due:
        _fsync(_parquet_build(folder, file))
        (folder / file).parent.mkdir(exist_ok=True)
        _parquet_build(folder, file).replace(folder / file)
    for file in withdrawn:
        (folder / file).unlink(missing_ok=True)
    for parent in {(folder / file).parent for file in withdrawn} - {folder}:
        if not any(parent.iterdir()):
            parent.rmdir()
    _fsync(build)
    sha256 = _sha256(build)
    # A reader that opened the old file for writing may have left its log, which must never be replayed on the new one.
    (folder / f"{MARTS}.wal").unlink(missing_ok=True)
    build.replace(folder / MARTS)
    _fsync(folder)
    return sha256


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
