"""Opening DuckDB connections with the lake attached; the only place that knows where the catalog and its files are."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from groningen_data.errors import LakehouseError
from groningen_data.extensions import ENGINE, load_extension
from groningen_data.lakehouse.ledger import ensure_ledger
from groningen_data.lakehouse.lock import WriterLock
from groningen_data.lakehouse.tables import transaction
from groningen_data.settings import Settings


@dataclass
class _Engine:
    """A connection of writers.

    Args:
        con: The connection.
        seen: What tells whether the attached lake is still the one that the last turn left: that turn of the writer's lock, and a stamp
            of the catalog's file at its end. None while no lake is attached.
    """

    con: duckdb.DuckDBPyConnection
    seen: tuple[str | None, str] | None = None


# Engines of writers that are done, by the lake's folder and what else they were opened with.
_SPARE_ENGINES: dict[tuple[Path, str], _Engine] = {}

SCHEMAS = ("core", "collective", "quarantine", "staging", "ops")


@dataclass(frozen=True)
class Lakehouse:
    """The lake of one data folder.

    `reader` opens as many connections as wanted; `writer` one at a time per data folder. In both, the lake is attached
    as `lake`, with the schemas core, collective, quarantine, staging and ops.
    """

    settings: Settings

    @property
    def exists(self) -> bool:
        """Whether anything was ever written (a PostgreSQL catalog counts once its files folder is there)."""
        return self.sqlite_path.is_file() if self.sqlite_path else self.files_dir.is_dir()

    @property
    def files_dir(self) -> Path:
        return self.settings.lake_dir / "files"

    @property
    def sqlite_path(self) -> Path | None:
        """The catalog's file; None when the catalog is in PostgreSQL."""
        return None if self._postgres_uri else self.settings.lake_dir / "catalog.sqlite"

    @property
    def _postgres_uri(self) -> str | None:
        return self.settings.catalog_uri.get_secret_value() if self.settings.catalog_uri else None

    @property
    def catalog_extension(self) -> str:
        return "postgres_scanner" if self._postgres_uri else "sqlite_scanner"

    @property
    def catalog_attachment(self) -> str:
        """What DuckDB attaches to reach the catalog's own tables: `sqlite:…` or `postgres:…`; holds credentials."""
        return f"postgres:{self._postgres_uri}" if self._postgres_uri else f"sqlite:{self.sqlite_path}"

    @contextmanager
    def reader(self, at: datetime | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that can only read the lake; with `at`, as it was at that instant.

        Raises:
            LakehouseError: Nothing was published yet, or not at that instant.
        """
        if not self.exists:
            raise self._nothing_published()
        with self._connect() as con:
            options = ["READ_ONLY"]
            if at is not None:
                options.append(f"SNAPSHOT_TIME '{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f+00}'")
            try:
                self._attach(con, options)
            except duckdb.Error as error:
                if at is None or "No snapshot found" not in str(error):
                    raise
                raise self._no_state(at) from None
            if not _has_layers(con):
                raise self._nothing_published() if at is None else self._no_state(at)
            yield con

    def _no_state(self, at: datetime) -> LakehouseError:
        return LakehouseError(
            "lakehouse",
            f"there is no state of {at.isoformat()}",
            "choose a later instant: history starts with this data folder's first refresh, in real time",
        )

    @contextmanager
    def writer(self, purpose: str, on_wait: Callable[[str], None] = lambda told: None) -> Iterator[duckdb.DuckDBPyConnection]:
        """The one writing connection.

        Args:
            purpose: What for; shown to whoever waits for the lock.
            on_wait: Hears whom this writer has to wait for.

        Raises:
            LakehouseError: Another writer held the lock longer than `writer_wait_s`; the message says who.
        """
        with WriterLock(self.settings, on_wait).held(purpose) as turn, self._engine() as engine:
            con = engine.con
            if engine.seen != (turn.before, self._catalog_stamp()):
                self._attach_to_write(engine)
            yield con
            # Ends what was left half read; where a transaction was left open, this is an error.
            con.execute("BEGIN")
            con.execute("ROLLBACK")
            if self.sqlite_path:
                engine.seen = turn.name, self._catalog_stamp()
            else:
                # A server may close what nobody uses.
                con.execute("DETACH lake")
                engine.seen = None

    @contextmanager
    def untouched(self, purpose: str) -> Iterator[None]:
        """The writer's lock without a connection, for what opens the catalog's file by another library than DuckDB's.

        SQLite's locks do not hold between two libraries in one process, so no engine of this process may still have the file open.

        Raises:
            LakehouseError: A writer held the lock longer than `writer_wait_s`; the message says who.
        """
        with WriterLock(self.settings).held(purpose):
            for key in [key for key in list(_SPARE_ENGINES) if key[0] == self.settings.lake_dir]:
                _SPARE_ENGINES.pop(key).con.close()
            yield

    def _catalog_stamp(self) -> str:
        """Changes when another file is put in the place of the catalog's, with or without a turn of the lock."""
        try:
            facts = self.sqlite_path.stat() if self.sqlite_path else None
        except OSError:
            return ""
        return f"{facts.st_dev}-{facts.st_ino}-{facts.st_size}-{facts.st_mtime_ns}" if facts else ""

    def _attach_to_write(self, engine: _Engine) -> None:
        con = engine.con
        if engine.seen:
            con.execute("DETACH lake")
        self.files_dir.mkdir(parents=True, exist_ok=True)
        self._attach(con, [])
        if not _has_layers(con):
            with transaction(con, "create the layers and the ledger"):
                for schema in SCHEMAS:
                    con.execute(f"CREATE SCHEMA IF NOT EXISTS lake.{schema}")
                ensure_ledger(con)

    @contextmanager
    def catalog(self, read_only: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the catalog's own tables, attached as `catalog`, without the lake; SQLite files can be attached too.

        Raises:
            LakehouseError: The PostgreSQL catalog cannot be reached.
        """
        with self._connect() as con:
            load_extension(con, "sqlite_scanner")
            try:
                con.execute(f"ATTACH '{quoted(self.catalog_attachment)}' AS catalog{' (READ_ONLY)' if read_only else ''}")
            except duckdb.Error as error:
                raise self._attach_error(error) from None
            yield con

    def create_catalog(self) -> None:
        """Make the catalog's own tables where there are none yet; for restore, which fills them and holds the lock.

        Raises:
            LakehouseError: The PostgreSQL catalog cannot be reached.
        """
        with self._connect() as con:
            self._attach(con, [])

    @contextmanager
    def _engine(self) -> Iterator[_Engine]:
        """The engine of a writer, kept for the next one when all went well.

        With a catalog in SQLite the lake stays attached as well, as long as nobody else held the lock in between: reading what tables
        there are takes longer than most of what a writer then asks.
        """
        settings = self.settings
        options = (settings.scratch_dir, settings.memory_limit_mb, settings.threads, self.catalog_extension)
        key = (settings.lake_dir, repr(options))
        engine = _SPARE_ENGINES.pop(key, None) or _Engine(self._open())
        try:
            yield engine
        except BaseException:
            # Closing ends whatever transaction an error left open; detaching would fail on it and hide the error.
            engine.con.close()
            raise
        if _SPARE_ENGINES.setdefault(key, engine) is not engine:
            engine.con.close()

    @contextmanager
    def _connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        con = self._open()
        try:
            yield con
        finally:
            con.close()

    def _open(self) -> duckdb.DuckDBPyConnection:
        scratch = self.settings.scratch_dir
        scratch.mkdir(parents=True, exist_ok=True)
        con = duckdb.connect(
            config={
                **ENGINE,
                "memory_limit": f"{self.settings.memory_limit_mb}MB",
                "threads": self.settings.threads,
                "temp_directory": str(scratch / f"spill-{os.getpid()}"),
                "preserve_insertion_order": False,
            }
        )
        # For all of its cursors as well.
        con.execute("SET GLOBAL TimeZone = 'UTC'")
        for extension in (self.catalog_extension, "ducklake"):
            load_extension(con, extension)
        return con

    def _attach(self, con: duckdb.DuckDBPyConnection, options: list[str]) -> None:
        options = [*options, f"DATA_PATH '{quoted(self.files_dir)}/'", "OVERRIDE_DATA_PATH TRUE", "DATA_INLINING_ROW_LIMIT 0"]
        if self._postgres_uri is None:
            self.settings.lake_dir.mkdir(parents=True, exist_ok=True)
            options.append("META_JOURNAL_MODE 'WAL'")
        try:
            con.execute(f"ATTACH 'ducklake:{quoted(self.catalog_attachment)}' AS lake ({', '.join(options)})")
        except duckdb.Error as error:
            raise self._attach_error(error) from None

    def _attach_error(self, error: duckdb.Error) -> Exception:
        """The error to raise instead: DuckDB's own may quote the PostgreSQL URI, whole or in part."""
        text = str(error)
        if self._postgres_uri is None or "No snapshot found" in text:
            return error
        if "creating a new DuckLake is explicitly disabled" in text:
            return self._nothing_published()
        return LakehouseError("catalog", "the PostgreSQL catalog cannot be reached", "check GRONINGEN_CATALOG_URI and the server")

    def _nothing_published(self) -> LakehouseError:
        return LakehouseError("lakehouse", f"nothing was published yet in {self.settings.data_dir}", "run `make refresh` first")


@contextmanager
def reading(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Several reads in one transaction: otherwise the lake looks up its catalog again for each of them."""
    con.execute("BEGIN")
    try:
        yield
    finally:
        con.execute("ROLLBACK")


def is_usable(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether statements can be run: not after one that failed ended a transaction."""
    try:
        con.execute("SELECT 1")
        return True
    except duckdb.Error:
        return False


def quoted(text: str | Path) -> str:
    """A text for use between single quotes in SQL."""
    return str(text).replace("'", "''")


def _has_layers(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the first writer already created the layers: it attaches an empty lake a moment before."""
    sql = "SELECT 1 FROM duckdb_schemas() WHERE database_name = 'lake' AND schema_name = 'ops'"
    return con.execute(sql).fetchone() is not None
