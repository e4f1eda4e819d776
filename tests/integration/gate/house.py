"""A made-up table with a made-up source, taken through the gate's public door: fetch, then refresh."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from groningen_data.contracts.base import Contract, ContractModel, column, table
from groningen_data.errors import PayloadError
from groningen_data.gate.gate import Gate, TableResult
from groningen_data.gate.recipe import BuildContext, Feed, Recipe
from groningen_data.gate.suite import Expectation
from groningen_data.lakehouse import Lakehouse
from groningen_data.landing import Landing, Payload
from groningen_data.settings import load_settings
from groningen_data.sources.base import FetchReport, FileSource

TALLIES = "core.waste_tallies"
MONDAY, TUESDAY, APRIL = "2026-03-02", "2026-03-03", "2026-04-01"

Rows = list[tuple[Any, Any]]


def contract(**facts: Any) -> ContractModel:
    """A contract of counts per container and day; by default partitioned by day, with a quarter of the rows tolerated."""
    partitioned = facts.get("load_mode", "partition") == "partition"

    class Tallies(Contract):
        """Counts per container and day, made up."""

        counted_on: pl.Date = column("Dag", "Day")
        container_id: str = column("Container", "Container", str_length={"min_value": 1})
        tally: int = column("Aantal", "Count", ge=0)

        class Config(Contract.Config):
            metadata = table(
                **{
                    "name": TALLIES,
                    "title_nl": "Tellingen",
                    "title_en": "Tallies",
                    "grain": "one container on one day",
                    "key": ("counted_on", "container_id"),
                    "owner": "Stadsbeheer",
                    "purpose": "Test",
                    "legal_basis": "made up",
                    "classification": "public",
                    "retention": "none",
                    "freshness_days": 1,
                    "load_mode": "partition",
                    "partition_columns": ("counted_on",) if partitioned else (),
                    "tolerance": 0.25,
                    **facts,
                }
            )

    return Tallies


TALLIES_PER_DAY = contract()


def parse(payloads: Sequence[Payload], key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """The rows of the last payload that was delivered: those of one day, or all of them."""
    days = payloads[-1].json()
    chosen = {key: days[key]} if key in days else days
    context.notes["file"] = payloads[-1].name
    rows = [(day, container, tally) for day, listed in chosen.items() for container, tally in listed]
    yield pl.DataFrame(
        rows, schema={"counted_on": pl.String, "container_id": pl.String, "tally": pl.String}, orient="row", strict=False
    )


def _batches(payload: Payload) -> tuple[str, ...]:
    days = payload.json()
    if not isinstance(days, dict):
        raise PayloadError(payload.name, "is JSON, but not an object of days", "deliver an object of days")
    return tuple(days)


SOURCE = FileSource("tallies", "Tallies", ("*.json",), lambda head: False, _batches)
RECIPE = Recipe(TALLIES_PER_DAY, (), (Feed(SOURCE, parse),))


def limit(name: str, query: str, severity: Any = "error") -> Expectation:
    """An expectation that no row answers a query."""
    kwargs = {"unexpected_rows_query": query}
    return Expectation(name, "unexpected_rows_expectation", f"{name}, in words.", severity, kwargs)


class House:
    """One data folder with its source files, landing and lakehouse."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "files"
        self.files.mkdir()
        self.settings = load_settings(profile="real", files=self.files, data_dir=folder / "data", memory_limit_mb=300)
        self.landing = Landing(self.settings.landing_dir)
        self.lakehouse = Lakehouse(self.settings)
        self.runs = 0
        self.told: list[str] = []

    def deliver(self, name: str, content: dict[str, Rows] | bytes) -> None:
        """Put a file where the source looks for it."""
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())

    def fetch(self) -> FetchReport:
        return SOURCE.fetch(self.settings, self.landing)

    def refresh(self, recipe: Recipe = RECIPE, **options: Any) -> TableResult:
        """Fetch what is new, and gate what is due, as one run."""
        self.fetch()
        self.runs += 1
        return Gate(self.lakehouse, f"run-{self.runs}", self.told.append).refresh(recipe, self.landing, **options)

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.lakehouse.reader() as con:
            return con.execute(sql, list(values)).fetchall()

    def published(self, day: str | None = None) -> dict[str, int]:
        """Count per container, of one day or of all days."""
        where = f" WHERE counted_on = DATE '{day}'" if day else ""
        return dict(self.ask(f"SELECT container_id, tally FROM lake.{TALLIES}{where} ORDER BY ALL"))


def outcomes(result: TableResult) -> dict[str, str]:
    """Verdict per batch that was judged."""
    return {batch.key: batch.outcome for batch in result.batches}


def with_suite(*suite: Expectation, recipe: Recipe = RECIPE) -> Recipe:
    return replace(recipe, suite=suite)
