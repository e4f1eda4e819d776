"""Upkeep of the lake: proving that it is whole, expiring history, removing what nobody needs any more, merging small files.

Every step that changes the catalog is one transaction that commits only when all tables still hold the same rows. Nothing is
removed from disk within a day of becoming superfluous, so that readers of an older state finish undisturbed.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from groningen_data.errors import LakehouseError
from groningen_data.lakehouse import ledger
from groningen_data.lakehouse.connection import Lakehouse
from groningen_data.lakehouse.tables import existing_tables, transaction
from groningen_data.settings import Settings

GRACE = timedelta(days=1)
# DuckLake's own tables, next to an attached lake.
METADATA = "__ducklake_metadata_lake"

_SMALL_FILE_BYTES = 8 << 20
# Rows set aside have to leave the disk when their time is over: a merged file would keep them until its last row goes.
_NEVER_MERGED = ("quarantine", "staging")
_RESTORE = "nothing was removed; restore the latest backup (`groningen restore`) and refresh"


@dataclass(frozen=True)
class NamedFile:
    """A data or delete file that the catalog names: its table, its path within the files folder, its size in bytes."""

    table: str
    name: str
    size: int


@dataclass(frozen=True)
class Content:
    """What a table holds now: rows, and a sum over their hashes that is independent of their order."""

    rows: int
    checksum: int


@dataclass(frozen=True)
class MaintenanceReport:
    """What one round of upkeep found and did.

    Args:
        tables: Tables read from end to end.
        rows: Rows in them together.
        files: Files that the catalog named at the start; all were there.
        rejected_rows_dropped: Quarantined and staged rows past their retention.
        snapshots_expired: States that time travel can no longer reach.
        snapshots_kept: States that it still can.
        files_merged: Small files that became part of a larger one.
        files_removed: Superfluous files removed.
        orphans_removed: Files removed that the catalog never named.
        leftovers_removed: Working files of dead processes removed.
        seconds: How long it took.
    """

    tables: int
    rows: int
    files: int
    rejected_rows_dropped: int
    snapshots_expired: int
    snapshots_kept: int
    files_merged: int
    files_removed: int
    orphans_removed: int
    leftovers_removed: int
    seconds: float


def maintain(lakehouse: Lakehouse, now_real: datetime | None = None) -> MaintenanceReport:
    """Verify the lake and, when it is whole, tidy it up; readers go on meanwhile.

    Args:
        lakehouse: Which lake.
        now_real: The real time (UTC) from which retention counts back; the present moment when not given.

    Raises:
        LakehouseError: Nothing was published yet, a file is missing or broken, or a step would have changed the content of a
            table; nothing is removed then.
    """
    started = time.monotonic()
    settings, now = lakehouse.settings, now_real or datetime.now(UTC)
    _require(lakehouse)
    with lakehouse.writer("maintain") as con:
        files, contents = verify(con, lakehouse)
        dropped = _drop_rejected(con, now - timedelta(days=settings.rejected_retention_days))
        present = contents_of(con) if dropped else contents
        expired = _expire(con, present, now - timedelta(days=settings.snapshot_retention_days))
        removed = _remove_superfluous(con, lakehouse, now - GRACE)
        orphans = _remove_orphans(con, lakehouse, now - GRACE)
        leftovers = _remove_leftovers(settings, now - GRACE)
        # Last, for it only makes reading faster: should DuckLake ever refuse to merge, the rest is done.
        merged = _merge(con, present)
        kept = _number(con, "SELECT count(*) FROM lake.snapshots()")
    return MaintenanceReport(
        tables=len(contents),
        rows=sum(c.rows for c in contents.values()),
        files=len(files),
        rejected_rows_dropped=dropped,
        snapshots_expired=expired,
        snapshots_kept=kept,
        files_merged=merged,
        files_removed=removed,
        orphans_removed=orphans,
        leftovers_removed=leftovers,
        seconds=time.monotonic() - started,
    )


def drop_table(lakehouse: Lakehouse, table: str) -> None:
    """Remove a core or collective table with all that the ledger knows of it; the next refresh makes it again.

    It stays reachable by time travel as long as any other past state.

    Raises:
        LakehouseError: The lake has no such table.
    """
    _require(lakehouse)
    with lakehouse.writer(f"drop {table}") as con:
        known = [name for name in sorted(existing_tables(con)) if name.startswith(("core.", "collective."))]
        if table not in known:
            raise LakehouseError(table, "the lake has no such table", f"choose one of: {', '.join(known) or '(there are none)'}")
        staging = f"staging.{table.split('.', 1)[1]}"
        with transaction(con, f"drop {table}, to be made again"):
            con.execute(f"DROP TABLE lake.{table}")
            for ledger_table in ledger.TABLES:
                con.execute(f"DELETE FROM lake.{ledger_table} WHERE table_name = ?", [table])
            if staging in existing_tables(con):
                con.execute(f"DROP TABLE lake.{staging}")


def verify(con: duckdb.DuckDBPyConnection, lakehouse: Lakehouse) -> tuple[list[NamedFile], dict[str, Content]]:
    """Prove that the lake is whole: every file of every kept state is there, and every table can be read to the end.

    Args:
        con: A reader or writer of the lake.
        lakehouse: Whose connection it is.

    Returns:
        The files that the catalog names, and what each table holds.

    Raises:
        LakehouseError: A file is missing or has another size than recorded, or a table cannot be read or has another number
            of rows than recorded.
    """
    files = named_files(con)
    broken = [(file, problem) for file in files if (problem := _problem(lakehouse.files_dir / file.name, file.size))]
    if broken:
        file, problem = broken[0]
        others = f" (and {len(broken) - 1} more files are broken)" if len(broken) > 1 else ""
        raise LakehouseError(file.table, f"file {file.name} {problem}{others}", _RESTORE)
    contents = contents_of(con)
    recorded = _recorded_rows(con)
    for table, content in contents.items():
        if content.rows != recorded.get(table, 0):
            raise LakehouseError(table, f"holds {content.rows:,} rows, the catalog says {recorded.get(table, 0):,}", _RESTORE)
    return files, contents


def named_files(con: duckdb.DuckDBPyConnection) -> list[NamedFile]:
    """Every data and delete file that the catalog names, for the present state and for all kept past ones.

    Raises:
        LakehouseError: The catalog names a file of a table that it does not know.
    """
    # A table and a schema have a row per name they ever had; the folder stays that of the first.
    rows = con.execute(
        f"""
        WITH files AS (
            SELECT table_id, path, path_is_relative, file_size_bytes FROM {METADATA}.ducklake_data_file
            UNION ALL
            SELECT table_id, path, path_is_relative, file_size_bytes FROM {METADATA}.ducklake_delete_file
        ), tables AS (
            SELECT DISTINCT ON (table_id) * FROM {METADATA}.ducklake_table ORDER BY table_id, begin_snapshot DESC
        ), schemas AS (
            SELECT DISTINCT ON (schema_id) * FROM {METADATA}.ducklake_schema ORDER BY schema_id, begin_snapshot DESC
        )
        SELECT s.schema_name || '.' || t.table_name, f.file_size_bytes,
            CASE WHEN NOT CAST(f.path_is_relative AS BOOLEAN) THEN f.path
                 WHEN NOT CAST(t.path_is_relative AS BOOLEAN) THEN t.path || f.path
                 ELSE s.path || t.path || f.path END AS name
        FROM files AS f LEFT JOIN tables AS t USING (table_id) LEFT JOIN schemas AS s USING (schema_id)
        ORDER BY 1, 3
        """
    ).fetchall()
    if any(name is None for _, _, name in rows):
        raise LakehouseError("catalog", "names files of tables that it does not know", _RESTORE)
    return [NamedFile(table, name, size) for table, size, name in rows]


def contents_of(con: duckdb.DuckDBPyConnection) -> dict[str, Content]:
    """What every table of the lake holds, read from end to end.

    Raises:
        LakehouseError: A table cannot be read.
    """
    contents = {}
    for table in sorted(existing_tables(con)):
        try:
            row = con.execute(f"SELECT count(*), coalesce(sum(CAST(hash(t) AS HUGEINT)), 0) FROM lake.{table} AS t").fetchone()
        except duckdb.Error as error:
            raise LakehouseError(table, f"cannot be read ({str(error).splitlines()[0]})", _RESTORE) from None
        contents[table] = Content(*row)  # type: ignore[misc]
    return contents


def _require(lakehouse: Lakehouse) -> None:
    if not lakehouse.exists:
        with lakehouse.reader():
            pass


def _problem(path: Path, size: int) -> str | None:
    try:
        found = path.stat().st_size
    except OSError:
        return "is missing"
    return None if found == size else f"has {found:,} bytes, the catalog says {size:,}"


def _recorded_rows(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    rows = con.execute(
        f"""
        WITH data AS (
            SELECT table_id, sum(record_count) AS n FROM {METADATA}.ducklake_data_file WHERE end_snapshot IS NULL GROUP BY ALL
        ), deleted AS (
            SELECT d.table_id, sum(d.delete_count) AS n FROM {METADATA}.ducklake_delete_file AS d
            JOIN {METADATA}.ducklake_data_file AS f USING (data_file_id)
            WHERE d.end_snapshot IS NULL AND f.end_snapshot IS NULL GROUP BY ALL
        )
        SELECT s.schema_name || '.' || t.table_name, data.n - coalesce(deleted.n, 0)
        FROM data JOIN {METADATA}.ducklake_table AS t USING (table_id) JOIN {METADATA}.ducklake_schema AS s USING (schema_id)
        LEFT JOIN deleted ON deleted.table_id = data.table_id
        WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL
        """
    ).fetchall()
    return {table: int(n) for table, n in rows}


def _drop_rejected(con: duckdb.DuckDBPyConnection, cutoff: datetime) -> int:
    """Drop quarantined and staged rows of verdicts before the cutoff."""
    with transaction(con, "drop quarantined and staged rows past their retention"):
        dropped = _number(con, "DELETE FROM lake.quarantine.rows WHERE quarantined_at < ?", cutoff)
        for table in [t for t in sorted(existing_tables(con)) if t.startswith("staging.")]:
            dropped += _number(
                con,
                f"DELETE FROM lake.{table} WHERE _batch_key NOT IN (SELECT batch_key FROM lake.ops.batches "
                "WHERE split_part(table_name, '.', 2) = ? AND finished_at >= ?)",
                table.split(".", 1)[1],
                cutoff,
            )
    return dropped


def _expire(con: duckdb.DuckDBPyConnection, contents: Mapping[str, Content], cutoff: datetime) -> int:
    """Expire the states that ended before the cutoff; the one that stood at the cutoff stays, and so does the present one."""
    old = con.execute(
        "SELECT snapshot_id, snapshot_id = (SELECT max(snapshot_id) FROM lake.snapshots()) AS is_present FROM lake.snapshots() "
        "WHERE snapshot_time < ? ORDER BY snapshot_time, snapshot_id",
        [cutoff],
    ).fetchall()
    versions = [str(version) for version, is_present in old[:-1] if not is_present]
    if versions:
        with _unchanged(con, "expire old states", contents):
            con.execute(f"CALL ducklake_expire_snapshots('lake', versions => [{', '.join(versions)}])").fetchall()
    return len(versions)


def _remove_superfluous(con: duckdb.DuckDBPyConnection, lakehouse: Lakehouse, cutoff: datetime) -> int:
    """Remove files that no kept state needs, and have not needed since before the cutoff."""
    call = "CALL ducklake_cleanup_old_files('lake', older_than => CAST('{}' AS TIMESTAMPTZ){})"
    planned = {Path(path) for (path,) in con.execute(call.format(cutoff.isoformat(), ", dry_run => true")).fetchall()}
    for file in named_files(con):
        if lakehouse.files_dir / file.name in planned:
            raise LakehouseError(file.table, f"file {file.name} is in use and was about to be removed", _RESTORE)
    if planned:
        con.execute(call.format(cutoff.isoformat(), "")).fetchall()
    return len(planned)


def _remove_orphans(con: duckdb.DuckDBPyConnection, lakehouse: Lakehouse, cutoff: datetime) -> int:
    """Remove files that the catalog does not name: a killed transaction leaves them. Only the lock's holder writes any."""
    known = {lakehouse.files_dir / file.name for file in named_files(con)}
    waiting = con.execute(f"SELECT path FROM {METADATA}.ducklake_files_scheduled_for_deletion").fetchall()
    known |= {lakehouse.files_dir / path for (path,) in waiting}
    orphans = [
        path
        for path in lakehouse.files_dir.rglob("*")
        if path.is_file() and path not in known and path.stat().st_mtime < cutoff.timestamp()
    ]
    for path in orphans:
        path.unlink()
    return len(orphans)


def _remove_leftovers(settings: Settings, cutoff: datetime) -> int:
    """Remove working files of dead processes. Staged rows belong to a writer, and the only writer is this one, which has none."""
    removed = 0
    for path in settings.scratch_dir.iterdir():
        is_leftover = path.name.startswith("scratch-")
        if not is_leftover:
            is_leftover = _last_touched(path) < cutoff.timestamp() and not _is_alive(path.name.removeprefix("spill-"))
        if is_leftover:
            _remove(path)
            removed += 1
    return removed


def _last_touched(path: Path) -> float:
    return max((p.stat().st_mtime for p in (path, *path.rglob("*"))), default=0.0)


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for child in path.iterdir():
            _remove(child)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def _merge(con: duckdb.DuckDBPyConnection, contents: Mapping[str, Content]) -> int:
    """Merge the small files of every table; one table at a time, so that dropped ones are left out."""

    merged = 0
    with _unchanged(con, "merge small files", contents):
        for table in contents:
            schema, name = table.split(".", 1)
            if schema not in _NEVER_MERGED:
                arguments = f"'lake', '{name}', schema => '{schema}', max_file_size => {_SMALL_FILE_BYTES}"
                statement = f"SELECT coalesce(sum(files_processed), 0) FROM ducklake_merge_adjacent_files({arguments})"
                merged += _number(con, statement)
    return merged


@contextmanager
def _unchanged(con: duckdb.DuckDBPyConnection, step: str, before: Mapping[str, Content]) -> Iterator[None]:
    """Run what follows in one transaction, which is undone when any table then holds anything else than before."""
    with transaction(con, step):
        yield
        after = contents_of(con)
        differing = sorted(table for table in before.keys() | after.keys() if before.get(table) != after.get(table))
        if differing:
            raise LakehouseError(
                differing[0], f"{step} would have changed its rows, and was undone", "report this with the version of DuckLake"
            )


def _number(con: duckdb.DuckDBPyConnection, statement: str, *values: object) -> int:
    row = con.execute(statement, list(values)).fetchone()
    return int(row[0]) if row else 0
