"""Analysts' SQL: on a locked, read-only connection to the served files, never on one that has the lake attached.

Starts fast: only DuckDB is imported, and the rest only for `at`, when a past state must first be extracted.
"""

import csv
import hashlib
import json
import math
import re
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import duckdb

from groningen_data.errors import GroningenError
from groningen_data.serving.rules import rules_hash

if TYPE_CHECKING:
    from groningen_data.settings import Settings

Format = Literal["table", "csv", "json"]

_AS_OF_FILES = 5
# Texts are shortened to the first of these lengths with which a table fits the screen.
_CELL_WIDTHS = (60, 40, 28)
_READING = {"SELECT", "EXPLAIN"}
_Config = dict[str, str | bool | int | float | list[str]]
_LOCKED_CONFIG: _Config = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    # Without a folder to spill to, a question that needs more memory than allowed ends with an error and writes nothing.
    "temp_directory": "",
}
_TABLES_SQL = """
WITH last_batch AS (
    SELECT table_name, count(*) AS checks, count(*) FILTER (is_passed) AS passed
    FROM dictionary.quality
    GROUP BY table_name, batch_key
    QUALIFY row_number() OVER (PARTITION BY table_name ORDER BY max(evaluated_at) DESC, batch_key DESC) = 1
), missing AS (SELECT table_name, count(*) AS batches FROM dictionary.batches WHERE outcome = 'rejected' GROUP BY table_name)
SELECT
    name,
    title_nl AS title,
    rows,
    published_at,
    CASE WHEN published_at IS NULL THEN 'no data' WHEN is_fresh THEN 'fresh' ELSE 'stale' END AS freshness,
    coalesce(passed || ' of ' || checks || ' passed', 'no checks') AS last_quality,
    coalesce(missing.batches, 0) AS batches_missing,
    is_served
FROM dictionary.tables
LEFT JOIN last_batch ON last_batch.table_name = name
LEFT JOIN missing ON missing.table_name = name
ORDER BY is_served DESC, name
"""
_COLUMNS_SQL = """
SELECT column_name AS name, type, title_nl, title_en, unit, is_protected, minimum, round_to
FROM dictionary.columns WHERE table_name = ? ORDER BY position
"""


class QueryError(GroningenError):
    """A question cannot be answered: it is not SQL, asks for what is not there or not allowed, or takes too much."""


@dataclass(frozen=True)
class Result:
    """The answer to a question.

    Args:
        columns: Names of the columns.
        rows: The rows, once.
        cut_at: The row limit, when there were more rows than that.
    """

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]
    cut_at: int | None = None


def query(settings: "Settings", sql: str, at: datetime | None = None) -> Result:
    """Answer SQL from the serving database.

    Several statements may be given, separated by semicolons; all run, the last one's rows are the result.

    Args:
        settings: Where the serving database is, and the limits on time, memory and rows.
        sql: Statements that read: SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE, PIVOT or EXPLAIN.
        at: Answer from everything served as it was in the lake at this instant (UTC when it names no zone).

    Raises:
        QueryError: The SQL is wrong, not allowed, or took too long; nothing was published yet.
        LakehouseError: With `at`: the lake has no state of that instant.
    """
    path = _as_of_file(settings, at if at.tzinfo else at.replace(tzinfo=UTC)) if at else _marts(settings)
    return _answer(settings, path, sql)


def tables(settings: "Settings", table: str | None = None) -> Result:
    """What there is: every table with rows, freshness and last quality; or, of one table, its columns.

    Raises:
        QueryError: There is no such table; nothing was published yet.
    """
    path = _marts(settings)
    if table is None:
        return _answer(settings, path, _TABLES_SQL)
    result = _answer(settings, path, _COLUMNS_SQL, [table])
    rows = list(result.rows)
    if not rows:
        known = ", ".join(row[0] for row in _answer(settings, path, "SELECT name FROM dictionary.tables ORDER BY name").rows)
        raise QueryError(table, "there is no such table", f"choose one of: {known}")
    return Result(result.columns, iter(rows))


def render(result: Result, format: Format, stream: IO[str], width: int | None = None) -> None:
    """Write a result; on stderr, a note when rows were cut off.

    Args:
        result: What to write; its rows are used up.
        format: `table` for people, `csv` (RFC 4180, a missing value is empty) or `json` (an array of objects).
        stream: Where to.
        width: Characters per line for `table`; the terminal's when not given, unlimited when `stream` is none.
    """
    if format == "csv":
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(result.columns)
        writer.writerows([_text(value) for value in row] for row in result.rows)
    elif format == "json":
        _write_json(result, stream)
    else:
        _write_table(result, stream, width or (shutil.get_terminal_size().columns if stream.isatty() else None))
    if result.cut_at is not None:
        print(
            f"Only the first {result.cut_at:,} rows are shown; narrow the question, or raise GRONINGEN_SQL_ROW_LIMIT.",
            file=sys.stderr,
        )


def _marts(settings: "Settings") -> Path:
    path = settings.serving_dir / "marts.duckdb"
    if not path.is_file():
        raise QueryError("serving database", f"nothing was published yet in {settings.serving_dir}", "run `make refresh` first")
    return path


def _answer(settings: "Settings", path: Path, sql: str, parameters: Sequence[Any] = ()) -> Result:
    with _locked(settings, path) as con:
        try:
            statements = _reading_statements(con, sql)
            with _time_limit(con, settings.sql_timeout_s):
                for statement in statements:
                    con.execute(statement, parameters)
                rows = con.fetchmany(settings.sql_row_limit + 1)
        except duckdb.Error as error:
            raise _explained(con, settings, error) from None
        columns = tuple(column[0] for column in con.description or ())
    limit = settings.sql_row_limit
    return Result(columns, iter(rows[:limit]), limit if len(rows) > limit else None)


@contextmanager
def _locked(settings: "Settings", path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can read one database file and nothing else, and cannot be talked out of it."""
    limits: _Config = {"memory_limit": f"{settings.memory_limit_mb}MB", "threads": settings.threads}
    # In memory first: DuckDB would give a process that still has the replaced file open that file again.
    con = duckdb.connect(config=_LOCKED_CONFIG | limits)
    try:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"ATTACH '{str(path).replace(chr(39), chr(39) * 2)}' AS marts (READ_ONLY)")
        con.execute("USE marts")
        con.execute("SET python_enable_replacements = false")
        con.execute("SET enable_external_access = false")
        con.execute("SET lock_configuration = true")
        yield con
    finally:
        con.close()


@contextmanager
def _time_limit(con: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, con.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _reading_statements(con: duckdb.DuckDBPyConnection, sql: str) -> list[duckdb.Statement]:
    statements = con.extract_statements(sql)
    if not statements:
        raise QueryError("groningen sql", "there is no statement to run", "give one, such as `FROM dictionary.tables`")
    for statement in statements:
        # PIVOT is taken apart into statements without text of their own, the first of which makes a temporary type.
        if statement.type.name not in _READING and statement.query.strip():
            raise QueryError(
                "groningen sql",
                f"{statement.query.split()[0].upper()} is not allowed: the serving database is read-only",
                "use SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE, PIVOT or EXPLAIN",
            )
    return statements


def _explained(con: duckdb.DuckDBPyConnection, settings: "Settings", error: duckdb.Error) -> QueryError:
    """A DuckDB error in terms of what the analyst can do about it."""
    text = str(error)
    problem = text.split("\n")[0].split(": ", 1)[-1]
    if isinstance(error, duckdb.InterruptException):
        return QueryError(
            "groningen sql",
            f"took longer than {settings.sql_timeout_s:g} s and was stopped",
            "narrow the question, or raise GRONINGEN_SQL_TIMEOUT_S",
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryError(
            "groningen sql",
            f"needs more memory than {settings.memory_limit_mb} MB",
            "narrow the question, or raise GRONINGEN_MEMORY_LIMIT_MB",
        )
    if isinstance(error, duckdb.PermissionException):
        return QueryError(
            "groningen sql",
            "files, folders and the network are not allowed here",
            "read the served tables; to combine them with a file of yours, open marts.duckdb in your own DuckDB",
        )
    if isinstance(error, duckdb.ParserException):
        return QueryError("groningen sql", _with_place(problem, text), "mend the SQL there")
    if "read-only" in text:
        return QueryError("groningen sql", "the serving database is read-only", "use SELECT; write to a database of your own")
    if problem.startswith(("Table with name", "Schema with name", "Catalog ")):
        known = con.execute(
            "SELECT string_agg(if(schema_name = 'main', '', schema_name || '.') || table_name, ', ' ORDER BY schema_name DESC, "
            "table_name) FROM duckdb_tables() WHERE database_name = 'marts'"
        ).fetchall()[0][0]
        named = re.search(r'Table with name "?([\w.]+)', problem)
        kept = con.execute(
            "SELECT lake_name, classification FROM dictionary.tables WHERE NOT is_served AND ? IN (name, lake_name)",
            [named.group(1) if named else ""],
        ).fetchall()
        if kept:
            problem = f"{kept[0][0]} ({kept[0][1]}) is not served: it stays inside the lakehouse"
        return QueryError("groningen sql", problem.rstrip("!"), f"the tables are: {known}")
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        return QueryError(
            "groningen sql",
            _with_place(problem.rstrip("!"), text),
            "`groningen tables <table>` gives a table's columns, with their meaning",
        )
    return QueryError("groningen sql", problem, "mend the SQL")


def _with_place(problem: str, text: str) -> str:
    """The problem with what DuckDB says about its place: the line, and its suggestions."""
    details = [line for line in text.split("\n")[1:] if line.startswith(("LINE ", "Candidate", "Did you mean"))]
    return "; ".join([problem, *details])


def _as_of_file(settings: "Settings", at: datetime) -> Path:
    """A database file with everything served as it was at an instant, extracted from the lake unless it is there already."""
    from groningen_data.lakehouse import Lakehouse

    folder = settings.serving_dir / "as-of"
    with Lakehouse(settings).reader(at=at) as con:
        ((snapshot, made_at),) = con.execute(
            "SELECT snapshot_id, epoch_us(snapshot_time) FROM lake.snapshots() "
            "WHERE snapshot_id = (SELECT id FROM lake.current_snapshot())"
        ).fetchall()
        path = folder / f"{snapshot}-{_state(settings, made_at)}.duckdb"
        if not path.is_file():
            from groningen_data.serving.publish import build_as_of

            build_as_of(con, settings, at, path)
    path.touch()
    for old in sorted(folder.glob("[0-9]*.duckdb"), key=lambda p: p.stat().st_mtime, reverse=True)[_AS_OF_FILES:]:
        old.unlink(missing_ok=True)
    return path


def _state(settings: "Settings", made_at: int) -> str:
    """Changes with whatever decides what an extracted state shows: the rules, and (by its time) which lake."""
    return hashlib.sha256(repr((made_at, settings.municipality_code, settings.profile, rules_hash())).encode()).hexdigest()[:16]


def _write_json(result: Result, stream: IO[str]) -> None:
    names = _distinct(result.columns)
    separator = "[\n "
    for row in result.rows:
        values = {name: _plain(value) for name, value in zip(names, row, strict=True)}
        stream.write(separator + json.dumps(values, ensure_ascii=False, allow_nan=False))
        separator = ",\n "
    stream.write("[]\n" if separator.startswith("[") else "\n]\n")


def _distinct(names: Iterable[str]) -> list[str]:
    """Names as keys of an object: the second `a` becomes `a_2`."""
    found: list[str] = []
    for name in names:
        number, key = 1, name
        while key in found:
            number += 1
            key = f"{name}_{number}"
        found.append(key)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return _text(value)


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return json.dumps(_plain(value), ensure_ascii=False) if isinstance(value, list | dict | tuple) else str(value)


def _write_table(result: Result, stream: IO[str], width: int | None) -> None:
    rows = [tuple(row) for row in result.rows]
    if result.columns == ("explain_key", "explain_value"):
        stream.writelines(f"{row[1].rstrip()}\n" for row in rows)
        return
    is_number = [
        any(row[i] is not None for row in rows)
        and all(row[i] is None or (isinstance(row[i], int | float | Decimal) and not isinstance(row[i], bool)) for row in rows)
        for i in range(len(result.columns))
    ]
    texts = [tuple(_cell(value) for value in row) for row in rows]
    for longest in _CELL_WIDTHS:
        cells = [tuple(_shortened(text, longest) for text in row) for row in texts]
        widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(result.columns)]
        fits = width is None or not cells or sum(widths) + 2 * (len(widths) - 1) <= width
        if fits:
            break
    if fits:
        _write_line(result.columns, widths, is_number, stream)
        _write_line(["-" * w for w in widths], widths, is_number, stream)
        for row in cells:
            _write_line(row, widths, is_number, stream)
    else:
        _write_records(result.columns, texts, stream)
    stream.write(f"({len(rows):,} row{'' if len(rows) == 1 else 's'})\n")


def _write_line(cells: Sequence[str], widths: Sequence[int], is_number: Sequence[bool], stream: IO[str]) -> None:
    aligned = [c.rjust(w) if right else c.ljust(w) for c, w, right in zip(cells, widths, is_number, strict=True)]
    stream.write("  ".join(aligned).rstrip() + "\n")


def _write_records(columns: Sequence[str], rows: Sequence[Sequence[str]], stream: IO[str]) -> None:
    """One line per value, for rows that are wider than the screen."""
    widest = max(len(name) for name in columns)
    for number, row in enumerate(rows, start=1):
        stream.write(f"-- {number} {'-' * widest}\n")
        stream.writelines(f"{f'{name:{widest}}  {cell}'.rstrip()}\n" for name, cell in zip(columns, row, strict=True))


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}{'Z' if value.tzinfo else ''}"
    return " ".join(_text(value).split("\n"))


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
