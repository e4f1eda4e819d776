"""A lake in memory, without history or suites: core tables put in by hand or read from payloads, and the marts made from them."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from assets import all_recipes, all_sources
from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import facts_of, polars_schema, sql_types
from groningen_data.errors import PayloadError
from groningen_data.gate.derive import analysed, mart_sql
from groningen_data.gate.judge import judge
from groningen_data.gate.plan import SNAPSHOT
from groningen_data.gate.recipe import MONTH_VARIABLE, BuildContext, Feed, Recipe
from groningen_data.landing import Landing
from groningen_data.settings import Settings

Rows = Iterable[dict[str, Any]]
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


class MemoryLake:
    """Every table of the contracts, without rows until they are put in, read or made."""

    def __init__(self, settings: Settings, covers: Callable[[str], bool] = lambda source: True) -> None:
        self.settings, self.covers = settings, covers
        self.con = duckdb.connect()
        self._sql: dict[str, str] = {}
        self.con.execute("ATTACH ':memory:' AS lake")
        for schema in ("core", "collective", "ops"):
            self.con.execute(f"CREATE SCHEMA lake.{schema}")
        for name, contract in all_contracts().items():
            columns = ", ".join(f'"{column}" {kind}' for column, kind in sql_types(contract).items())
            self.con.execute(f"CREATE TABLE lake.{name} ({columns})")
        self.con.execute("USE lake")

    def clear(self) -> None:
        """Take all rows out of all tables."""
        for name in all_contracts():
            self.con.execute(f"TRUNCATE lake.{name}")

    def put(self, table: str, rows: pl.DataFrame | Rows) -> None:
        """Add rows to a table; columns that are not given are null."""
        if not isinstance(rows, pl.DataFrame):
            rows = list(rows)
            given = {name: dtype for name, dtype in polars_schema(all_contracts()[table]).items() if rows and name in rows[0]}
            rows = pl.DataFrame(rows, schema=given)
        self.con.register("rows_to_put", rows.to_arrow())
        self.con.execute(f"INSERT INTO lake.{table} BY NAME FROM rows_to_put")
        self.con.unregister("rows_to_put")

    def make(self, table: str, *months: str) -> None:
        """Make a derived table, or the months of it that start on these days."""
        recipe = all_recipes()[table]
        if recipe.analysis:
            if recipe.facts.load_mode == SNAPSHOT:
                frames = list(analysed(self.con, recipe, self.settings, self.covers, {}))
                self.con.execute(f"TRUNCATE lake.{table}")
                for frame in frames:
                    self.put(table, frame)
            for month in months:
                self.con.execute(f"SET VARIABLE {MONTH_VARIABLE} = DATE '{month}'")
                for frame in list(analysed(self.con, recipe, self.settings, self.covers, {})):
                    self.put(table, frame)
            return
        if table not in self._sql:
            self._sql[table] = mart_sql(self.con, recipe, self.settings, self.covers)
        sql = self._sql[table]
        if not months:
            self.con.execute(f"INSERT INTO lake.{table} BY NAME {sql}")
        for month in months:
            self.con.execute(f"SET VARIABLE {MONTH_VARIABLE} = DATE '{month}'")
            self.con.execute(f"INSERT INTO lake.{table} BY NAME {sql}")

    def read(self, settings: Settings, *tables: str) -> None:
        """Fill core tables from the payloads of the settings, with the parsers and the contracts of the gate."""
        landing, recipes = Landing(settings.landing_dir), all_recipes()
        for source in {feed.source.name for table in tables for feed in recipes[table].feeds}:
            all_sources()[source].fetch(settings, landing)
        for table in tables:
            for feed in recipes[table].feeds:
                self._read(settings, landing, recipes[table], feed)

    def _read(self, settings: Settings, landing: Landing, recipe: Recipe, feed: Feed) -> None:
        payloads = landing.payloads(feed.source.name)
        is_whole = recipe.facts.load_mode != "partition"
        keys = {SNAPSHOT if is_whole else key for payload in payloads for key in payload.batches}
        context = BuildContext(settings, lambda table: self.con.cursor().execute(f"SELECT * FROM lake.{table}").pl())
        for key in sorted(filter(feed.takes, keys)):
            members = [payload for payload in payloads if (payload.batches if is_whole else key in payload.batches)]
            members.sort(key=lambda payload: (payload.arrival_for(None if is_whole else key).at, payload.sha256))
            try:
                frame = pl.concat(list(feed.parse(members, key, context)))
                judged = judge(recipe.contract, frame)
            except PayloadError:
                continue
            if judged.quarantined.height > recipe.facts.tolerance * frame.height:
                continue
            rows = judged.accepted.unique(maintain_order=True)
            self.put(recipe.facts.name, rows.unique(facts_of(recipe.contract).key, keep="none"))

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.con.execute(sql, list(values)).fetchall()

    def one(self, sql: str, *values: Any) -> tuple[Any, ...]:
        [row] = self.ask(sql, *values)
        return row


def at(local: str, *, later: bool = False) -> datetime:
    """The instant of a local clock time in Groningen; `later`: of an hour that comes twice, the second."""
    return datetime.fromisoformat(local).replace(tzinfo=AMSTERDAM, fold=int(later)).astimezone(UTC)


def instants(first: datetime, step: timedelta, count: int) -> list[datetime]:
    return [first + n * step for n in range(count)]


def local(instant: datetime) -> dict[str, Any]:
    """The columns that say what the local calendar and clock say at an instant."""
    clock = instant.astimezone(AMSTERDAM)
    return {"local_date": clock.date(), "local_hour": clock.hour, "weekday": clock.isoweekday()}
