"""Ten million sensor readings through the gate, against the bare DuckDB load of the same file into the same lake."""

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from groningen_data.contracts.base import Contract, column, rules_of, sql_types, table
from groningen_data.gate import gate as gate_module
from groningen_data.gate import publish as publish_module
from groningen_data.gate import stage as stage_module
from groningen_data.gate.recipe import BuildContext, Feed, Recipe
from groningen_data.gate.suite import Expectation
from groningen_data.lakehouse import Lakehouse
from groningen_data.landing import Landing, Payload
from groningen_data.settings import Settings, load_settings
from groningen_data.sources.base import FileSource


class Readings(Contract):
    """Sensor readings of one day, made up for the benchmark."""

    sensor_code: str = column("Sensor", "Sensor", str_matches=r"^S\d{5}$")
    measured_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Tijdstip", "Measured at")  # type: ignore[valid-type]
    measured_on: pl.Date = column("Datum", "Date")
    fill_pct: float = column("Vulgraad", "Fill level", unit="%", nullable=True, ge=0, le=130)
    weight_kg: float = column("Gewicht", "Weight", unit="kg", ge=0)
    temperature_c: float = column("Temperatuur", "Temperature", unit="°C", in_range={"min_value": -40, "max_value": 60})
    battery_pct: int = column("Batterij", "Battery", unit="%", ge=0, le=100)
    fraction_code: str = column("Fractie", "Fraction", isin=["rest", "paper", "glass", "plastic", "organic"])
    status_code: str = column("Status", "Status", nullable=True, isin=["ok", "warn", "alarm"])
    neighbourhood_code: str = column("Buurt", "Neighbourhood", str_matches=r"^BU\d{8}$")
    sequence: int = column("Volgnummer", "Sequence", ge=0)
    is_test: bool = column("Test", "Test")

    class Config(Contract.Config):
        metadata = table(
            name="core.waste_readings",
            title_nl="Metingen",
            title_en="Readings",
            grain="one reading",
            key=("sensor_code", "sequence"),
            owner="Stadsbeheer",
            purpose="Benchmark",
            legal_basis="none: made-up data",
            classification="internal",
            reason_not_public="made up",
            retention="none",
            freshness_days=1,
            load_mode="partition",
            partition_columns=("measured_on",),
        )


RULES = [rule for rule in rules_of(Readings) if not rule.id.endswith((".type", ".required")) and rule.id != "key.unique"]
DAY = "2026-03-02"
PARSING = "parse CSV (beside the next two)"
_MAPS: list[tuple[str, str, dict[str, Any]]] = [
    ("rows", "expect_table_row_count_to_be_between", {"min_value": 1}),
    ("mean_fill", "expect_column_mean_to_be_between", {"column": "fill_pct", "min_value": 20, "max_value": 80}),
    ("spread_fill", "expect_column_stdev_to_be_between", {"column": "fill_pct", "min_value": 1, "max_value": 50}),
    ("fill_known", "expect_column_values_to_not_be_null", {"column": "fill_pct", "mostly": 0.95}),
    ("weight_total", "expect_column_sum_to_be_between", {"column": "weight_kg", "min_value": 1}),
    ("weight_max", "expect_column_max_to_be_between", {"column": "weight_kg", "max_value": 5000}),
    ("sensors", "expect_column_unique_value_count_to_be_between", {"column": "sensor_code", "min_value": 100}),
    (
        "fractions",
        "expect_column_distinct_values_to_be_in_set",
        {"column": "fraction_code", "value_set": ["rest", "paper", "glass", "plastic", "organic"]},
    ),
    ("battery_mean", "expect_column_mean_to_be_between", {"column": "battery_pct", "min_value": 10, "max_value": 90}),
    ("battery_low", "expect_column_values_to_be_between", {"column": "battery_pct", "min_value": 1, "mostly": 0.9}),
    ("temperature", "expect_column_median_to_be_between", {"column": "temperature_c", "min_value": -20, "max_value": 40}),
    ("status_known", "expect_column_values_to_not_be_null", {"column": "status_code", "mostly": 0.9}),
    ("one_day", "expect_column_unique_value_count_to_be_between", {"column": "measured_on", "max_value": 1}),
    ("first_reading", "expect_column_min_to_be_between", {"column": "measured_at", "min_value": "2026-03-02"}),
    (
        "few_alarms",
        "unexpected_rows_expectation",
        {
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE status_code = 'alarm') > 0.5 * count(*)"
        },
    ),
]
SUITE = tuple(Expectation(name, kind, "Made for the benchmark.", kwargs=kwargs) for name, kind, kwargs in _MAPS)


def generate(path: Path, rows: int) -> None:
    """Write the CSV: one row in ten thousand is bad, and two in a hundred thousand are exact duplicates."""
    query = f"""
        SELECT 'S' || lpad((n % 2000)::VARCHAR, 5, '0') AS sensor_code,
               strftime(TIMESTAMP '2026-03-02' + to_milliseconds(n * 86399999 // {rows}), '%Y-%m-%dT%H:%M:%S.%fZ') AS measured_at,
               '2026-03-02' AS measured_on,
               CASE WHEN n % 97 = 0 THEN NULL WHEN n % 10007 = 0 THEN -5 ELSE round((hash(n) % 10000) / 100, 2) END AS fill_pct,
               round((hash(n + 1) % 90000) / 100, 2) AS weight_kg,
               round((hash(n + 2) % 4000) / 100 - 10, 1) AS temperature_c,
               hash(n + 3) % 101 AS battery_pct,
               ['rest', 'paper', 'glass', 'plastic', 'organic'][1 + (hash(n + 4) % 5)::INT] AS fraction_code,
               CASE WHEN n % 53 = 0 THEN NULL ELSE ['ok', 'ok', 'warn', 'alarm'][1 + (hash(n + 5) % 4)::INT] END AS status_code,
               'BU0014' || lpad((n % 151)::VARCHAR, 4, '0') AS neighbourhood_code,
               n AS sequence, n % 1000 = 0 AS is_test
        FROM (SELECT CASE WHEN range % 50000 = 1 THEN range - 1 ELSE range END AS n FROM range({rows}))"""
    duckdb.sql(f"COPY ({query}) TO '{path}' (HEADER)")


def _settings(folder: Path, kind: str) -> Settings:
    return load_settings(data_dir=folder / f"{kind}-{time.time_ns()}")


def _select(path: Path) -> str:
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in sql_types(Readings).items())
    return f"SELECT * FROM read_csv('{path}', header = true, columns = {{{types}}})"


def bare(folder: Path) -> dict[str, Any]:
    """The load without any gate: one statement."""
    settings = _settings(folder, "bare")
    started = time.monotonic()
    with Lakehouse(settings).writer("bench") as con:
        con.execute(f"CREATE TABLE lake.core.waste_readings AS {_select(folder / 'readings.csv')}")
    return {"seconds": time.monotonic() - started}


def gated(folder: Path, rows: int) -> dict[str, Any]:
    """The same file through contract, suite and publish, with the time of each part."""
    settings = _settings(folder, "gate")
    spent: dict[str, float] = {}

    def timed(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            started = time.monotonic()
            try:
                return function(*args, **kwargs)
            finally:
                spent[part] = spent.get(part, 0.0) + time.monotonic() - started

        return wrapper

    def parse(payloads: Sequence[Payload], key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
        con = duckdb.connect(config={"memory_limit": "200MB", "threads": 2, "preserve_insertion_order": False})
        con.execute("SET TimeZone = 'UTC'")
        reader = con.execute(_select(folder / "readings.csv")).to_arrow_reader(context.settings.slice_rows)
        while True:
            started = time.monotonic()
            batch = next(reader, None)
            spent[PARSING] = spent.get(PARSING, 0.0) + time.monotonic() - started
            if batch is None:
                return
            yield pl.DataFrame(batch)

    stage_module.judge = timed("contract (pandera)", stage_module.judge)  # type: ignore[attr-defined]
    stage_module.set_aside = timed("write staging", stage_module.set_aside)  # type: ignore[attr-defined]
    stage_module._resolve_duplicates = timed("duplicates", stage_module._resolve_duplicates)
    gate_module.Gate._audit = timed("suite (Great Expectations)", gate_module.Gate._audit)  # type: ignore[method-assign]
    publish_module.Publisher.publish = timed("publish", publish_module.Publisher.publish)  # type: ignore[method-assign]

    source = FileSource("bench", "Benchmark", (), lambda head: False, lambda payload: (DAY,))
    recipe = Recipe(Readings, SUITE, (Feed(source, parse),))
    landing = Landing(settings.landing_dir)
    marker = folder / "marker"
    marker.write_bytes(b"the benchmark reads its file in place")
    with marker.open("rb") as stream:
        payload = landing.land("bench", "marker", stream)
    landing.keep(source._with_batches(payload))
    started = time.monotonic()
    # Once per process, whatever the number of batches: timed apart.
    importlib.import_module("great_expectations")
    spent["import of Great Expectations (once per run)"] = time.monotonic() - started
    result = gate_module.Gate(Lakehouse(settings), "bench").refresh(recipe, landing)
    total = time.monotonic() - started
    batch = result.batches[0]
    if batch.outcome != "published" or batch.rows_in != rows:
        raise SystemExit(f"the benchmark's batch was {batch.outcome}: {batch.reason}")
    return {"seconds": total, "parts": spent, "rules": len(RULES), "expectations": len(SUITE)}


def main() -> None:
    """`python -m benchmarks.gate generate|bare|gate FOLDER ROWS`: one measurement, as JSON on the last line."""
    kind, folder, rows = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if kind == "generate":
        generate(folder / "readings.csv", rows)
        return
    figures = bare(folder) if kind == "bare" else gated(folder, rows)
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
