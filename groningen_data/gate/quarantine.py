"""Looking at what the gate kept back: rejected batches and quarantined rows; showing, exporting and replaying them."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from groningen_data.errors import GroningenError
from groningen_data.lakehouse import Lakehouse

_FORMATS = {".csv": "(FORMAT CSV, HEADER)", ".parquet": "(FORMAT PARQUET)", ".json": "(FORMAT JSON, ARRAY)"}


@dataclass(frozen=True)
class KeptBack:
    """One batch of which something was kept back: all of it (rejected), or some rows (published)."""

    table: str
    key: str
    outcome: str
    rows_in: int
    quarantined: int
    reason: str
    finished_at: datetime


def kept_back(lakehouse: Lakehouse, table: str | None = None) -> list[KeptBack]:
    """Batches whose latest verdict kept something back, rejected ones first."""
    with lakehouse.reader() as con:
        rows = con.execute(
            "SELECT table_name, batch_key, outcome, rows_in, rows_quarantined, reason, finished_at FROM lake.ops.batches "
            "WHERE table_name = coalesce(?, table_name) "
            "QUALIFY row_number() OVER (PARTITION BY table_name, batch_key ORDER BY finished_at DESC, batch_id DESC) = 1 "
            "AND (outcome = 'rejected' OR rows_quarantined > 0) ORDER BY outcome <> 'rejected', table_name, batch_key",
            [table],
        ).fetchall()
    return [KeptBack(*row) for row in rows]


def rows_of(lakehouse: Lakehouse, table: str, key: str, limit: int = 20) -> list[dict[str, Any]]:
    """Quarantined rows of a batch: row number, rules, key in words and the original row.

    Raises:
        GroningenError: Nothing is quarantined for that batch.
    """
    with lakehouse.reader() as con:
        rows = con.execute(
            "SELECT row_number, rules, row_key, original FROM lake.quarantine.rows "
            "WHERE table_name = ? AND batch_key = ? ORDER BY row_number LIMIT ?",
            [table, key, limit],
        ).fetchall()
    if not rows:
        raise _nothing(table, key)
    return [{"row": n, "rules": rules, "key": shown, "original": _parsed(original)} for n, rules, shown, original in rows]


def export(lakehouse: Lakehouse, table: str, key: str, target: Path) -> int:
    """Write all quarantined rows of a batch to a CSV, Parquet or JSON file.

    Returns:
        How many rows were written.

    Raises:
        GroningenError: The file's ending is none of these, it exists, or nothing is quarantined for that batch.
    """
    if target.suffix not in _FORMATS:
        raise GroningenError(str(target), "has no ending that says what to write", f"end it in {', '.join(_FORMATS)}")
    if not target.parent.is_dir():
        raise GroningenError(str(target), "lies in no folder that exists", "make the folder first, or name another")
    if target.exists():
        raise GroningenError(str(target), "exists already", "name a new file")
    with lakehouse.reader() as con:
        con.execute(
            "CREATE TEMP TABLE exported AS SELECT * FROM lake.quarantine.rows WHERE table_name = ? AND batch_key = ? "
            "ORDER BY row_number",
            [table, key],
        )
        count = con.execute("SELECT count(*) FROM exported").fetchone()
        if count is None or not count[0]:
            raise _nothing(table, key)
        path = str(target).replace("'", "''")
        con.execute(f"COPY exported TO '{path}' {_FORMATS[target.suffix]}")
        return int(count[0])


def _nothing(table: str, key: str) -> GroningenError:
    return GroningenError(f"{table} {key}", "has no quarantined rows", "`groningen quarantine list` shows which batches do")


def _parsed(original: str) -> Any:
    try:
        return json.loads(original)
    except ValueError:
        return original
