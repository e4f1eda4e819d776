"""Great Expectations on the DuckDB connection that a step already holds; the one place that touches its internals.

Great Expectations closes its connection between metrics, which would lose uncommitted staging, knows no DuckDB regular
expressions, and asks for unexpected rows twice. All three are mended here on version-pinned internals; `tests/integration/test_great_expectations.py` fails loudly
when they move. Great Expectations itself is imported only when a batch is gated: that takes seconds.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
_DIALECT = "groningenduckdb"


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


@cache
def _prepared() -> Any:
    import great_expectations as gx
    import great_expectations.execution_engine.sqlalchemy_execution_engine as engine
    import great_expectations.expectations.metrics.util as metrics_util
    import sqlalchemy as sa
    from duckdb_engine import ConnectionWrapper, Dialect
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation
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

    _ask_once(UnexpectedRowsExpectation)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_sql("step", connection_string=f"{_DIALECT}:///:memory:", create_temp_table=False)
    return gx, source


def _ask_once(expectation: Any) -> None:
    """Let the expectation count its unexpected rows only: the same query for the rows themselves is half of all the time."""
    rows_metric, count_metric = expectation.metric_dependencies
    assert (rows_metric, count_metric) == ("unexpected_rows_query.table", "unexpected_rows_query.row_count")
    judge = expectation._validate
    expectation.metric_dependencies = (count_metric,)
    expectation._validate = lambda self, metrics, **others: judge(self, metrics={rows_metric: [], **metrics}, **others)


def evaluate(
    connection: duckdb.DuckDBPyConnection, relation: str, expectations: Sequence[tuple[str, Mapping[str, Any]]]
) -> list[Verdict]:
    """Evaluate expectations over `select * from relation` on an open connection.

    Args:
        connection: The step's connection; uncommitted staging and attached databases are visible.
        relation: A table or view name.
        expectations: Type and arguments of each.

    Returns:
        A verdict per expectation, in the same order.
    """
    _CURRENT.connection = connection
    gx, _ = _prepared()
    batch = _definition(relation).get_batch()
    configuration = gx.expectations.expectation_configuration.ExpectationConfiguration
    # Handed over as a whole: adding one by one, GX replaces expectations of the same type and column.
    objects, verdicts = [], {}
    for index, (kind, kwargs) in enumerate(expectations):
        try:
            objects.append(configuration(type=kind, kwargs=dict(kwargs), meta={"index": index}).to_domain_obj())
        except Exception as error:
            # An unknown type or wrong arguments: Great Expectations raises errors of many kinds for them.
            verdicts[index] = _not_evaluated(str(error))
    results = batch.validate(gx.ExpectationSuite(name="suite", expectations=objects)) if objects else None
    for result in results.results if results else ():
        verdicts[result.expectation_config.meta["index"]] = _verdict(result)
    return [verdicts[index] for index in range(len(expectations))]


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
        return _not_evaluated(str(raised.get("exception_message") or "unknown"))
    details = result.result or {}
    observed = details.get("observed_value", details.get("unexpected_percent"))
    number = observed if isinstance(observed, int | float) and not isinstance(observed, bool) else None
    if "observed_value" not in details and number is not None:
        return Verdict(bool(result.success), f"{number:.4g} % unexpected", float(number))
    shown = f"{number:.6g}" if isinstance(number, float) else str(observed)[:300]
    return Verdict(bool(result.success), shown, float(number) if number is not None else None)
