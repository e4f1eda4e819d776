"""Great Expectations on a connection that is in use: verdicts, errors, transactions, and the internals that are patched."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets import all_recipes
from benchmarks.gate import SUITE as BENCHMARK_SUITE
from groningen_data.gate.great_expectations import evaluate

PROJECT = Path(__file__).parents[2]
QUERY = "unexpected_rows_expectation"

# Per expectation: arguments with which the ten readings pass, and with which they fail.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "expect_table_row_count_to_be_between": ({"min_value": 10, "max_value": 10}, {"min_value": 11}),
    "expect_table_columns_to_match_ordered_list": (
        {"column_list": ["reading", "sensor", "kind", "measured_on", "battery"]},
        {"column_list": ["sensor", "reading", "kind", "measured_on", "battery"]},
    ),
    "expect_column_mean_to_be_between": (
        {"column": "reading", "min_value": 4.5, "max_value": 4.5},
        {"column": "reading", "max_value": 4},
    ),
    "expect_column_median_to_be_between": (
        {"column": "reading", "min_value": 4, "max_value": 5},
        {"column": "reading", "min_value": 6},
    ),
    "expect_column_stdev_to_be_between": (
        {"column": "reading", "min_value": 3, "max_value": 3.1},
        {"column": "reading", "max_value": 2},
    ),
    "expect_column_sum_to_be_between": (
        {"column": "reading", "min_value": 45, "max_value": 45},
        {"column": "reading", "max_value": 44},
    ),
    "expect_column_min_to_be_between": (
        {"column": "measured_on", "min_value": "2026-03-02"},
        {"column": "measured_on", "min_value": "2026-03-03"},
    ),
    "expect_column_max_to_be_between": ({"column": "reading", "max_value": 9}, {"column": "reading", "max_value": 8}),
    "expect_column_unique_value_count_to_be_between": (
        {"column": "sensor", "min_value": 3, "max_value": 3},
        {"column": "sensor", "min_value": 4},
    ),
    "expect_column_proportion_of_unique_values_to_be_between": (
        {"column": "reading", "min_value": 1},
        {"column": "sensor", "min_value": 0.5},
    ),
    "expect_column_distinct_values_to_be_in_set": (
        {"column": "kind", "value_set": ["ok", "alarm", "warn"]},
        {"column": "kind", "value_set": ["ok"]},
    ),
    "expect_column_values_to_be_in_set": (
        {"column": "kind", "value_set": ["ok"], "mostly": 0.8},
        {"column": "kind", "value_set": ["ok"], "mostly": 0.95},
    ),
    "expect_column_values_to_not_be_null": ({"column": "battery", "mostly": 0.5}, {"column": "battery"}),
    "expect_column_values_to_be_between": (
        {"column": "reading", "min_value": 1, "mostly": 0.9},
        {"column": "reading", "min_value": 1},
    ),
    "expect_column_values_to_match_regex": (
        {"column": "sensor", "regex": r"^S\d$"},
        {"column": "sensor", "regex": "^S[01]$"},
    ),
    "expect_column_values_to_not_match_regex": (
        {"column": "sensor", "regex": "^T"},
        {"column": "sensor", "regex": "2$"},
    ),
    "expect_column_pair_values_a_to_be_greater_than_b": (
        {"column_A": "reading", "column_B": "battery", "or_equal": True, "ignore_row_if": "either_value_is_missing"},
        {"column_A": "reading", "column_B": "battery", "or_equal": False, "ignore_row_if": "either_value_is_missing"},
    ),
    QUERY: (
        {"unexpected_rows_query": "SELECT * FROM {batch} WHERE reading < 0"},
        {"unexpected_rows_query": "SELECT * FROM {batch} WHERE reading > 7"},
    ),
}


@pytest.fixture
def con():
    """A connection in the middle of a transaction, with ten readings that are not committed yet."""
    with duckdb.connect() as con:
        con.execute("ATTACH ':memory:' AS scratch")
        con.execute("BEGIN")
        con.execute(
            "CREATE TABLE scratch.readings AS SELECT range AS reading, 'S' || range % 3 AS sensor, "
            "CASE WHEN range = 3 THEN 'alarm' ELSE 'ok' END AS kind, DATE '2026-03-02' AS measured_on, "
            "CASE WHEN range % 2 = 0 THEN range END AS battery FROM range(10)"
        )
        yield con


def judged(con, *expectations: tuple[str, dict[str, Any]]):
    return evaluate(con, "scratch.readings", expectations)


@pytest.mark.parametrize("kind", CASES)
def test_each_expectation_passes_and_fails_as_it_should(con, kind):
    good, bad = CASES[kind]
    passed, failed = judged(con, (kind, good), (kind, bad))
    assert (passed.passed, passed.error, failed.passed, failed.error) == (True, None, False, None)


def test_every_expectation_in_use_is_among_those_tried():
    in_use = {e.type for recipe in all_recipes().values() for e in recipe.suite} | {e.type for e in BENCHMARK_SUITE}
    assert in_use - set(CASES) == set()


def test_observed_values_are_numbers_where_there_are_any(con):
    mean, share, rows = judged(
        con,
        ("expect_column_mean_to_be_between", {"column": "reading", "min_value": 9}),
        ("expect_column_values_to_not_be_null", {"column": "battery"}),
        (QUERY, {"unexpected_rows_query": "SELECT * FROM {batch} WHERE reading > 7"}),
    )
    assert (mean.value, mean.observed) == (4.5, "4.5")
    assert (share.value, share.observed) == (50.0, "50 % unexpected")
    assert (rows.value, rows.observed) == (2.0, "2")


def test_several_queries_in_one_suite_are_all_evaluated_equal_ones_too(con):
    queries = [f"SELECT * FROM {{batch}} WHERE reading > {number}" for number in (9, 8, 7, 8)]
    verdicts = judged(con, *[(QUERY, {"unexpected_rows_query": query}) for query in queries])
    assert [v.value for v in verdicts] == [0, 1, 2, 1]


@pytest.mark.parametrize(
    "broken",
    [
        ("expect_column_mean_to_be_between", {"column": "colour", "min_value": 1}),
        (QUERY, {"unexpected_rows_query": "SELECT colour FROM {batch}"}),
        (QUERY, {"unexpected_rows_query": "SELECT * FROM lake.core.never_published"}),
        (QUERY, {"unexpected_rows_query": "SELEKT"}),
        (QUERY, {"unexpected_rows_query": "SELECT * FROM {batch} WHERE reading > {limit}"}),
        (QUERY, {}),
        ("expect_nonsense", {}),
        ("expect_column_mean_to_be_between", {"colum": "reading"}),
    ],
)
def test_what_cannot_be_evaluated_is_an_error_and_the_others_are_evaluated(con, broken):
    before, verdict, after = judged(con, (QUERY, CASES[QUERY][0]), broken, (QUERY, CASES[QUERY][1]))
    assert (before.passed, after.passed, after.error) == (True, False, None)
    assert (verdict.passed, verdict.observed, verdict.value) == (False, "could not be evaluated", None)
    assert verdict.error


def test_an_error_quotes_no_value_of_a_row(con):
    con.execute("COMMIT")
    (verdict,) = judged(con, (QUERY, {"unexpected_rows_query": "SELECT * FROM {batch} WHERE CAST(sensor AS INTEGER) > 0"}))
    assert verdict.error and "Conversion Error" in verdict.error
    assert "S0" not in verdict.error


def test_a_query_that_ends_the_transaction_half_way_leaves_the_others_their_verdicts(con):
    con.execute("COMMIT")
    con.execute("BEGIN")

    def restart():
        con.execute("ROLLBACK")
        con.execute("BEGIN")

    broken = (QUERY, {"unexpected_rows_query": "SELECT * FROM {batch} WHERE error('out') IS NULL"})
    queries = [(QUERY, CASES[QUERY][0]), broken, (QUERY, CASES[QUERY][1])]
    before, verdict, after = evaluate(con, "scratch.readings", queries, restart)
    assert (before.passed, before.error, after.passed, after.value, after.error) == (True, None, False, 2.0, None)
    assert verdict.error and not verdict.passed


def test_the_queries_of_a_suite_are_asked_in_one_statement(con):
    asked = []

    class Listening:
        def execute(self, statement, *arguments):
            asked.append(statement)
            return con.execute(statement, *arguments)

        def __getattr__(self, name):
            return getattr(con, name)

    queries = [(QUERY, {"unexpected_rows_query": f"SELECT * FROM {{batch}} WHERE reading > {n}"}) for n in range(12)]
    verdicts = evaluate(Listening(), "scratch.readings", queries)
    assert [v.value for v in verdicts] == [max(9 - n, 0) for n in range(12)]
    assert sum("count(*)" in statement for statement in asked) == 1


def test_no_expectations_give_no_verdicts(con):
    assert judged(con) == []


@pytest.mark.parametrize("kind", ["expect_column_mean_to_be_between", QUERY, "expect_nonsense"])
def test_the_open_transaction_is_neither_committed_nor_rolled_back(con, kind):
    good = CASES.get(kind, ({}, {}))[0]
    judged(con, (kind, good), (QUERY, {"unexpected_rows_query": "SELECT reading FROM {batch} WHERE reading < -1"}))
    assert con.execute("SELECT count(*) FROM scratch.readings").fetchone() == (10,)
    con.execute("ROLLBACK")
    assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'readings'").fetchone() == (0,)


def test_each_evaluation_sees_the_connection_it_is_given(con):
    with duckdb.connect() as other:
        other.execute("ATTACH ':memory:' AS scratch")
        other.execute("CREATE TABLE scratch.readings AS SELECT 1 AS reading FROM range(3)")
        rows = [judged(c, ("expect_table_row_count_to_be_between", {"min_value": 0}))[0].value for c in (con, other, con)]
    assert rows == [10, 3, 10]


def test_the_internals_that_are_patched_are_where_they_were(con):
    judged(con)
    import great_expectations.execution_engine.sqlalchemy_execution_engine as engine
    import great_expectations.expectations.metrics.column_map_metrics as maps
    import great_expectations.expectations.metrics.util as metrics_util

    from groningen_data.gate import great_expectations as adapter

    adapter._prepared()
    assert adapter._DIALECT in [getattr(d, "value", d) for d in engine._PERSISTED_CONNECTION_DIALECTS]
    assert "_PERSISTED_CONNECTION_DIALECTS" in engine.SqlAlchemyExecutionEngine.get_connection.__wrapped__.__code__.co_names
    assert metrics_util.get_dialect_regex_expression.__code__.co_varnames[:4] == ("column", "regex", "dialect", "positive")
    patched = [name for name in dir(maps) if hasattr(getattr(maps, name), "get_dialect_regex_expression")]
    assert {"column_values_match_regex", "column_values_not_match_regex"} <= set(patched)
    for name in patched:
        assert getattr(maps, name).get_dialect_regex_expression.__module__ == adapter.__name__


OFFLINE = """
import os, socket, sys

def refuse(*args):
    raise SystemExit("a connection was opened")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import duckdb
from groningen_data.gate.great_expectations import evaluate

con = duckdb.connect()
con.execute("CREATE TABLE t AS SELECT 1 AS n")
print(evaluate(con, "t", [("expect_column_mean_to_be_between", {"column": "n", "min_value": 1})])[0].passed)
print(os.environ["GX_ANALYTICS_ENABLED"], "posthog" in sys.modules)
"""


def test_analytics_and_progress_bars_are_off_and_no_connection_is_opened():
    env = {name: value for name, value in os.environ.items() if not name.startswith("GX_")}
    run = subprocess.run([sys.executable, "-c", OFFLINE], cwd=PROJECT, env=env, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "false", "False"]
    assert "%|" not in run.stderr and "Calculating" not in run.stderr
