"""What a data folder holds, and whether it adds up: every row of every batch, every landed payload, every table, nothing half made.

Reads only; whoever runs a drill compares the answers with those of a folder that nobody disturbed.
"""

import hashlib
from collections.abc import Collection
from pathlib import Path

import duckdb

from assets import all_recipes
from groningen_data.gate.plan import SNAPSHOT
from groningen_data.lakehouse import Lakehouse, ledger
from groningen_data.lakehouse.tables import existing_tables
from groningen_data.landing import Landing, last_at_each_place
from groningen_data.settings import Settings

Contents = dict[str, tuple[int, int]]

_SHIFT = 3.3e-9
"""Means of few values often lie at half a millionth, where their last digit would decide how they are rounded."""


def reconcile(settings: Settings, tables: Collection[str] | None = None) -> list[str]:
    """What does not add up, in sentences; nothing when all does.

    Args:
        settings: Of the data folder; nobody may be writing to it.
        tables: Those that were to be made; all by default.
    """
    lakehouse, landing = Lakehouse(settings), Landing(settings.landing_dir)
    if not lakehouse.exists:
        return ["there is no lake"]
    with lakehouse.reader() as con:
        problems = _batches(con)
        for name, recipe in all_recipes().items():
            if tables is None or name in tables:
                problems += [*_rows(con, name), *_payloads(con, landing, recipe)]
    return [*problems, *_damaged(settings), *_leftovers(settings)]


def _batches(con: duckdb.DuckDBPyConnection) -> list[str]:
    wrong = con.execute(
        "SELECT table_name, batch_key, outcome, rows_in, rows_accepted, rows_quarantined, rows_collapsed FROM lake.ops.batches "
        "WHERE rows_in <> rows_accepted + rows_quarantined + rows_collapsed"
    ).fetchall()
    unkept = con.execute(
        "SELECT b.table_name, b.batch_key, b.rows_quarantined, count(q.batch_id) FROM lake.ops.batches b LEFT JOIN "
        "lake.quarantine.rows q USING (batch_id) WHERE b.rows_quarantined > 0 AND b.batch_id IN (SELECT max_by(batch_id, "
        "(finished_at, batch_id)) FROM lake.ops.batches GROUP BY table_name, batch_key) GROUP BY ALL HAVING count(q.batch_id) <> "
        "b.rows_quarantined"
    ).fetchall()
    return [
        *(
            f"{t} {key} ({outcome}): {rows} rows came in, and {a} + {q} + {c} came out"
            for t, key, outcome, rows, a, q, c in wrong
        ),
        *(f"{t} {key}: {rows} rows quarantined, {kept} of them kept" for t, key, rows, kept in unkept),
    ]


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Whether a table holds what its published batches promise, no half batch and none twice."""
    promised = ledger.published_rows(con, table)
    if table not in existing_tables(con):
        return [f"{table}: {len(promised)} batches are published, and there is no table"] if promised else []
    held = con.execute(f"SELECT count(*) FROM lake.{table}").fetchone()
    if all_recipes()[table].facts.load_mode == "merge" or not held or held[0] == sum(promised.values()):
        return []
    return [f"{table}: holds {held[0]} rows, its batches promise {sum(promised.values())}"]


def _payloads(con: duckdb.DuckDBPyConnection, landing: Landing, recipe) -> list[str]:  # type: ignore[no-untyped-def]
    """Whether each landed payload is in the batches that it feeds, or in a rejection that says why it is in none."""
    table = recipe.facts.name
    made_of = dict(
        con.execute(
            "SELECT batch_key, max_by(payloads, (finished_at, batch_id)) FROM lake.ops.batches WHERE table_name = ? GROUP BY 1",
            [table],
        ).fetchall()
    )
    problems = []
    for feed in recipe.feeds:
        payloads = landing.payloads(feed.source.name)
        for place, payload in last_at_each_place(payloads).items():
            if payload.problem and payload.sha256 not in (made_of.get(f"payload {place}") or ()):
                problems.append(f"{table}: {place} of {feed.source.name} cannot be read, and nobody was told")
        for payload in payloads:
            keys = [SNAPSHOT] if recipe.facts.load_mode != "partition" and payload.batches else payload.batches
            lost = [key for key in keys if feed.takes(key) and payload.sha256 not in (made_of.get(key) or ())]
            problems += [f"{table} {key}: {payload.name} of {feed.source.name} landed and is not in the batch" for key in lost]
    return problems


def _damaged(settings: Settings) -> list[str]:
    """Payloads whose bytes are not what they are named by."""
    named = [path.with_suffix("") for path in settings.landing_dir.glob("*/*.json")]
    return [f"{path} is damaged" for path in named if not path.is_file() or _sha256(path) != path.name]


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _leftovers(settings: Settings) -> list[str]:
    parts = (path for folder in (settings.landing_dir, settings.serving_dir) for path in folder.rglob("*"))
    return [f"{path.relative_to(settings.data_dir)} is left over" for path in parts if "partial" in path.name and path.is_file()]


def contents(settings: Settings, tables: Collection[str] | None = None) -> Contents:
    """Rows of every table and what they say (the sum of their hashes): the same for the same rows in any order.

    Of means the last digits depend on the order in which threads add up: they count to a millionth.
    """
    found: Contents = {}
    with Lakehouse(settings).reader() as con:
        for name in sorted(existing_tables(con) & all_recipes().keys()):
            if tables is None or name in tables:
                found[name] = said_by(con, f"lake.{name}")
    served = settings.serving_dir / "marts.duckdb"
    if served.exists():
        with duckdb.connect(str(served), read_only=True) as con:
            for (name,) in con.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' ORDER BY 1").fetchall():
                found[f"served {name}"] = said_by(con, f'"{name}"')
    return found


def said_by(con: duckdb.DuckDBPyConnection, table: str, condition: str = "true") -> tuple[int, int]:
    """How many rows a table has, and the sum of their hashes."""
    columns = con.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    values = ", ".join(
        f'round("{name}" + {_SHIFT}, 6)' if kind in ("DOUBLE", "FLOAT") else f'"{name}"' for name, kind, *_ in columns
    )
    [(rows, said)] = con.execute(f"SELECT count(*), coalesce(sum(hash({values})), 0) FROM {table} WHERE {condition}").fetchall()
    return int(rows), int(said)


def differences(found: Contents, expected: Contents) -> list[str]:
    """Where tables differ from those of an undisturbed run, in sentences."""
    return [
        f"{name}: {_told(found.get(name))}, undisturbed {_told(expected.get(name))}"
        for name in sorted(found.keys() | expected.keys())
        if found.get(name) != expected.get(name)
    ]


def _told(rows: tuple[int, int] | None) -> str:
    return "is not there" if rows is None else f"{rows[0]:,} rows that say {rows[1] % 2**32:08x}"
