"""The tables of the serving database, part by part: a month of a monthly table, or all of another.

A part is made anew when the ledger says that the lake's changed; the others stay as they were published. Exact figures never reach
the database: what is read of the lake goes through `protect`.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile

import duckdb

from groningen_data import __version__
from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import ContractModel, columns_of, facts_of, sql_types
from groningen_data.lakehouse.ledger import EVERY_MONTH
from groningen_data.lakehouse.tables import columns_by_table
from groningen_data.serving import geometry
from groningen_data.serving.dictionary import TABLES, Dictionary, insert_rows, write_comments
from groningen_data.serving.protect import is_monthly, protected_select, served_columns
from groningen_data.serving.rules import rules_hash
from groningen_data.settings import Settings

_UNKNOWN = ""
_MONTHS_AT_ONCE = 12


@dataclass(frozen=True)
class Part:
    """One part of a served table.

    Args:
        table: Its short name.
        month: The first day of the month; None for a table that is one part.
        version: Changes with the batches that were ever published of it; empty when the ledger has none.
        rows: Rows that are served of it.
        content_hash: Hash of those rows, whatever their order.
    """

    table: str
    month: date | None
    version: str
    rows: int
    content_hash: str


@dataclass(frozen=True)
class Built:
    """What a serving database holds.

    Args:
        content_hash: Hash of all of it, but for when and how it was made.
        content_changed_at: When that changed (UTC).
        as_of: The platform's clock at that time (UTC).
        made_with: Changes when every table must be made anew.
        made_whole_at: When all parts were last made anew (UTC).
        parts: Its parts.
    """

    content_hash: str
    content_changed_at: datetime
    as_of: datetime
    made_with: str
    made_whole_at: datetime
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


@dataclass(frozen=True)
class Lake:
    """The attached lake as relations with the columns of today's contracts, whatever its tables were like when they were written.

    Args:
        con: A connection with it.
        columns: What it has: per table its columns and their types.
        rows: How many rows each of its tables has.
    """

    con: duckdb.DuckDBPyConnection
    columns: Mapping[str, Mapping[str, str]]
    rows: Mapping[str, int]

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection) -> "Lake":
        columns = columns_by_table(con)
        # In one statement, and of the tables as they are: with their columns named, those without rows take most of the time.
        counts = [f"SELECT '{table}', count(*) FROM lake.{table}" for table in columns if table in all_contracts()]
        return cls(con, columns, dict(con.execute(" UNION ALL ".join(counts)).fetchall() if counts else []))

    def relation(self, table: str, types: Mapping[str, str], former: Mapping[str, str] | None = None) -> str:
        """A table with exactly these columns.

        Columns it does not have are NULL, unless it has them under a former name; a table the lake does not have is empty.
        """
        existing = self.columns.get(table, {})
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

    def exact(self, contract: ContractModel) -> str:
        """The table of a contract, unprotected."""
        former = {new: column.renamed_from for new, column in columns_of(contract).items() if column.renamed_from}
        return self.relation(facts_of(contract).name, sql_types(contract), former)

    def served(self, contract: ContractModel, months: Sequence[date | None] = ()) -> str:
        """What is served of a table, or of some of its months."""
        exact = self.exact(contract)
        return protected_select(contract, f"(FROM {exact} {_where(months)})" if any(months) else exact)


def served_contracts() -> dict[str, ContractModel]:
    """The contracts of what is served, by the name that readers know."""
    return {facts_of(c).short_name: c for c in all_contracts().values() if facts_of(c).served}


def made_with(lake: Lake) -> str:
    """What a serving database of a lake would be made with; see `Built`."""
    parts: list[object] = [__version__, duckdb.__version__, rules_hash()]
    parts += [lake.served(contract) for contract in served_contracts().values()]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def read_built(con: duckdb.DuckDBPyConnection) -> Built | None:
    """What the attached database `serving` says of itself; None when it says too little, as one of an earlier version does."""
    try:
        columns = "content_hash, content_changed_at, as_of, made_with, made_whole_at"
        (facts,) = con.execute(f"SELECT {columns} FROM serving.dictionary.refresh").fetchall()
        parts = "SELECT table_name, month, version, rows, content_hash FROM serving.dictionary.parts ORDER BY table_name, month"
        rows = con.execute(parts).fetchall()
    except (duckdb.Error, ValueError):
        return None
    return Built(facts[0], facts[1], facts[2], facts[3], facts[4], tuple(Part(*row) for row in rows))


def build(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    now: datetime,
    changed_at: datetime,
    published: Built | None = None,
    base: Built | None = None,
) -> Built | None:
    """Bring the attached database `serving` up to date with the attached lake, in one transaction.

    Args:
        con: A connection with both.
        settings: The settings of this process.
        now: The platform's clock (UTC).
        changed_at: The real time (UTC), noted down when the content changed.
        published: What is published now, if that is known: content that is the same keeps its date.
        base: What the database holds; None when it is empty.

    Returns:
        What it holds then; None when it must be made anew, from an empty one.

    Raises:
        ContractError: A contract cannot be served safely.
    """
    # Without it, rows would not be stored in the order of their keys.
    con.execute("SET preserve_insertion_order = true")
    con.execute("BEGIN")
    try:
        lake = Lake.of(con)
        how = made_with(lake)
        if base and base.made_with != how:
            con.execute("ROLLBACK")
            return None
        dictionary = Dictionary(all_contracts(), lake.relation, lake.rows, now)
        parts: list[Part] = []
        with dictionary.ledger_at_hand(con):
            if base:
                con.execute("DROP SCHEMA serving.dictionary CASCADE")
            dictionary.write(con, "serving")
            versions = dictionary.versions(con)
            for name, contract in served_contracts().items():
                if not base:
                    _create(lake, name, contract)
                earlier = [part for part in base.parts if part.table == name] if base else []
                parts += _update(lake, name, contract, versions.get(facts_of(contract).name, {}), earlier)
        content_hash = _content_hash(con, settings, parts)
        made_whole_at = base.made_whole_at if base else changed_at
        if published and published.content_hash == content_hash:
            changed_at, now = published.content_changed_at, published.as_of
        built = Built(content_hash, changed_at, now, how, made_whole_at, tuple(parts))
        insert_rows(con, "serving.dictionary.parts", [[p.table, p.month, p.version, p.rows, p.content_hash] for p in parts])
        told = [settings.municipality_code, settings.profile, __version__]
        refresh = [built.content_changed_at, built.as_of, *told, content_hash, how, built.made_whole_at]
        insert_rows(con, "serving.dictionary.refresh", [refresh])
    except BaseException:
        con.execute("ROLLBACK")
        raise
    con.execute("COMMIT")
    return built


def _create(lake: Lake, name: str, contract: ContractModel) -> None:
    facts = facts_of(contract)
    meanings = {c: f"{f.title_en} [{f.unit}]" if f.unit else f.title_en for c, f in served_columns(contract).items()}
    lake.con.execute(f"CREATE TABLE serving.main.{name} AS {_ready(lake, contract)} LIMIT 0")
    write_comments(lake.con, f"serving.main.{name}", f"{facts.title_en} ({facts.title_nl}): {facts.grain}", meanings)


def _ready(lake: Lake, contract: ContractModel, months: Sequence[date | None] = ()) -> str:
    """What is served of a table, with the connection able to run it."""
    if any(geometry.is_outline(column) for column in columns_of(contract)):
        geometry.load(lake.con)
    return lake.served(contract, months)


def _update(
    lake: Lake, name: str, contract: ContractModel, versions: Mapping[str | None, str], earlier: Sequence[Part]
) -> list[Part]:
    """Make the parts of a table anew that changed, and give all of them in order of month.

    Months after one that changed are written once more, so that rows stay in the order of the months.
    """
    con, target, monthly = lake.con, f"serving.main.{name}", is_monthly(contract)
    wanted: dict[date | None, str] = {None: versions.get(None, _UNKNOWN)}
    if monthly:
        always = versions.get(EVERY_MONTH, "")
        months = sorted(month for month in versions if month and month != EVERY_MONTH)
        wanted = {date.fromisoformat(f"{month}-01"): versions[month] + always for month in months}
    pairs = zip(earlier, wanted.items(), strict=False)
    kept = [part for part, _ in takewhile(lambda pair: pair[0].version and (pair[0].month, pair[0].version) == pair[1], pairs)]
    missing = list(wanted)[len(kept) :]
    if gone := earlier[len(kept) :]:
        con.execute(f"DELETE FROM {target} {_where([part.month for part in gone])}")
    rows = lake.rows.get(facts_of(contract).name, 0)
    for start in range(0, len(missing) if rows else 0, _MONTHS_AT_ONCE):
        con.execute(f"INSERT INTO {target} {_ready(lake, contract, missing[start : start + _MONTHS_AT_ONCE])}")
    made = _measured(con, name, missing, wanted, monthly) if rows else [Part(name, of, wanted[of], 0, "") for of in missing]
    parts = kept + made
    if sum(part.rows for part in parts) != rows:
        # The lake has rows of which the ledger does not tell the month.
        con.execute(f"DELETE FROM {target}")
        con.execute(f"INSERT INTO {target} {_ready(lake, contract)}")
        parts = _measured(con, name, None, {}, monthly)
    return parts


def _measured(
    con: duckdb.DuckDBPyConnection,
    name: str,
    months: Sequence[date | None] | None,
    versions: Mapping[date | None, str],
    monthly: bool,
) -> list[Part]:
    """The parts of some months, or of all that have rows (None), as they are in the serving database; in order of month."""
    if months is not None and not months:
        return []
    months = months or []
    month = "month" if monthly else "CAST(NULL AS DATE)"
    rows = con.execute(
        f"SELECT {month}, count(*), CAST(sum(CAST(hash(t) AS HUGEINT)) AS VARCHAR) FROM serving.main.{name} AS t {_where(months)} "
        f"{'GROUP BY month' if monthly else ''}"
    ).fetchall()
    found = {of: (count, content or "") for of, count, content in rows}
    return [Part(name, of, versions.get(of, _UNKNOWN), *found.get(of, (0, ""))) for of in sorted({*months, *found}, key=str)]


def _where(months: Iterable[date | None]) -> str:
    """Of a table in one part, or of which all is wanted, there is no month to name."""
    named = sorted(f"DATE '{month}'" for month in months if month)
    # The bounds are what the lake finds files by.
    return f"WHERE month BETWEEN {named[0]} AND {named[-1]} AND month IN ({', '.join(named)})" if named else ""


def _content_hash(con: duckdb.DuckDBPyConnection, settings: Settings, parts: Sequence[Part]) -> str:
    tables = con.execute(
        "SELECT schema_name, table_name, t.comment, list((column_name, data_type, c.comment) ORDER BY column_index) "
        "FROM duckdb_tables() AS t JOIN duckdb_columns() AS c USING (database_name, schema_name, table_name) "
        "WHERE database_name = 'serving' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    found: list[object] = [settings.municipality_code, settings.profile, settings.as_of, __version__, duckdb.__version__]
    found += [(part.table, part.month, part.rows, part.content_hash) for part in parts]
    for name in TABLES:
        table = f"serving.dictionary.{name}"
        found.append(con.execute(f"SELECT count(*), sum(CAST(hash(t, rowid) AS HUGEINT)) FROM {table} AS t").fetchone())
    return hashlib.sha256(repr((tables, found)).encode()).hexdigest()
