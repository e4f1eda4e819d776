"""A few tables, fetched and gated without serving; `python -m tests.pipeline.some_tables FOLDER TABLE…` pulls them from a replica.

Writes the rows of each table below the folder, and tells where the product's code was found.
"""

import sys
from collections.abc import Collection
from graphlib import TopologicalSorter
from pathlib import Path

import polars as pl

import groningen_data
from assets import all_recipes, all_sources
from groningen_data.gate.gate import Gate
from groningen_data.lakehouse import Lakehouse
from groningen_data.landing import Landing
from groningen_data.replica.app import running
from groningen_data.sample import city
from groningen_data.settings import Settings, load_settings

DAYS = 2


def from_files(folder: Path, tables: Collection[str]) -> dict[str, pl.DataFrame]:
    """Rows of tables made of the sample city's files."""
    settings = load_settings(profile="sample", data_dir=folder, sample_days=DAYS)
    city.build(settings)
    return _rows(settings, tables)


def from_replica(folder: Path, tables: Collection[str]) -> dict[str, pl.DataFrame]:
    """Rows of tables pulled from a replica that serves the same city."""
    settings = load_settings(profile="replica", data_dir=folder, sample_days=DAYS, http_rate_per_s=1000)
    with running(settings) as url:
        return _rows(settings.model_copy(update={"replica_url": url}), tables)


def _rows(settings: Settings, tables: Collection[str]) -> dict[str, pl.DataFrame]:
    landing, recipes, sources = Landing.of(settings), all_recipes(), all_sources()
    order = TopologicalSorter({name: recipe.comes_after for name, recipe in recipes.items()}).static_order()
    wanted = [name for name in order if name in tables]
    for name in sorted({feed.source.name for table in wanted for feed in recipes[table].feeds}):
        report = sources[name].fetch(settings, landing)
        assert report.problem is None and not report.unreadable, (name, report)
    gate = Gate(Lakehouse(settings), "test", covers=lambda name: sources[name].covers(settings))
    for name in wanted:
        gate.refresh(recipes[name], landing)
    with Lakehouse(settings).reader() as con:
        return {name: con.execute(f"FROM lake.{name} ORDER BY ALL").pl() for name in wanted}


if __name__ == "__main__":
    for name, rows in from_replica(Path(sys.argv[1]), sys.argv[2:]).items():
        rows.write_parquet(Path(sys.argv[1]) / f"{name}.parquet")
    print("code:", Path(groningen_data.__file__).parent)
