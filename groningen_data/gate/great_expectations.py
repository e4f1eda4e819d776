"""Great Expectations on the DuckDB connection that a step already holds; the one place that touches its internals.

Great Expectations closes its connection between metrics, which would lose uncommitted staging, knows no DuckDB regular
expressions, writes out the configuration of each expectation dozens of times, and asks for unexpected rows twice, in statements of
their own. All but the last are mended here on version-pinned internals; the rows that queries find unexpected are counted here, in one statement, and judged by Great Expectations.
`tests/integration/test_great_expectations.py` fails loudly when the internals move. Great Expectations itself is imported only when
a batch is gated: that takes seconds.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb

from groningen_data.gate.derive import PASSING
from groningen_data.lakehouse.connection import is_usable

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
_DIALECT = "groningenduckdb"
_MACHINE = re.compile(r"\b(?:Out of Memory|IO) Error\b")
_ROWS_QUERY = "unexpected_rows_expectation"
_ROW_METRICS = ("unexpected_rows_query.table", "unexpected_rows_query.row_count")


@dataclass(frozen=True)
class Verdict:
    """What Great Expectations says of one expectation.

    Args:
        passed: Whether it was met.
        observed: The observed value, as text; for map expectations the share of unexpected values.
        value: The same as a number where there is one.
        error: Why it could not be evaluated; then it counts as not passed.
    """

    passed: bool
    observed: str
    value: float | None
    error: str | None = None


class _Current:
    """Stands for whichever connection is being judged now: GX keeps one pooled connection for the life of the process."""

    connection: duckdb.DuckDBPyConnection

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


_CURRENT: Any = _Current()
_CONFIGURATIONS: dict[int, tuple[Any, Any]] = {}
"""Of the expectations that are being judged: by identity, the expectation and its configuration."""


@cache
def _prepared() -> Any:
    import great_expectations as gx
    import great_expectations.execution_engine.sqlalchemy_execution_engine as engine
    import great_expectations.expectations.metrics.util as metrics_util
    import sqlalchemy as sa
    from duckdb_engine import ConnectionWrapper, Dialect
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation
    from great_expectations.expectations.expectation import Expectation
    from sqlalchemy.dialects import registry

    class _Name(str):
        """GX compares dialect names as enumeration members."""

        value = _DIALECT

    class SharedConnection(Dialect):
        """A dialect whose every connection is the step's own, and which never ends its transaction."""

        name = _DIALECT
        supports_statement_cache = True

        def connect(self, *args: Any, **kwargs: Any) -> Any:
            return ConnectionWrapper(_CURRENT)

        def do_begin(self, dbapi_connection: Any) -> None: ...

        def do_commit(self, dbapi_connection: Any) -> None: ...

        def do_rollback(self, dbapi_connection: Any) -> None: ...

        def do_close(self, dbapi_connection: Any) -> None: ...

        def on_connect(self) -> None: ...

    globals()["SharedConnection"] = SharedConnection
    registry.register(_DIALECT, __name__, "SharedConnection")
    engine._PERSISTED_CONNECTION_DIALECTS = (*engine._PERSISTED_CONNECTION_DIALECTS, _Name(_DIALECT))  # type: ignore[attr-defined,assignment]

    original = metrics_util.get_dialect_regex_expression

    def regex_expression(column: Any, regex: str, dialect: Any, positive: bool = True) -> Any:
        if getattr(getattr(dialect, "dialect", dialect), "name", "") == _DIALECT or dialect is SharedConnection:
            matches = sa.func.regexp_matches(column, sa.literal(regex))
            return matches if positive else sa.not_(matches)
        return original(column, regex, dialect, positive)

    import great_expectations.expectations.metrics.column_map_metrics as maps

    for module_name in dir(maps):
        module = getattr(maps, module_name)
        if hasattr(module, "get_dialect_regex_expression"):
            module.get_dialect_regex_expression = regex_expression

    written: Any = Expectation.configuration

    def configuration(expectation: Any) -> Any:
        """GX asks an expectation some eighty times for its configuration, and writes it out anew each time."""
        known = _CONFIGURATIONS.get(id(expectation))
        if known is None or known[0] is not expectation:
            known = _CONFIGURATIONS[id(expectation)] = expectation, written.fget(expectation)
        return known[1]

    Expectation.configuration = property(configuration)  # type: ignore[assignment]
    assert UnexpectedRowsExpectation.metric_dependencies == _ROW_METRICS
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_sql("step", connection_string=f"{_DIALECT}:///:memory:", create_temp_table=False)
    return gx, source


def evaluate(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    expectations: Sequence[tuple[str, Mapping[str, Any]]],
    restart: Callable[[], None] = lambda: None,
) -> list[Verdict]:
    """Evaluate expectations over `select * from relation` on an open connection.

    Args:
        connection: The step's connection; uncommitted staging and attached databases are visible.
        relation: A table or view name.
        expectations: Type and arguments of each.
        restart: Begins another transaction, called where a query that failed ended the one that was open.

    Returns:
        A verdict per expectation, in the same order.

    Raises:
        duckdb.Error: The machine's trouble, such as too little memory: no verdict on what is judged.
    """
    _CURRENT.connection = connection
    _CONFIGURATIONS.clear()
    gx, _ = _prepared()
    batch = _definition(relation).get_batch()
    configuration = gx.expectations.expectation_configuration.ExpectationConfiguration
    # Handed over as a whole: adding one by one, GX replaces expectations of the same type and column.
    objects, by_query, verdicts = [], {}, {}
    for index, (kind, kwargs) in enumerate(expectations):
        try:
            expectation = configuration(type=kind, kwargs=dict(kwargs), meta={"index": index}).to_domain_obj()
            if kind == _ROWS_QUERY:
                by_query[index] = expectation, expectation.unexpected_rows_query.format(batch=f"(SELECT * FROM {relation})")
            else:
                objects.append(expectation)
        except Exception as error:
            # An unknown type or wrong arguments: Great Expectations raises errors of many kinds for them.
            verdicts[index] = _not_evaluated(str(error))
    results = batch.validate(gx.ExpectationSuite(name="suite", expectations=objects)) if objects else None
    for result in results.results if results else ():
        verdicts[result.expectation_config.meta["index"]] = _verdict(result)
    # After the others, because a query that fails half-way ends the transaction.
    counts = _counts(connection, [query for _, query in by_query.values()], restart)
    for (index, (expectation, _)), count in zip(by_query.items(), counts, strict=True):
        if isinstance(count, int):
            judged = expectation._validate(metrics=dict(zip(_ROW_METRICS, ([], count), strict=True)))
            verdicts[index] = Verdict(judged["success"], str(count), float(count))
        else:
            verdicts[index] = _not_evaluated(str(count))
    return [verdicts[index] for index in range(len(expectations))]


def _counts(connection: duckdb.DuckDBPyConnection, queries: Sequence[str], restart: Callable[[], None]) -> list[int | Exception]:
    """How many rows each query gives, asked in one statement; where that fails, one by one, with the error of those that fail."""
    if not queries:
        return []
    try:
        row = connection.execute("SELECT " + ", ".join(f"({_counting(query)})" for query in queries)).fetchone()
        return list(row or ())
    except duckdb.Error:
        pass
    found: list[int | Exception] = []
    for query in queries:
        if not is_usable(connection):
            restart()
        try:
            row = connection.execute(_counting(query)).fetchone()
            found.append(row[0] if row else 0)
        except PASSING:
            raise
        except duckdb.Error as error:
            found.append(error)
    return found


def _counting(query: str) -> str:
    return f"SELECT count(*) FROM ({query}\n)"


@cache
def _definition(relation: str) -> Any:
    """How GX reads a relation; made once, because each asset that is added or removed costs it a tenth of a second."""
    _, source = _prepared()
    return source.add_query_asset(relation, query=f"select * from {relation}").add_batch_definition_whole_table("all")


def _not_evaluated(message: str) -> Verdict:
    """The first line of the error says why; what stands between single quotes may be a value of a row."""
    first = next(iter(message.splitlines()), "unknown")
    return Verdict(False, "could not be evaluated", None, re.sub(r"'.*'", "'…'", first)[:300])


def _verdict(result: Any) -> Verdict:
    exceptions = result.exception_info or {}
    raised = exceptions if "raised_exception" in exceptions else next(iter(exceptions.values()), {})
    if raised.get("raised_exception"):
        if _MACHINE.search(str(raised)):
            raise duckdb.IOException("the machine, not the batch, kept an expectation from being evaluated")
        return _not_evaluated(str(raised.get("exception_message") or "unknown"))
    details = result.result or {}
    observed = details.get("observed_value", details.get("unexpected_percent"))
    number = observed if isinstance(observed, int | float) and not isinstance(observed, bool) else None
    if "observed_value" not in details and number is not None:
        return Verdict(bool(result.success), f"{number:.4g} % unexpected", float(number))
    shown = f"{number:.6g}" if isinstance(number, float) else str(observed)[:300]
    return Verdict(bool(result.success), shown, float(number) if number is not None else None)
