"""The dictionary of the serving database: what exists, what it means, how fresh and how good it is, and where it comes from.

Written from the contracts and the ledger into schema `dictionary`. Exact figures about people never appear here: where a
table counts people, check results are given without the observed value.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import polars as pl

from groningen_data.contracts.base import ContractModel, columns_of, facts_of, sql_types
from groningen_data.errors import ContractError
from groningen_data.lakehouse.ledger import TABLES as LEDGER_TABLES
from groningen_data.lakehouse.ledger import published_by_month
from groningen_data.serving.protect import counts_people, is_protected, protected_row_count, served_columns

BATCH_KEYS_OF_QUALITY = 60

# Per table: what it is, and per column its type and meaning.
TABLES: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "tables": (
        "Every table of the lakehouse, served or not",
        {
            "name": ("VARCHAR", "Name of the table; of a served table, its name in this database"),
            "lake_name": ("VARCHAR", "Name in the lakehouse, with its layer; as in dictionary.lineage"),
            "is_served": ("BOOLEAN", "Whether the table is in this database"),
            "title_nl": ("VARCHAR", "Dutch title"),
            "title_en": ("VARCHAR", "English title"),
            "description": ("VARCHAR", "What the table tells"),
            "grain": ("VARCHAR", "What one row is"),
            "owner": ("VARCHAR", "Who answers for the table"),
            "purpose": ("VARCHAR", "What the table is for"),
            "legal_basis": ("VARCHAR", "On what ground the data is processed"),
            "classification": ("VARCHAR", "public, internal or confidential"),
            "reason_not_public": ("VARCHAR", "Why the table is not public"),
            "retention": ("VARCHAR", "How long it is kept"),
            "licence": ("VARCHAR", "Licence of the source"),
            "freshness_days": ("INTEGER", "Days after which a published batch is stale"),
            "rows": ("BIGINT", "Rows in the lakehouse; protected where rows are people"),
            "published_at": ("TIMESTAMP WITH TIME ZONE", "When a batch was last published (UTC)"),
            "is_fresh": ("BOOLEAN", "Whether that is recent enough"),
        },
    ),
    "columns": (
        "Every column of every table",
        {
            "table_name": ("VARCHAR", "Name as in dictionary.tables"),
            "column_name": ("VARCHAR", "Name of the column"),
            "position": ("INTEGER", "Place in the table, from 1"),
            "title_nl": ("VARCHAR", "Dutch title"),
            "title_en": ("VARCHAR", "English title"),
            "unit": ("VARCHAR", "Unit"),
            "type": ("VARCHAR", "SQL type"),
            "personal_data": ("VARCHAR", "none, statistic, pseudonym, personal or special"),
            "is_protected": ("BOOLEAN", "Whether small and telling counts are suppressed and others rounded"),
            "minimum": ("INTEGER", "Counts below this, zero included, are suppressed"),
            "round_to": ("INTEGER", "Counts are rounded to the nearest multiple of this"),
        },
    ),
    "quality": (
        f"Last verdict of every check, for the last {BATCH_KEYS_OF_QUALITY} batches of each table",
        {
            "table_name": ("VARCHAR", "Name as in dictionary.tables"),
            "batch_key": ("VARCHAR", "Which batch: a day, a delivery, a region"),
            "check_name": ("VARCHAR", "Name of the check"),
            "severity": ("VARCHAR", "error: a failed batch is not published; warning: it is, and this says so"),
            "is_passed": ("BOOLEAN", "Verdict"),
            "observed": ("VARCHAR", "What was seen; left out where the table counts people"),
            "sentence": ("VARCHAR", "What the check means"),
            "evaluated_at": ("TIMESTAMP WITH TIME ZONE", "When (UTC)"),
        },
    ),
    "batches": (
        "Latest verdict over every batch",
        {
            "table_name": ("VARCHAR", "Name as in dictionary.tables"),
            "batch_key": ("VARCHAR", "Which batch"),
            "outcome": ("VARCHAR", "published, unchanged or rejected"),
            "rows_in": ("BIGINT", "Rows that came in"),
            "rows_accepted": ("BIGINT", "Rows accepted"),
            "rows_quarantined": ("BIGINT", "Rows set apart because they break the contract"),
            "rows_collapsed": ("BIGINT", "Exact duplicates that were dropped"),
            "reason": ("VARCHAR", "Why it was rejected; left out where the table counts people"),
            "finished_at": ("TIMESTAMP WITH TIME ZONE", "When (UTC)"),
        },
    ),
    "lineage": (
        "What every table was made of",
        {
            "table_name": ("VARCHAR", "Name as in dictionary.tables"),
            "input_kind": ("VARCHAR", "Kind of input"),
            "input_name": ("VARCHAR", "Which input; a table by its lake_name"),
        },
    ),
    "refresh": (
        "Which refresh made this database; one row",
        {
            "content_changed_at": ("TIMESTAMP WITH TIME ZONE", "When the content last changed (UTC)"),
            "as_of": ("TIMESTAMP WITH TIME ZONE", "The platform's clock at that time (UTC)"),
            "municipality_code": ("VARCHAR", "Municipality that the lakehouse describes"),
            "profile": ("VARCHAR", "Where the payloads came from"),
            "version": ("VARCHAR", "Version of groningen-data"),
            "content_hash": ("VARCHAR", "Hash of everything else in this database, but for when and how it was made"),
            "made_with": ("VARCHAR", "Changes when every table must be made anew: other contracts, protection or versions"),
            "made_whole_at": ("TIMESTAMP WITH TIME ZONE", "When all parts were last made anew (UTC)"),
        },
    ),
    "parts": (
        "The parts that a publication makes anew when their table changed: a month of a monthly table, or all of another",
        {
            "table_name": ("VARCHAR", "Name as in dictionary.tables"),
            "month": ("DATE", "First day of the month; empty for a table that is one part"),
            "version": ("VARCHAR", "Changes with the batches that were ever published of it; empty when the ledger has none"),
            "rows": ("BIGINT", "Rows in this database"),
            "content_hash": ("VARCHAR", "Hash of those rows, whatever their order"),
        },
    ),
}

_LEDGER_USED = ("ops.batches", "ops.checks", "ops.lineage")

LakeRelation = Callable[[str, Mapping[str, str]], str]


@dataclass(frozen=True)
class Dictionary:
    """What the dictionary is written from.

    Args:
        contracts: Every contract by table name.
        relation: SQL of a lake table with the given columns and types; empty when the lake does not have it.
        rows: Rows of every table that the lake has, exactly.
        now: The clock against which freshness is judged (UTC).
    """

    contracts: Mapping[str, ContractModel]
    relation: LakeRelation
    rows: Mapping[str, int]
    now: datetime

    def write(self, con: duckdb.DuckDBPyConnection, database: str) -> None:
        """Create schema `dictionary` in an attached database and fill it; `refresh` and `parts` are left empty.

        The ledger must be at hand.

        Raises:
            ContractError: Two tables of different layers have the same short name.
        """
        self._require_unique_names()
        con.execute(f"CREATE SCHEMA {database}.dictionary")
        for name, (comment, columns) in TABLES.items():
            target = f"{database}.dictionary.{name}"
            con.execute(f"CREATE TABLE {target} ({', '.join(f'{column} {kind}' for column, (kind, _) in columns.items())})")
            write_comments(con, target, comment, {column: meaning for column, (_, meaning) in columns.items()})
        insert_rows(con, f"{database}.dictionary.tables", self._tables(con))
        insert_rows(con, f"{database}.dictionary.columns", [row for c in self.contracts.values() for row in _columns(c)])
        gated = {name for (name,) in con.execute(f"SELECT DISTINCT table_name FROM {_ledger('ops.batches')}").fetchall()}
        for name in (name for name in self.contracts if name in gated):
            for table, select in self._ledger_selects(self.contracts[name]).items():
                con.execute(f"INSERT INTO {database}.dictionary.{table} {select}", [name])

    @contextmanager
    def ledger_at_hand(self, con: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """The ledger in temporary tables: the lake has a small file for every batch."""
        for table in _LEDGER_USED:
            # Sorted, for otherwise DuckDB keeps a buffer for each file to hold on to their order, which takes all its memory after
            # a thousand batches.
            ledger = self.relation(table, LEDGER_TABLES[table])
            con.execute(f"CREATE OR REPLACE TEMP TABLE {_ledger(table)} AS FROM {ledger} ORDER BY ALL")
        yield
        for table in _LEDGER_USED:
            con.execute(f"DROP TABLE {_ledger(table)}")

    def versions(self, con: duckdb.DuckDBPyConnection) -> dict[str, dict[str | None, str]]:
        """By table, what all its published batches make together (None), and those about each month (`2026-03`; `*` is every month).

        Not the newest batch: clocks can be set back. The ledger must be at hand.
        """
        rows = con.execute(
            "SELECT table_name, month, md5(string_agg(batch_id, ' ' ORDER BY batch_id)) "
            f"FROM {published_by_month(_ledger('ops.batches'))} GROUP BY table_name, month"
        ).fetchall()
        found: dict[str, dict[str | None, str]] = {}
        for table, month, version in rows:
            found.setdefault(table, {})[month] = version
        return found

    def _require_unique_names(self) -> None:
        owners: dict[str, str] = {}
        for name, contract in self.contracts.items():
            other = owners.setdefault(facts_of(contract).short_name, name)
            if other != name:
                raise ContractError(name, f"has the same short name as {other}", "rename one of them")

    def _tables(self, con: duckdb.DuckDBPyConnection) -> list[list[Any]]:
        counts = [protected_row_count(c, f"CAST({self.rows.get(name, 0)} AS BIGINT)") for name, c in self.contracts.items()]
        rows = con.execute(f"SELECT {', '.join(counts)}").fetchone() or ()
        published = con.execute(
            "SELECT table_name, max(finished_at), date_diff('second', max(finished_at), ?) / 86400 "
            f"FROM {_ledger('ops.batches')} WHERE outcome = 'published' GROUP BY table_name",
            [self.now],
        ).fetchall()
        ages = {table: (at, age_days) for table, at, age_days in published}
        return [
            self._table(contract, count, *ages.get(name, (None, None)))
            for (name, contract), count in zip(self.contracts.items(), rows, strict=True)
        ]

    def _table(
        self, contract: ContractModel, rows: int | None, published_at: datetime | None, age_days: float | None
    ) -> list[Any]:
        facts = facts_of(contract)
        return [
            facts.short_name,
            facts.name,
            facts.served,
            facts.title_nl,
            facts.title_en,
            inspect.cleandoc(contract.__doc__ or ""),
            facts.grain,
            facts.owner,
            facts.purpose,
            facts.legal_basis,
            facts.classification,
            facts.reason_not_public or None,
            facts.retention,
            facts.licence or None,
            facts.freshness_days,
            rows,
            published_at,
            age_days is not None and age_days <= facts.freshness_days,
        ]

    def _ledger_selects(self, contract: ContractModel) -> dict[str, str]:
        facts = facts_of(contract)
        name, hides_figures = f"'{facts.short_name}' AS table_name", counts_people(contract)
        counts = ", ".join(
            f"{protected_row_count(contract, column)} AS {column}"
            for column in ("rows_in", "rows_accepted", "rows_quarantined", "rows_collapsed")
        )
        return {
            "quality": (
                f"SELECT {name}, batch_key, check_name, severity, is_passed, {'NULL' if hides_figures else 'observed'}, "
                f"sentence, evaluated_at FROM {_ledger('ops.checks')} WHERE table_name = ? QUALIFY batch_id = "
                "first_value(batch_id) OVER (PARTITION BY batch_key ORDER BY evaluated_at DESC, batch_id DESC) "
                f"AND dense_rank() OVER (ORDER BY batch_key DESC) <= {BATCH_KEYS_OF_QUALITY} ORDER BY batch_key, check_name"
            ),
            "batches": (
                f"SELECT {name}, batch_key, outcome, {counts}, {'NULL' if hides_figures else 'reason'}, finished_at "
                f"FROM {_ledger('ops.batches')} WHERE table_name = ? QUALIFY "
                "row_number() OVER (PARTITION BY batch_key ORDER BY finished_at DESC, batch_id DESC) = 1 ORDER BY batch_key"
            ),
            "lineage": (
                f"SELECT DISTINCT {name}, input_kind, input_name FROM {_ledger('ops.lineage')} WHERE table_name = ? "
                "ORDER BY input_kind, input_name"
            ),
        }


def _ledger(table: str) -> str:
    return f"temp.{table.replace('.', '_')}"


def _columns(contract: ContractModel) -> list[list[Any]]:
    facts, types = facts_of(contract), sql_types(contract)
    columns = served_columns(contract) if facts.served else columns_of(contract)
    rate_names = {rate.name for rate in facts.rates}
    rows: list[list[Any]] = []
    for position, (name, column) in enumerate(columns.items(), start=1):
        kind = "BIGINT" if column.protection else types.get(name, "DOUBLE" if name in rate_names else "VARCHAR")
        protection = column.protection
        limits = [protection.minimum, protection.round_to] if protection else [None, None]
        titles = [column.title_nl, column.title_en, column.unit, kind, column.personal_data]
        rows.append([facts.short_name, name, position, *titles, is_protected(contract, name), *limits])
    return rows


def write_comments(con: duckdb.DuckDBPyConnection, table: str, comment: str, columns: Mapping[str, str]) -> None:
    """Put comments on a table of an attached database and on its columns."""
    con.execute(f"COMMENT ON TABLE {table} IS {_literal(comment)}")
    for name, meaning in columns.items():
        con.execute(f'COMMENT ON COLUMN {table}."{name}" IS {_literal(meaning)}')


def insert_rows(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows of values in one statement."""
    if rows:
        # As parameters of a statement they would take twenty times as long.
        frame = pl.DataFrame(rows, orient="row", infer_schema_length=None)
        con.register("rows_to_insert", frame.to_arrow())
        con.execute(f"INSERT INTO {table} FROM rows_to_insert")
        con.unregister("rows_to_insert")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
