"""What only a whole batch can tell: duplicates, clashing keys, rows of another batch; and memory that stays bounded."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from groningen_data.contracts.base import Contract, column, table
from groningen_data.gate.stage import BATCH, QUARANTINE, STAGE, Staged, judge_rows, partition_filter, stage
from tests.unit.gate.test_judge import FACTS

PROJECT = Path(__file__).parents[3]
DAY = "2026-03-02"


class Passages(Contract):
    """Passages of a gate, made up; the second partition column may hold anything."""

    passed_on: pl.Date = column("Dag", "Day")
    gate_name: str = column("Poort", "Gate")
    card_id: str = column("Pas", "Card", personal_data="pseudonym", nullable=True)
    passages: int = column("Aantal", "Number", ge=0)

    class Config(Contract.Config):
        metadata = table(
            key=("passed_on", "gate_name", "card_id"),
            **FACTS | {"name": "core.waste_passages", "load_mode": "partition", "partition_columns": ("passed_on", "gate_name")},
        )


@pytest.fixture
def con(tmp_path):
    with duckdb.connect() as con:
        con.execute(f"SET VARIABLE folder = '{tmp_path}'")
        yield con


def rows(*passages: tuple[Any, ...], day: Any = DAY, gate: Any = "north") -> pl.DataFrame:
    """Passages as (card, number), or as (card, number, gate) or (card, number, gate, day)."""
    filled = [(*given, gate, day)[:4] if len(given) == 2 else (*given, day)[:4] for given in passages]
    columns = ["card_id", "passages", "gate_name", "passed_on"]
    return pl.DataFrame(filled, schema=dict.fromkeys(columns, pl.String), orient="row")


def staged(con, *frames: pl.DataFrame, key: str = f"{DAY}/north", slice_rows: int = 1000) -> Staged:
    parent = con.execute("SELECT getvariable('folder')").fetchone()[0]
    return stage(con, Passages, key, judge_rows(Passages, frames, slice_rows, Path(tempfile.mkdtemp(dir=parent))))


def accepted(con) -> list[tuple[Any, ...]]:
    return con.execute(f"SELECT card_id, passages FROM {STAGE} ORDER BY ALL").fetchall()


def quarantined(con) -> list[tuple[Any, ...]]:
    return con.execute(f"SELECT row_number, rules FROM {QUARANTINE} ORDER BY ALL").fetchall()


def test_exact_duplicates_collapse_to_one_row(con):
    result = staged(con, rows(("a", "1"), ("b", "2"), ("a", "1"), ("a", "1")))
    assert (result.rows_in, result.accepted, result.quarantined, result.collapsed) == (4, 2, 0, 2)
    assert accepted(con) == [("a", 1), ("b", 2)]


def test_every_row_of_a_clashing_key_is_quarantined(con):
    result = staged(con, rows(("a", "1"), ("b", "2"), ("a", "3"), ("a", "1")))
    assert (result.rows_in, result.accepted, result.quarantined, result.collapsed) == (4, 1, 2, 1)
    assert {tuple(rules) for _, rules in quarantined(con)} == {("key.unique",)}
    assert result.broken_rules == {"key.unique": 2}


def test_keys_clash_across_slices_and_frames_too(con):
    frames = [rows(("a", "1"), ("b", "2")), rows(("c", "3"), ("a", "4"), ("b", "2"))]
    result = staged(con, *frames, slice_rows=1)
    assert (result.accepted, result.quarantined, result.collapsed) == (2, 2, 1)
    assert accepted(con) == [("b", 2), ("c", 3)]


def test_the_number_of_a_quarantined_row_is_its_place_in_the_batch(con):
    frames = [rows(("a", "1"), ("bad", "-1")), rows(("c", "3"), ("a", "4"), ("d", "5", "south"))]
    staged(con, *frames, slice_rows=2)
    assert quarantined(con) == [
        (1, ["key.unique"]),
        (2, ["passages.greater_than_or_equal_to"]),
        (4, ["key.unique"]),
        (5, ["batch.partition"]),
    ]


def test_rows_of_another_batch_are_quarantined(con):
    result = staged(con, rows(("a", "1"), ("b", "2", "south"), ("c", "3", "north", "2026-03-03")))
    assert result.broken_rules == {"batch.partition": 2}
    assert accepted(con) == [("a", 1)]


@pytest.mark.parametrize("gate", ["o'Brien", "north/south", 'a "quoted" gate', "100 %", "'; DROP TABLE stage; --", ""])
def test_a_key_may_hold_quotes_and_slashes(con, gate):
    result = staged(con, rows(("a", "1"), ("b", "2", "else"), gate=gate), key=f"{DAY}/{gate}")
    assert (result.accepted, result.quarantined) == (1, 1)


def test_a_key_column_that_is_null_counts_as_a_value(con):
    result = staged(con, rows((None, "1"), (None, "1"), (None, "2"), ("a", "1")))
    assert (result.accepted, result.quarantined, result.collapsed) == (1, 2, 1)


def test_the_examples_name_no_person_and_no_example_comes_twice(con):
    result = staged(con, rows(("a", "-1"), ("b", "-1"), ("c", "-1"), ("d", "1"), ("d", "2")))
    assert result.examples == (f"passed_on={DAY}, gate_name=north",)
    assert result.broken_rules == {"passages.greater_than_or_equal_to": 3, "key.unique": 2}


def test_a_batch_without_rows_is_staged_as_empty(con):
    assert staged(con) == Staged(0, 0, 0, 0, {}, ())
    assert staged(con, rows()).quarantined_share == 0


def test_a_batch_leaves_nothing_of_the_one_before(con):
    staged(con, rows(("a", "1"), ("b", "-1")))
    assert staged(con, rows(("c", "1"))).rows_in == 1
    assert (accepted(con), quarantined(con)) == ([("c", 1)], [])


def test_what_a_suite_sees_has_the_contracts_columns_only(con):
    staged(con, rows(("a", "1")))
    assert [name for name, *_ in con.execute(f"FROM {BATCH}").description] == ["passed_on", "gate_name", "card_id", "passages"]


def test_a_table_without_partitions_takes_rows_of_every_day():
    class Whole(Passages):
        """Passages, made up."""

        class Config(Contract.Config):
            metadata = table(key=("card_id",), **FACTS)

    assert partition_filter(Whole, "snapshot") == "true"


MANY = """
import resource, sys, tempfile
from pathlib import Path
import duckdb, polars as pl
from groningen_data.gate.stage import judge_rows, stage
from tests.unit.gate.test_stage import DAY, Passages

def frames(count):
    for number in range(count):
        cards = pl.int_range(number * 200_000, (number + 1) * 200_000, eager=True).cast(pl.String)
        yield pl.DataFrame({"card_id": cards, "passages": "1", "gate_name": "north", "passed_on": DAY})

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1 << 20 if sys.platform == "darwin" else 1 << 10)

con = duckdb.connect(config={"memory_limit": "200MB", "threads": 2, "temp_directory": sys.argv[1]})
con.execute("SET preserve_insertion_order = false")

def staged(count):
    return stage(con, Passages, f"{DAY}/north", judge_rows(Passages, frames(count), 200_000, Path(tempfile.mkdtemp(dir=sys.argv[1]))))

staged(1)
before = peak()
result = staged(15)
print(result.accepted, peak() - before)
"""


def test_three_million_rows_in_slices_grow_memory_by_less_than_300_mb(tmp_path):
    run = subprocess.run([sys.executable, "-c", MANY, str(tmp_path)], cwd=PROJECT, capture_output=True, text=True, check=True)
    count, grown_mb = map(int, run.stdout.split())
    assert count == 3_000_000
    assert grown_mb < 300
