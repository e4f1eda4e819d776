"""What a contract is made of: a `pandera.polars` model plus the governance facts of its table and columns.

Declared once here in words and types; SQL types, asset descriptions, checks, dictionary and catalogue are all derived.
No table is named in this module.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, cast

import pandera.polars as pa
import polars as pl

from groningen_data.errors import ContractError

Layer = Literal["core", "collective"]
Store = Literal["reference", "waste", "welfare", "traffic", "collective"]
LoadMode = Literal["snapshot", "partition", "merge"]
Classification = Literal["public", "internal", "confidential"]
PersonalData = Literal["none", "statistic", "pseudonym", "personal", "special"]


@dataclass(frozen=True)
class Protection:
    """How a count of people is made safe when it is served.

    Args:
        minimum: Counts below this (zero included) are suppressed with a reason.
        round_to: Other counts are rounded to the nearest multiple.
        population: Column with the group the count is part of; a share of 90 % or more is suppressed as well.
        follows: Column with the number of people that a sum is about; where that is suppressed, so is the sum.
    """

    minimum: int = 10
    round_to: int = 10
    population: str | None = None
    follows: str | None = None


@dataclass(frozen=True)
class Rate:
    """A rate that exists in serving only, computed from protected counts: `numerator / denominator * per`."""

    name: str
    title_nl: str
    title_en: str
    numerator: str
    denominator: str
    per: int


@dataclass(frozen=True)
class ColumnFacts:
    """Governance facts of one column."""

    title_nl: str
    title_en: str
    unit: str | None = None
    personal_data: PersonalData = "none"
    protection: Protection | None = None
    renamed_from: str | None = None


@dataclass(frozen=True)
class TableFacts:
    """Governance facts of one table.

    Args:
        name: `{layer}.{store}_{entity}`, or `collective.{mart}`.
        grain: What one row is.
        key: Columns that identify a row.
        freshness_days: A published batch older than this is stale.
        load_mode: *snapshot* replaces the table, *partition* replaces the rows of one batch, *merge* replaces by key.
        partition_columns: With *partition*: the columns whose values, joined by `/`, are the batch's key; where batches are
            local days the date comes first (`2026-03-02/loops`).
        period_column: For tables that are not partitioned by day: the date whose months tell which marts a change concerns.
        running_columns: With a period_column: what counts on while nothing happens to a row, such as when it was last seen. A change of
            these concerns no month, and what is derived month by month cannot read them.
        tolerance: Largest share of quarantined rows with which a batch is still published.
        served: Whether analysts find the table in the serving database.
        source_rules: Rules that only a parser can judge, because the row no longer shows it: (id, sentence).
        rates: Rates that serving adds, computed from protected counts.
        licence: Licence under which the source publishes, when it does.
    """

    name: str
    title_nl: str
    title_en: str
    grain: str
    key: tuple[str, ...]
    owner: str
    purpose: str
    legal_basis: str
    classification: Classification
    retention: str
    freshness_days: int
    load_mode: LoadMode
    reason_not_public: str = ""
    partition_columns: tuple[str, ...] = ()
    period_column: str | None = None
    running_columns: tuple[str, ...] = ()
    tolerance: float = 0.01
    served: bool = False
    source_rules: tuple[tuple[str, str], ...] = ()
    rates: tuple[Rate, ...] = ()
    licence: str = ""

    @property
    def layer(self) -> Layer:
        return cast(Layer, self.name.split(".", 1)[0])

    @property
    def short_name(self) -> str:
        """The name within its layer: `waste_reports`."""
        return self.name.split(".", 1)[1]

    @property
    def store(self) -> Store:
        return "collective" if self.layer == "collective" else cast(Store, self.short_name.split("_", 1)[0])


class Contract(pa.DataFrameModel):
    """Base of every contract. Columns beyond the declared ones are refused; nothing is coerced silently."""

    class Config:
        strict = True
        ordered = False
        coerce = False


ContractModel = type[Contract]
_FACTS = "groningen"


def table(**facts: Any) -> dict[str, TableFacts]:
    """Table facts for `class Config: metadata = table(...)`; see `TableFacts` for the arguments."""
    return {_FACTS: TableFacts(**facts)}


def column(
    title_nl: str,
    title_en: str,
    *,
    unit: str | None = None,
    personal_data: PersonalData = "none",
    protection: Protection | None = None,
    renamed_from: str | None = None,
    nullable: bool = False,
    **checks: Any,
) -> Any:
    """A contract column: Dutch and English title, unit, personal-data class, and pandera's checks (`ge=`, `isin=`, …)."""
    facts = ColumnFacts(title_nl, title_en, unit, personal_data, protection, renamed_from)
    return pa.Field(nullable=nullable, title=title_en, description=title_nl, metadata={_FACTS: facts}, **checks)


def facts_of(contract: ContractModel) -> TableFacts:
    """The table facts of a contract.

    Raises:
        ContractError: The contract declares none.
    """
    metadata = contract.__config__.metadata or {} if contract.__config__ else {}
    facts = metadata.get(_FACTS)
    if not isinstance(facts, TableFacts):
        raise ContractError(contract.__name__, "declares no table facts", "add `class Config: metadata = table(...)`")
    return facts


def columns_of(contract: ContractModel) -> dict[str, ColumnFacts]:
    """Facts per column, in the order of declaration."""
    return {name: (c.metadata or {})[_FACTS] for name, c in contract.to_schema().columns.items()}


def polars_schema(contract: ContractModel) -> dict[str, pl.DataType]:
    """Polars types per column, in the order of declaration."""
    return {name: _dtype(c) for name, c in contract.to_schema().columns.items()}


def sql_types(contract: ContractModel) -> dict[str, str]:
    """DuckDB types per column, in the order of declaration."""
    return {name: sql_type(dtype) for name, dtype in polars_schema(contract).items()}


def _dtype(schema_column: Any) -> pl.DataType:
    dtype = schema_column.dtype.type
    return cast(pl.DataType, dtype() if isinstance(dtype, type) else dtype)


_SQL_TYPES: dict[type[pl.DataType], str] = {
    pl.String: "VARCHAR",
    pl.Boolean: "BOOLEAN",
    pl.Int16: "SMALLINT",
    pl.Int32: "INTEGER",
    pl.Int64: "BIGINT",
    pl.Float32: "FLOAT",
    pl.Float64: "DOUBLE",
    pl.Date: "DATE",
    pl.Binary: "BLOB",
}


def sql_type(dtype: pl.DataType) -> str:
    """The DuckDB type that holds a polars type.

    Raises:
        ContractError: The lakehouse has no type for it.
    """
    if isinstance(dtype, pl.Datetime):
        return "TIMESTAMP WITH TIME ZONE" if dtype.time_zone else "TIMESTAMP"
    if isinstance(dtype, pl.List):
        return f"{sql_type(cast(pl.DataType, dtype.inner if not isinstance(dtype.inner, type) else dtype.inner()))}[]"
    try:
        return _SQL_TYPES[type(dtype)]
    except KeyError:
        raise ContractError(
            str(dtype), "the lakehouse has no column of this type", f"use one of {[t.__name__ for t in _SQL_TYPES]}"
        ) from None


@dataclass(frozen=True)
class Rule:
    """One row rule of a contract: its id, the column it guards (None: several) and a sentence for people."""

    id: str
    column: str | None
    sentence: str
    statement: str = field(compare=False, default="")


def rules_of(contract: ContractModel) -> list[Rule]:
    """Every row rule of a contract, in the order of declaration; ids are `column.rule` or `row.rule`."""
    schema = contract.to_schema()
    rules: list[Rule] = []
    for name, schema_column in schema.columns.items():
        title = (schema_column.title or name).lower()
        rules.append(Rule(f"{name}.type", name, f"{title} is readable as {sql_type(_dtype(schema_column)).lower()}"))
        if not schema_column.nullable:
            rules.append(Rule(f"{name}.required", name, f"{title} is filled in"))
        for check in schema_column.checks:
            rules.append(Rule(f"{name}.{check.name}", name, f"{title}: {_sentence(check)}", str(check.error or check)))
    for check in schema.checks:
        rules.append(Rule(f"row.{check.name}", None, check.description or check.name.replace("_", " "), check.name))
    facts = facts_of(contract)
    rules += [Rule(id, None, sentence) for id, sentence in facts.source_rules]
    if facts.partition_columns:
        rules.append(Rule("batch.partition", None, f"the row belongs to its batch by {', '.join(facts.partition_columns)}"))
    rules.append(Rule("key.unique", None, f"no two rows share {', '.join(facts.key)}"))
    return rules


def _sentence(check: Any) -> str:
    values = {k: ", ".join(map(str, v)) if isinstance(v, list) else v for k, v in (check.statistics or {}).items()}
    words = {
        "greater_than_or_equal_to": "at least {min_value}",
        "less_than_or_equal_to": "at most {max_value}",
        "greater_than": "more than {min_value}",
        "less_than": "less than {max_value}",
        "in_range": "between {min_value} and {max_value}",
        "isin": "one of {allowed_values}",
        "str_matches": "has the form {pattern}",
        "str_length": "has the right length",
    }
    template: str = words.get(check.name, check.name.replace("_", " "))
    try:
        return template.format(**values)
    except KeyError:
        return template


def problems_of(contract: ContractModel) -> list[str]:
    """What a contract still owes its readers; empty when it is complete."""
    facts = facts_of(contract)
    columns = columns_of(contract)
    found: list[str] = []
    for name in ("title_nl", "title_en", "grain", "owner", "purpose", "legal_basis", "classification", "retention"):
        if not getattr(facts, name):
            found.append(f"{facts.name}: no {name}")
    if not (contract.__doc__ or "").strip() or contract.__doc__ == Contract.__doc__:
        found.append(f"{facts.name}: no description (docstring)")
    if facts.freshness_days <= 0:
        found.append(f"{facts.name}: freshness_days must be positive")
    if facts.classification != "public" and not facts.reason_not_public:
        found.append(f"{facts.name}: not public, but no reason_not_public")
    if facts.layer not in ("core", "collective"):
        found.append(f"{facts.name}: unknown layer")
    if not facts.key or set(facts.key) - set(columns):
        found.append(f"{facts.name}: key {facts.key} is empty or not among the columns")
    if (facts.load_mode == "partition") != bool(facts.partition_columns):
        found.append(f"{facts.name}: partition_columns belong to load mode partition, and only there")
    if facts.period_column and facts.period_column not in columns:
        found.append(f"{facts.name}: period_column {facts.period_column} is not among the columns")
    if set(facts.running_columns) - set(columns) or (facts.running_columns and not facts.period_column):
        found.append(
            f"{facts.name}: running_columns {facts.running_columns} are not among the columns, or there is no period_column"
        )
    if set(facts.partition_columns) - set(columns):
        found.append(f"{facts.name}: partition_columns {facts.partition_columns} are not among the columns")
    for rate in facts.rates:
        if {rate.numerator, rate.denominator} - set(columns):
            found.append(f"{facts.name}: rate {rate.name} is made of unknown columns")
    for name, c in columns.items():
        if not c.title_nl or not c.title_en:
            found.append(f"{facts.name}.{name}: no title")
        if facts.served and c.personal_data in ("pseudonym", "personal", "special"):
            found.append(f"{facts.name}.{name}: {c.personal_data} data may not be served")
        if facts.served and c.personal_data == "statistic" and c.protection is None:
            found.append(f"{facts.name}.{name}: a count of people is served without protection")
    return found
