"""How one table is made: its contract, its suite, and where its rows come from."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from types import CodeType
from typing import TYPE_CHECKING, Any

import polars as pl

from groningen_data.contracts.base import Contract, ContractModel, TableFacts, facts_of, polars_schema, rules_of
from groningen_data.gate.suite import Suite
from groningen_data.landing import Payload
from groningen_data.settings import Settings

if TYPE_CHECKING:
    import ibis

    from groningen_data.sources.base import FileSource


@dataclass
class BuildContext:
    """What a parser may use besides its payloads.

    Args:
        settings: The settings of this run.
        published: Reads a published table as a frame (only tables the recipe names as inputs); without rows where nothing of it
            was published yet.
        notes: What the parser wants kept with the batch (counts of what it read, skipped and why); plain numbers and texts.
    """

    settings: Settings
    published: Callable[[str], pl.DataFrame]
    notes: dict[str, Any] = field(default_factory=dict)


# Frames with the contract's column names; values may still be text, the gate casts them and quarantines what cannot be cast.
Parse = Callable[[Sequence[Payload], str, BuildContext], Iterator[pl.DataFrame]]


@dataclass(frozen=True)
class Feed:
    """One source of a table's rows.

    Args:
        source: Where the payloads come from.
        parse: From the payloads of one batch (oldest first) to frames, in slices of any size.
        version: Raise it when `parse` gives other rows for the same payloads: batches are then gated again.
        takes: Which batch keys of the source this table wants.
        reads: Published tables that only this feed's parser reads, as they are when a batch is made: their changes do not make
            earlier batches anew. For tables that grow by versions, of which a batch names its own.
    """

    source: "FileSource"
    parse: Parse
    version: int = 1
    takes: Callable[[str], bool] = field(default=lambda key: True)
    reads: tuple[str, ...] = ()


MONTH_VARIABLE = "month"


@dataclass(frozen=True)
class _DuckDB:
    """DuckDB functions that Ibis has no name for, or writes in a way that DuckDB does not take for a date."""

    value_of: Any
    days_before: Any
    last_of_month: Any


@cache
def _duckdb() -> _DuckDB:
    import ibis

    @ibis.udf.scalar.builtin(name="getvariable")  # type: ignore[untyped-decorator]
    def value_of(variable: str) -> date:  # type: ignore[empty-body]
        """The value of a DuckDB variable."""

    @ibis.udf.scalar.builtin(name="subtract")  # type: ignore[untyped-decorator]
    def days_before(day: date, days: int) -> date:  # type: ignore[empty-body]
        """The day so many days earlier."""

    @ibis.udf.scalar.builtin(name="last_day")  # type: ignore[untyped-decorator]
    def last_of_month(day: date) -> date:  # type: ignore[empty-body]
        """The last day of a day's month."""

    return _DuckDB(value_of, days_before, last_of_month)


@dataclass(frozen=True)
class MartContext:
    """What a derived table's expression may use: published tables as Ibis, the month being made, and what the sources cover.

    Args:
        table: A published table (only those the recipe names); without rows where nothing of it was published yet.
        settings: The settings of this run.
        covers: Whether a source (by name) says anything about the municipality.
    """

    table: "Callable[[str], ibis.Table]"
    settings: Settings
    covers: Callable[[str], bool]

    @property
    def month(self) -> "ibis.expr.types.DateValue":
        """First day of the month being made, where a derived table is partitioned by month; set as a DuckDB variable."""
        return _duckdb().value_of(MONTH_VARIABLE)

    def during_month(self, table: "ibis.Table", day: str, days_before: int = 0) -> "ibis.Table":
        """The rows of the month being made, and of so many days before it.

        Written so that DuckDB reads only the files that can hold such rows: what it compares with must be dates to it as well. A date
        less an interval is a timestamp, and then it reads them all.

        Args:
            table: Any table.
            day: Its date column.
            days_before: Days before the month whose rows are wanted as well; the recipe's `looks_back` must allow for them.
        """
        first = _duckdb().days_before(self.month, days_before) if days_before else self.month
        return table.filter(table[day] >= first, table[day] <= _duckdb().last_of_month(self.month))


Expression = Callable[[MartContext], "ibis.Table"]


@dataclass(frozen=True)
class AnalysisContext(MartContext):
    """What an analysis may use: all that an expression may, and the rows themselves.

    Args:
        frame: The rows of an Ibis expression over the tables that `table` gives, as DuckDB computes them.
        notes: What the analysis wants kept with the batch (what it left out and why, seeds, scores); plain numbers and texts.
        earlier: The rows of the table itself as they were published last, for what must stand once it was said.
    """

    frame: "Callable[[ibis.Table], pl.DataFrame]"
    notes: dict[str, Any]
    earlier: "Callable[[], pl.DataFrame]"


@dataclass(frozen=True)
class Analysis:
    """A derived table that SQL cannot express: statistics, forecasts, routes.

    Args:
        compute: From published tables to frames with the contract's column names, in slices of any size; the same for the same
            inputs, so whatever is drawn has a fixed seed.
        version: Raise it when `compute` gives other rows for the same inputs: the table is then made anew.
        settings: Names of the settings it reads: when one of them changes, the table is made anew.
        also: What else its rows depend on: the day or the month, or files that come with the product.
    """

    compute: Callable[[AnalysisContext], Iterable[pl.DataFrame]]
    version: int = 1
    settings: tuple[str, ...] = ()
    also: Callable[[Settings], object] | None = None

    def definition(self, settings: Settings) -> str:
        """Changes when the same inputs would give other rows."""
        read = [(name, _stable(getattr(settings, name))) for name in self.settings]
        return repr((self.version, read) if self.also is None else (self.version, read, self.also(settings)))


@dataclass(frozen=True)
class Recipe:
    """One table of the lakehouse and how it is made: from feeds, as an expression or by an analysis over published tables.

    Args:
        contract: What the table promises.
        suite: What each batch must meet as a whole.
        feeds: For tables made from payloads.
        uses: Published tables it reads; when one of them changes, its batches are made again.
        uses_if_there: The same, for tables of which an installation may have nothing.
        months_from: For derived tables partitioned by month: the tables in `uses` whose months it has; all of them when empty.
        looks_back: For derived tables partitioned by month: how many months before its own a month reads of a table.
        judged_with: Published tables that only its suite reads: they come first, but do not make it anew.
        expression: For derived tables: an Ibis expression over `uses` giving all rows of the table.
        analysis: For derived tables that SQL cannot express.
        may_be_empty: Whether a derived table without rows says something: nobody waits, nothing was drawn yet.
    """

    contract: ContractModel
    suite: Suite
    feeds: tuple[Feed, ...] = ()
    uses: tuple[str, ...] = ()
    uses_if_there: tuple[str, ...] = ()
    months_from: tuple[str, ...] = ()
    looks_back: Mapping[str, int] = field(default_factory=dict)
    judged_with: tuple[str, ...] = ()
    expression: Expression | None = None
    analysis: Analysis | None = None
    may_be_empty: bool = False

    @property
    def facts(self) -> TableFacts:
        return facts_of(self.contract)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Published tables it is made from."""
        return self.uses + self.uses_if_there

    @property
    def optional_inputs(self) -> tuple[str, ...]:
        """Published tables that it may read and that may have no rows."""
        return (*self.uses_if_there, *(table for feed in self.feeds for table in feed.reads))

    @property
    def comes_after(self) -> tuple[str, ...]:
        """Every table that must be up to date before this one is made."""
        return tuple(dict.fromkeys((*self.uses, *self.optional_inputs, *self.judged_with)))

    @property
    def is_derived(self) -> bool:
        """Whether it is made from published tables."""
        return self.expression is not None or self.analysis is not None

    @property
    def is_monthly(self) -> bool:
        """Whether it is derived month by month."""
        return self.is_derived and self.facts.load_mode == "partition"

    def fingerprint(self) -> str:
        """Changes when the contract, the suite or a parser's version changes: then earlier verdicts no longer count."""
        facts = self.facts
        parts: list[Any] = [facts.key, facts.load_mode, facts.partition_columns, facts.tolerance]
        parts += [(name, str(dtype)) for name, dtype in polars_schema(self.contract).items()]
        parts += [(rule.id, rule.statement) for rule in rules_of(self.contract)]
        parts += [_stable(check) for check in _own_checks(self.contract)]
        parts += [(e.name, e.type, e.severity, e.sentence, _stable(e.kwargs)) for e in self.suite]
        parts += [(feed.source.name, feed.version) for feed in self.feeds]
        parts += ["may be empty"] if self.may_be_empty else []
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _own_checks(contract: ContractModel) -> list[Any]:
    """The functions of the checks that a contract writes itself."""
    classes = contract.__mro__[: contract.__mro__.index(Contract)]
    return [member.__func__ for c in classes for member in vars(c).values() if isinstance(member, classmethod)]


def _stable(value: Any) -> str:
    """A text that says the same in every process for the same value; functions count by what they do."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{_stable(k)}: {_stable(v)}' for k, v in value.items()))}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_stable, value))}]"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_stable, value)))}}}"
    if isinstance(value, CodeType):
        return f"{value.co_code.hex()} {value.co_names} {_stable(value.co_consts)}"
    if hasattr(value, "__code__"):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        globals_read = [value.__globals__.get(name) for name in value.__code__.co_names]
        constants = [g for g in globals_read if isinstance(g, str | int | float | tuple | list | dict | frozenset | set)]
        return _stable([value.__code__, value.__defaults__, value.__kwdefaults__, cells, constants])
    text = repr(value)
    return type(value).__qualname__ if " at 0x" in text else text
