"""Conditions of signal rules: parsed, held against what a rule may ask, and made into an Ibis expression.

What is not known here is refused, so a new function or operator of the parser changes nothing. No text of a rule is ever run:
what runs is built anew from the parsed condition.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from groningen_data.contracts.base import ContractModel, columns_of, polars_schema
from groningen_data.signals.denied import why_denied

if TYPE_CHECKING:
    import ibis

LONGEST = 1_000
"""Characters of a condition; longer ones cannot be explained to the person they are about."""

_MOST_DIGITS = 5
"""Of a number of days: more is no number of days, and some are more than a database can hold."""

_TEXT, _DAY, _YES_NO, _DAYS = "text", "date", "yes or no", "number of days"
_RELATION = "signals"


@dataclass(frozen=True)
class Field:
    """One field of the signals that a rule could look at: its kind of values, and the codes it can have (None: no list)."""

    kind: str
    codes: tuple[str, ...] | None
    names_a_person: bool


@dataclass(frozen=True)
class Condition:
    """A condition that was accepted.

    Args:
        text: As SQL, in one spelling.
        fields: The fields it looks at, in order of name.
        tree: As parsed.
    """

    text: str
    fields: tuple[str, ...]
    tree: Any

    def holds(self, signals: "ibis.Table") -> "ibis.expr.types.BooleanValue":
        """Whether a signal meets it."""
        return _built(self.tree, signals)


def fields_of(contract: ContractModel) -> dict[str, Field]:
    """The fields of a contract as a rule sees them."""
    facts, columns = columns_of(contract), contract.to_schema().columns
    kinds = {pl.String: _TEXT, pl.Date: _DAY, pl.Boolean: _YES_NO}
    found = {}
    for name, dtype in polars_schema(contract).items():
        listed = [check.statistics["allowed_values"] for check in columns[name].checks if check.name == "isin"]
        codes = tuple(sorted(listed[0])) if listed else None
        personal = facts[name].personal_data in ("pseudonym", "personal", "special")
        found[name] = Field(kinds.get(type(dtype), "number"), codes, personal)
    return found


def parsed(condition: str, allowed: Collection[str], fields: Mapping[str, Field]) -> tuple[Condition | None, list[str]]:
    """A condition, and what speaks against it; there is no condition when anything does.

    Args:
        condition: SQL of a yes or no about one signal, such as `signal_type_code = 'study_finance'`.
        allowed: The fields that the rule says it looks at.
        fields: The fields there are.
    """
    import sqlglot
    from sqlglot import exp

    if not condition.strip():
        return None, ["has no condition"]
    if len(condition) > LONGEST:
        return None, [f"has a condition of more than {LONGEST:,} characters"]
    try:
        statements = sqlglot.parse(f"SELECT 1 FROM {_RELATION} WHERE {condition}\n", read="duckdb")
    except Exception:
        # Whatever the parser stumbles over, also in itself: one bad file must not stop the rules beside it.
        return None, ["has a condition that is not readable as SQL"]
    if len(statements) != 1:
        return None, ["has a condition of several statements"]
    [statement] = statements
    if not isinstance(statement, exp.Select):
        return None, ["asks a question within the question (a union or sub-query)"]
    problems = list(_beside_the_condition(statement))
    where = statement.args.get("where")
    if where is None:
        return None, [*problems, "has no condition"]
    problems += _field_problems(where, allowed, fields)
    problems += _node_problems(where.this) or _kind_problems(where.this, fields, problems)
    if problems:
        return None, list(dict.fromkeys(problems))
    names = tuple(sorted({column.name for column in where.find_all(exp.Column)}))
    return Condition(where.this.sql(dialect="duckdb", comments=False), names, where.this), []


def _beside_the_condition(statement: Any) -> Iterator[str]:
    """What stands behind the condition of a question."""
    expected = {"expressions", "from_", "from", "where"}
    for part, value in statement.args.items():
        if not value or part in expected:
            continue
        if part in ("order", "limit", "offset", "qualify", "windows", "distribute", "sort", "cluster"):
            yield "ranks or picks signals (ORDER BY, LIMIT, QUALIFY): what comes first is checked first"
        else:
            yield f"has more than a condition ({part.strip('_').upper()})"


def _field_problems(where: Any, allowed: Collection[str], fields: Mapping[str, Field]) -> Iterator[str]:
    from sqlglot import exp

    for identifier in where.find_all(exp.Identifier):
        if why := why_denied(identifier.name):
            yield f"looks at {_shown(identifier.name)}, which {why}"
    for column in where.find_all(exp.Column):
        name = column.name
        if column.args.get("table") or column.args.get("db") or column.args.get("catalog"):
            yield f"looks at {_shown(column.sql())}, a field of another table"
        elif why_denied(name):
            continue
        elif name not in fields:
            yield f"looks at {_shown(name)}, which the signals do not have"
        elif fields[name].names_a_person:
            yield f"looks at {name}, which names one person or case"
        elif name not in allowed:
            yield f"looks at {name}, which is not among its allowed_fields"


def _node_problems(node: Any) -> list[str]:
    """What a condition asks beyond comparing facts."""
    from sqlglot import exp

    comparing = (
        exp.And,
        exp.Or,
        exp.Not,
        exp.Paren,
        exp.EQ,
        exp.NEQ,
        exp.LT,
        exp.LTE,
        exp.GT,
        exp.GTE,
        exp.In,
        exp.Between,
        exp.Is,
    )
    leaves = (exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Cast, exp.DataType, exp.DateDiff, exp.Var)
    ranking = (exp.Window, exp.Order, exp.Ordered, exp.Limit, exp.Qualify, exp.RowNumber)
    asking = (exp.Subquery, exp.Query, exp.Exists, exp.Any, exp.All)
    scoring = (exp.Case, exp.If, exp.Neg, exp.AggFunc, exp.Coalesce, exp.Greatest, exp.Least)
    problems = []
    for part in node.walk():
        if isinstance(part, ranking):
            problems.append("ranks or picks signals (ORDER BY, LIMIT, QUALIFY): what comes first is checked first")
        elif isinstance(part, asking):
            problems.append("asks a question within the question (a union or sub-query)")
        elif type(part) in (*comparing, *leaves):
            if isinstance(part, exp.In) and set(part.args) - {"this", "expressions"} and _others(part, "this", "expressions"):
                problems.append("asks a question within the question (a union or sub-query)")
        elif isinstance(part, (*scoring, exp.Binary)) and not isinstance(part, exp.Predicate):
            problems.append(f"computes ({part.key.upper()}): a rule compares facts, it gives no score")
        elif isinstance(part, exp.Func) and not isinstance(part, exp.Predicate):
            problems.append(f"uses the function {_shown(part.sql_name() if part.key != 'anonymous' else part.name)}")
        else:
            problems.append(f"uses {part.key.upper()}, which is no comparison of facts")
    return list(dict.fromkeys(problems))


def _others(node: Any, *known: str) -> bool:
    return any(value for name, value in node.args.items() if name not in known)


def _kind_problems(node: Any, fields: Mapping[str, Field], before: Sequence[str]) -> list[str]:
    """Comparisons that cannot be meant; only asked where every field is known."""
    if before:
        return []
    problems: list[str] = []
    kind = _kind(node, fields, problems)
    _constant_problems(node, problems)
    if not problems and kind != _YES_NO:
        problems.append(f"is a {kind}, and not a yes or no")
    return problems


def _kind(node: Any, fields: Mapping[str, Field], problems: list[str]) -> str:
    """The kind of values of a part; problems found on the way are added."""
    from sqlglot import exp

    def same(*compared: Any) -> str:
        parts = [part.unnest() for part in compared]
        kinds = [_kind(part, fields, problems) for part in parts]
        if len(set(kinds)) > 1 and not problems:
            problems.append(f"compares a {kinds[0]} with a {next(k for k in kinds if k != kinds[0])}")
        _codes_problems(parts, fields, problems)
        if not any(part.find(exp.Column) for part in parts):
            problems.append("compares values that are no fields of the signal")
        if any(part == parts[0] for part in parts[1:]):
            problems.append("compares a value with itself")
        return kinds[0]

    match node:
        case exp.Column():
            return fields[node.name].kind
        case exp.Literal():
            if not node.is_string and not re.fullmatch(rf"[0-9]{{1,{_MOST_DIGITS}}}", node.name):
                problems.append(f"has the number {_shown(node.name)}, which is no whole number of days")
            return _TEXT if node.is_string else _DAYS
        case exp.Boolean():
            return _YES_NO
        case exp.Cast():
            if _day(node) is None:
                problems.append("converts something other than a date that is written out: DATE '2026-01-31'")
            return _DAY
        case exp.Paren():
            return _kind(node.this, fields, problems)
        case exp.Not() | exp.And() | exp.Or():
            parts = [node.this] if isinstance(node, exp.Not) else [node.this, node.expression]
            for part in parts:
                _constant_problems(part, problems)
                if _kind(part, fields, problems) != _YES_NO and not problems:
                    problems.append("joins something other than conditions by AND, OR or NOT")
            return _YES_NO
        case exp.DateDiff():
            if str(node.text("unit")).upper() != "DAY" or _others(node, "this", "expression", "unit", "date_part_boundary"):
                problems.append("counts something other than days between dates: date_diff('day', fact_on, received_on)")
            elif {_kind(node.this, fields, problems), _kind(node.expression, fields, problems)} != {_DAY} and not problems:
                problems.append("counts days between values that are no dates")
            return _DAYS
        case exp.EQ() | exp.NEQ():
            same(node.this, node.expression)
            return _YES_NO
        case exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
            if same(node.this, node.expression) not in (_DAY, _DAYS) and not problems:
                problems.append("orders values that have no order; only dates and numbers of days do")
            return _YES_NO
        case exp.In():
            if not node.expressions:
                problems.append("has an empty list")
            same(node.this, *node.expressions)
            return _YES_NO
        case exp.Between():
            if _others(node, "this", "low", "high"):
                problems.append("uses BETWEEN in another form than a lower and an upper bound")
            if same(node.this, node.args["low"], node.args["high"]) not in (_DAY, _DAYS) and not problems:
                problems.append("orders values that have no order; only dates and numbers of days do")
            return _YES_NO
        case exp.Is():
            if not isinstance(node.expression, exp.Null) or not isinstance(node.this, exp.Column):
                problems.append("uses IS other than for a field that is empty or not")
            return _YES_NO
        case _:
            problems.append(f"uses {node.key.upper()} where it has no meaning")
            return str(node.key)


def _constant_problems(node: Any, problems: list[str]) -> None:
    """TRUE or FALSE in the place of a condition: `… OR TRUE` asks for everybody while it seems to look at a fact."""
    from sqlglot import exp

    if isinstance(node.unnest(), exp.Boolean):
        problems.append("has TRUE or FALSE in the place of a condition")


def _codes_problems(parts: Sequence[Any], fields: Mapping[str, Field], problems: list[str]) -> None:
    """Codes that a field cannot have: the rule would never find anything, or means something else than it says."""
    from sqlglot import exp

    for column in (part for part in parts if isinstance(part, exp.Column)):
        field = fields[column.name]
        for literal in (part for part in parts if isinstance(part, exp.Literal) and part.is_string):
            if field.kind == _TEXT and literal.name not in (field.codes or ()):
                problems.append(f"looks for {_shown(literal.name)}, which is no code of {column.name}")


def _day(cast: Any) -> date | None:
    from sqlglot import exp

    if cast.to.this != exp.DataType.Type.DATE or not isinstance(cast.this, exp.Literal) or not cast.this.is_string:
        return None
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cast.this.name):
        return None
    try:
        return date.fromisoformat(cast.this.name)
    except ValueError:
        return None


def _built(node: Any, signals: "ibis.Table") -> Any:
    """The Ibis expression of a condition that was accepted."""
    import ibis
    from sqlglot import exp

    def built(part: Any) -> Any:
        return _built(part, signals)

    match node:
        case exp.Column():
            return signals[node.name]
        case exp.Literal():
            return ibis.literal(node.name) if node.is_string else ibis.literal(int(node.name))
        case exp.Boolean():
            return ibis.literal(bool(node.this))
        case exp.Cast():
            return ibis.literal(_day(node))
        case exp.Paren():
            return built(node.this)
        case exp.Not():
            return ~built(node.this)
        case exp.And():
            return built(node.this) & built(node.expression)
        case exp.Or():
            return built(node.this) | built(node.expression)
        case exp.DateDiff():
            # In DuckDB the later date comes second; the parser puts it first.
            return built(node.this).delta(built(node.expression), unit="day")
        case exp.EQ():
            return built(node.this) == built(node.expression)
        case exp.NEQ():
            return built(node.this) != built(node.expression)
        case exp.LT():
            return built(node.this) < built(node.expression)
        case exp.LTE():
            return built(node.this) <= built(node.expression)
        case exp.GT():
            return built(node.this) > built(node.expression)
        case exp.GTE():
            return built(node.this) >= built(node.expression)
        case exp.In():
            return built(node.this).isin([built(part) for part in node.expressions])
        case exp.Between():
            return built(node.this).between(built(node.args["low"]), built(node.args["high"]))
        case exp.Is():
            return built(node.this).isnull()
    raise AssertionError(f"{node.key} was accepted, but cannot be built")


def _shown(text: str) -> str:
    """A word of a rule as an error quotes it: short, on one line."""
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
