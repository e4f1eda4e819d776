"""A history of many years without gating each of its days: the same landing, tables and ledger, loaded in bulk.

Payloads land for real. Rows are loaded by the bare script, and for every batch that the planner finds, the ledger says that it was
published from these payloads with every check passed; a refresh then finds nothing to do. What differs from years of nights: files
are as large as if `groningen maintain` had just merged them, past states are not kept, no batch was ever rejected, and three slow
analyses that give few rows were made of the last months only.
`python -m benchmarks.history DATA` fills a data folder whose sample city is there.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from assets import all_recipes, all_sources
from benchmarks.bare import Bare
from groningen_data.contracts.base import sql_types
from groningen_data.gate.derive import definition_of, mart_sql
from groningen_data.gate.gate import CONTRACT_CHECK
from groningen_data.gate.plan import SNAPSHOT, BatchPlan, is_day, plan_derived_batches, plan_payload_batches
from groningen_data.gate.recipe import Recipe
from groningen_data.lakehouse import Lakehouse, ledger
from groningen_data.lakehouse.tables import ensure_table
from groningen_data.landing import Landing
from groningen_data.serving.publish import publish_serving
from groningen_data.settings import Settings, load_settings
from groningen_data.sources.deliveries import SortedDeliveries

_LAST_MONTHS = dict.fromkeys(
    ("collective.collection_backtest", "collective.container_hotspots", "collective.forecast_scores"), 13
)
_LEDGER = ("ops.batches", "ops.checks", "ops.lineage")


def fill(settings: Settings) -> None:
    """Land, load and record everything of the sample city in the data folder of these settings."""
    recipes, sources = all_recipes(), all_sources()
    landing = Landing.of(settings)
    deliveries = SortedDeliveries(sources.values(), settings, landing)
    for source in sources.values():
        source.fetch(settings, landing, deliveries=deliveries)
    with Lakehouse(settings).writer("history") as con:
        for recipe in recipes.values():
            ensure_table(con, recipe.contract)
    Bare(settings, settings.sample_dir, _LAST_MONTHS).load()
    order = TopologicalSorter({name: recipe.comes_after for name, recipe in recipes.items()}).static_order()
    with Lakehouse(settings).writer("history") as con:
        for number, name in enumerate(order):
            recipe = recipes[name]
            if recipe.is_derived:
                sql = mart_sql(con, recipe, settings, lambda name: sources[name].covers(settings)) if recipe.expression else None
                plans = plan_derived_batches(con, recipe, definition_of(recipe, settings, sql), ())
            else:
                plans = [plan for plan in plan_payload_batches(con, recipe, landing) if plan.unreadable is None]
            _record(con, recipe, plans, datetime.now(UTC) + timedelta(milliseconds=number))
    publish_serving(Lakehouse(settings))


def _record(con: duckdb.DuckDBPyConnection, recipe: Recipe, plans: list[BatchPlan], at: datetime) -> None:
    """Say in the ledger that these batches were published."""
    rows, months = _rows_per_batch(con, recipe), _months(con, recipe)
    found: dict[str, list[list[Any]]] = {table: [] for table in _LEDGER}
    for number, plan in enumerate(plans):
        head = [f"history-{recipe.facts.name}-{number:06}", recipe.facts.name, plan.key]
        count = rows.get(plan.key, 0)
        touched = [plan.key[:7]] if is_day(plan.key[:10]) else months
        payloads = [payload.sha256 for payload in plan.payloads]
        # A month of which the inputs say nothing has no rows, and was not published.
        outcome = "unchanged" if recipe.is_monthly and not count else "published"
        batch = [*head, plan.identity, outcome, count, count, 0, 0, "", "{}", touched, payloads, "history", at, at]
        found["ops.batches"].append(batch)
        found["ops.checks"] += [
            [*head, name, severity, True, "", 0.0, sentence, at] for name, severity, sentence in _checks(recipe)
        ]
        found["ops.lineage"] += [[*head, *line] for line in plan.lineage]
    for table, values in found.items():
        if values:
            frame = pl.DataFrame(values, schema=list(ledger.TABLES[table]), orient="row", infer_schema_length=None)
            con.register("recorded", frame.to_arrow())
            columns = ", ".join(f"CAST({name} AS {kind})" for name, kind in ledger.TABLES[table].items())
            con.execute(f"INSERT INTO lake.{table} SELECT {columns} FROM recorded")
            con.unregister("recorded")


def _checks(recipe: Recipe) -> Iterator[tuple[str, str, str]]:
    yield CONTRACT_CHECK, "error", "Every row keeps what the table promises."
    yield from ((e.name, e.severity, e.sentence) for e in recipe.suite)


def _rows_per_batch(con: duckdb.DuckDBPyConnection, recipe: Recipe) -> dict[str, int]:
    parts = [f'CAST("{name}" AS VARCHAR)' for name in recipe.facts.partition_columns]
    key = f"concat_ws('/', {', '.join(parts)})" if parts else f"'{SNAPSHOT}'"
    return dict(con.execute(f"SELECT {key} AS key, count(*) FROM lake.{recipe.facts.name} GROUP BY 1").fetchall())


def _months(con: duckdb.DuckDBPyConnection, recipe: Recipe) -> list[str]:
    """The months that batches without a day of their own are about."""
    date = recipe.facts.period_column or ("month" if sql_types(recipe.contract).get("month") == "DATE" else None)
    if date is None:
        return [ledger.EVERY_MONTH]
    months = con.execute(f"SELECT DISTINCT strftime(\"{date}\", '%Y-%m') FROM lake.{recipe.facts.name} ORDER BY 1").fetchall()
    return [month for (month,) in months if month]


if __name__ == "__main__":
    days = int(sys.argv[2])
    fill(load_settings(profile="sample", data_dir=Path(sys.argv[1]), sample_days=days))
