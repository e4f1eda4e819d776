"""Backup and restore: the catalog, the files that it names and the landing, together and proven whole.

A backup has the layout of a data folder plus a manifest, and its catalog is always SQLite, so that it can be restored to either
kind of catalog. What is made anew from these (serving, the sample city, scratch) is left out.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import duckdb

from groningen_data import __version__
from groningen_data.errors import LakehouseError
from groningen_data.lakehouse.connection import Lakehouse, quoted
from groningen_data.lakehouse.maintenance import verify
from groningen_data.settings import Settings

MANIFEST = "manifest.json"
FORM = 1

_CATALOG = "lake/catalog.sqlite"
_FILES = "lake/files"
_LANDING = "landing"
_CHUNK = 1 << 20
_OTHER_BACKUP = "restore from another backup; nothing was changed"


@dataclass(frozen=True)
class BackupReport:
    """What one backup holds.

    Args:
        target: Its folder.
        files: Files in it, the manifest left out.
        size: Their bytes together.
        tables: Tables in the catalog.
        rows: Rows in them together, at the present state.
        payloads: Landed payloads.
        seconds: How long it took.
    """

    target: Path
    files: int
    size: int
    tables: int
    rows: int
    payloads: int
    seconds: float


@dataclass(frozen=True)
class RestoreReport:
    """What one restore brought back.

    Args:
        source: The backup's folder.
        made_at: When the backup was made.
        files: Files restored.
        tables: Tables, each proven to hold the rows that the manifest says.
        rows: Rows in them together, at the present state.
        seconds: How long it took.
    """

    source: Path
    made_at: datetime
    files: int
    tables: int
    rows: int
    seconds: float


@dataclass(frozen=True)
class _Entry:
    """A file of a backup as the manifest describes it."""

    size: int
    sha256: str


def backup(lakehouse: Lakehouse, target: Path) -> BackupReport:
    """Copy the lake and the landing to a new folder; writers wait meanwhile, readers do not.

    It is written to `<target>.partial` (a leftover of an earlier attempt is removed) and renamed when it is complete.

    Args:
        lakehouse: What to copy.
        target: A folder that does not exist yet, outside of the lake and the landing.

    Raises:
        LakehouseError: The target exists, nothing was published yet, or the lake or the landing is broken.
    """
    started = time.monotonic()
    settings, target = lakehouse.settings, target.expanduser().resolve()
    _refuse_target(settings, target)
    partial = target.with_name(f"{target.name}.partial")
    with lakehouse.untouched(f"backup to {target.name}"), lakehouse.reader() as con:
        _refuse_target(settings, target)
        named, contents = verify(con, lakehouse)
        shutil.rmtree(partial, ignore_errors=True)
        try:
            # Only for its maker: it holds what is confidential, outside of the data folder's own protection.
            partial.mkdir(parents=True, mode=0o700)
            entries = {f"{_FILES}/{f.name}": _copy(lakehouse.files_dir / f.name, partial / _FILES / f.name) for f in named}
            payloads = 0
            for path, sha256 in _landed(settings.landing_dir):
                name = path.relative_to(settings.landing_dir).as_posix()
                entry = entries[f"{_LANDING}/{name}"] = _copy(path, partial / _LANDING / name)
                payloads += sha256 is not None
                if sha256 not in (None, entry.sha256):
                    raise _landing_error(path, "is damaged")
            _copy_catalog(lakehouse, partial / _CATALOG)
            entries[_CATALOG] = _entry(partial / _CATALOG)
            manifest = {
                "form": FORM,
                "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "software": __version__,
                "duckdb": duckdb.__version__,
                "municipality_code": settings.municipality_code,
                "tables": {table: content.rows for table, content in contents.items()},
                "files": {name: {"size": e.size, "sha256": e.sha256} for name, e in sorted(entries.items())},
            }
            (partial / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
            for path in (partial / MANIFEST, *(p for p in partial.rglob("*") if p.is_dir()), partial):
                _fsync(path)
            partial.rename(target)
            _fsync(target.parent)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return BackupReport(
        target=target,
        files=len(entries),
        size=sum(e.size for e in entries.values()),
        tables=len(contents),
        rows=sum(c.rows for c in contents.values()),
        payloads=payloads,
        seconds=time.monotonic() - started,
    )


def restore(settings: Settings, source: Path, force: bool = False) -> RestoreReport:
    """Bring a backup back into the data folder and the catalog of the settings, whichever these were when it was made.

    The catalog comes last and changes in one go: until then the lake is what it was. Payloads that landed after the backup
    stay, so that a refresh takes them in again; files of the replaced lake become orphans, which `maintain` removes. The
    serving database is not touched: publish it anew.

    Args:
        settings: Where to.
        source: A folder that `backup` made.
        force: Replace a lake that is there already.

    Raises:
        LakehouseError: The backup is incomplete or damaged, or there is a lake already; nothing was changed then. Or the
            restored lake is not what the manifest says.
    """
    started = time.monotonic()
    lakehouse, source = Lakehouse(settings), source.expanduser().resolve()
    manifest, entries = _manifest(source)
    for name, entry in entries.items():
        _check(source, name, entry)
    with lakehouse.untouched(f"restore of {source.name}"):
        if not force:
            _refuse_occupied(lakehouse)
        for name in entries:
            if name != _CATALOG:
                _replace(source / name, settings.data_dir / name)
        lakehouse.files_dir.mkdir(parents=True, exist_ok=True)
        _restore_catalog(lakehouse, source)
        with lakehouse.reader() as con:
            _, contents = verify(con, lakehouse)
    found = {table: content.rows for table, content in contents.items()}
    for table in sorted(found.keys() | manifest["tables"].keys()):
        promised = manifest["tables"].get(table)
        if found.get(table) != promised:
            raise LakehouseError(table, f"holds {found.get(table)} rows, the manifest says {promised}", "restore another backup")
    return RestoreReport(
        source=source,
        made_at=datetime.fromisoformat(manifest["made_at"]),
        files=len(entries),
        tables=len(found),
        rows=sum(found.values()),
        seconds=time.monotonic() - started,
    )


def _refuse_target(settings: Settings, target: Path) -> None:
    if target.exists():
        raise LakehouseError("backup", f"{target} exists already", "choose a folder that does not exist yet")
    for folder in (settings.lake_dir, settings.landing_dir):
        if target.is_relative_to(folder):
            raise LakehouseError("backup", f"{target} lies within what is backed up", f"choose a folder outside of {folder}")


def _refuse_occupied(lakehouse: Lakehouse) -> None:
    settings = lakehouse.settings
    folders = (lakehouse.files_dir, settings.landing_dir)
    occupied = any(path.is_file() for folder in folders for path in folder.rglob("*"))
    if lakehouse.sqlite_path:
        occupied = occupied or lakehouse.sqlite_path.exists()
    else:
        with lakehouse.catalog() as con:
            occupied = occupied or bool(_ducklake_tables(con, "catalog"))
    if occupied:
        problem = f"there is a lake or a landing already in {settings.data_dir}, or its catalog is in use"
        raise LakehouseError("restore", problem, "choose another data folder, or replace it with `--force` after a backup of it")


def _landed(landing_dir: Path) -> Iterator[tuple[Path, str | None]]:
    """Every landed payload with the hash it is named by, and its facts beside it (None); what has no facts is not landed."""
    for facts in sorted(landing_dir.glob("*/*.json")):
        payload = facts.with_suffix("")
        if not payload.is_file():
            raise _landing_error(payload, "is missing")
        yield payload, payload.name
        yield facts, None


def _landing_error(path: Path, problem: str) -> LakehouseError:
    way_out = "remove it and its .json from the landing and fetch it again, or restore an earlier backup"
    return LakehouseError(f"landing of {path.parent.name}", f"payload {path.name} {problem}", way_out)


def _copy_catalog(lakehouse: Lakehouse, target: Path) -> None:
    """Write the catalog to one SQLite file that names only what is backed up."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if lakehouse.sqlite_path:
        with closing(sqlite3.connect(lakehouse.sqlite_path)) as live, closing(sqlite3.connect(target)) as copy:
            live.backup(copy)
    else:
        with lakehouse.catalog() as own:
            own.execute(f"ATTACH 'ducklake:sqlite:{quoted(target)}' AS empty_lake (DATA_PATH '{quoted(target.parent)}/files/')")
            own.execute("DETACH empty_lake")
            own.execute(f"ATTACH 'sqlite:{quoted(target)}' AS copy")
            _fill(own, "catalog", "copy")
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("DELETE FROM ducklake_files_scheduled_for_deletion")
        copy.commit()
        copy.execute("PRAGMA journal_mode = DELETE")
        copy.execute("VACUUM")
    _fsync(target)


def _restore_catalog(lakehouse: Lakehouse, source: Path) -> None:
    """Make the catalog what the backup's is, in one transaction."""
    staged = lakehouse.settings.scratch_dir / f"scratch-restore-{os.getpid()}.sqlite"
    staged.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / _CATALOG, staged)
    try:
        with closing(sqlite3.connect(staged)) as copy:
            copy.execute("UPDATE ducklake_metadata SET value = ? WHERE key = 'data_path'", [f"{lakehouse.files_dir}/"])
            copy.commit()
        if lakehouse.sqlite_path:
            _overwrite_sqlite(staged, lakehouse.sqlite_path)
        else:
            lakehouse.create_catalog()
            with lakehouse.catalog(read_only=False) as con:
                con.execute(f"ATTACH 'sqlite:{quoted(staged)}' AS copy (READ_ONLY)")
                _fill(con, "copy", "catalog")
    finally:
        staged.unlink(missing_ok=True)


def _overwrite_sqlite(source: Path, live: Path) -> None:
    """Replace the content of a SQLite file in place: renaming over it would leave its readers with a foreign write-ahead log."""
    try:
        _copy_into(source, live)
    except sqlite3.DatabaseError:
        # What is there is no database any more, so nobody can be reading it.
        for suffix in ("", "-wal", "-shm"):
            live.with_name(live.name + suffix).unlink(missing_ok=True)
        _copy_into(source, live)


def _copy_into(source: Path, live: Path) -> None:
    with closing(sqlite3.connect(source)) as copy, closing(sqlite3.connect(live)) as target:
        copy.backup(target)
        # Readers may not switch it on themselves.
        target.execute("PRAGMA journal_mode = WAL")


def _fill(con: duckdb.DuckDBPyConnection, source: str, target: str) -> None:
    """Replace all rows of DuckLake's own tables in one attached database by those of another."""
    wanted, there = _ducklake_tables(con, source), _ducklake_tables(con, target)
    versions = [
        con.execute(f"SELECT value FROM {name}.ducklake_metadata WHERE key = 'version'").fetchone() for name in (source, target)
    ]
    if versions[0] != versions[1] or set(wanted) - set(there):
        raise LakehouseError(
            "catalog", f"its form {versions[0]} cannot be taken over into {versions[1]}", "use the release that made the backup"
        )
    con.execute("BEGIN")
    try:
        for table in there:
            con.execute(f"DELETE FROM {target}.{table}")
        for table in wanted:
            con.execute(f"INSERT INTO {target}.{table} BY NAME SELECT * FROM {source}.{table}")
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise


def _ducklake_tables(con: duckdb.DuckDBPyConnection, database: str) -> list[str]:
    rows = con.execute(
        "SELECT DISTINCT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name IN ('main', 'public') "
        "AND table_name LIKE 'ducklake\\_%' ESCAPE '\\' ORDER BY 1",
        [database],
    ).fetchall()
    return [r[0] for r in rows]


def _manifest(source: Path) -> tuple[dict[str, Any], dict[str, _Entry]]:
    try:
        manifest: dict[str, Any] = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
        entries = {name: _Entry(**facts) for name, facts in manifest["files"].items()}
        form, _, _ = manifest["form"], manifest["tables"].keys(), datetime.fromisoformat(manifest["made_at"])
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        problem = f"{source} holds no readable {MANIFEST}"
        raise LakehouseError("backup", problem, "name a folder that `groningen backup` made") from None
    if form != FORM:
        raise LakehouseError("backup", f"has form {form}, this release reads form {FORM}", "use the release that made it")
    for name in entries:
        if ".." in PurePosixPath(name).parts or not (name == _CATALOG or name.startswith((f"{_FILES}/", f"{_LANDING}/"))):
            raise LakehouseError("backup", f"its manifest names {name}, which does not belong in a backup", _OTHER_BACKUP)
    if _CATALOG not in entries:
        raise LakehouseError("backup", "its manifest names no catalog", _OTHER_BACKUP)
    return manifest, entries


def _check(source: Path, name: str, entry: _Entry) -> None:
    path = source / name
    if not path.is_file():
        raise LakehouseError("backup", f"{name} is missing", _OTHER_BACKUP)
    if _entry(path) != entry:
        raise LakehouseError("backup", f"{name} is damaged: it is not what the manifest describes", _OTHER_BACKUP)


def _entry(path: Path) -> _Entry:
    with path.open("rb") as stream:
        return _Entry(path.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest())


def _copy(source: Path, target: Path) -> _Entry:
    """Copy a file to stay: its bytes are on disk when this returns."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as stream, target.open("wb") as out:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return _Entry(size, digest.hexdigest())


def _replace(source: Path, target: Path) -> None:
    partial = target.with_name(f".partial-{os.getpid()}-{target.name}")
    _copy(source, partial)
    partial.replace(target)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
