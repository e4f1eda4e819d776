"""What the columns of an answer are to a chart: time, number, name or neighbourhood, with titles from the dictionary.

Reads through the analysts' locked path only; nothing is drawn here.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from groningen_data.serving.query import QueryError, query

if TYPE_CHECKING:
    from groningen_data.settings import Settings

Language = Literal["nl", "en"]
# *ordered* is a whole number that stands for a place in time: an hour, a weekday, a year.
Role = Literal["time", "ordered", "number", "name", "neighbourhood", "reason", "empty"]

# Beyond these a browser draws slowly and nobody reads a point any more.
MOST_ROWS = 20_000
_LOOKED_UP = 1_000_000
# JavaScript holds larger whole numbers only by approximation.
_EXACT = 2**53
_ORDERED = re.compile(r"(.*_)?(year|hour|weekday|iso_week|week|quarter)")
_REASON = re.compile(r".*_(reason|suppressed)")
_NEIGHBOURHOOD = re.compile(r"BU\d{8}")
_DAY, _MONTH = re.compile(r"\d{4}-\d{2}-\d{2}"), re.compile(r"\d{4}-\d{2}")
_AGGREGATE = re.compile(r"(sum|avg|mean|median|min|max)\(\"?(\w+)\"?\)")
_AGGREGATES: dict[Language, dict[str, str]] = {
    "nl": {
        "sum": "som",
        "avg": "gemiddelde",
        "mean": "gemiddelde",
        "median": "mediaan",
        "min": "laagste",
        "max": "hoogste",
    },
    "en": {"sum": "sum", "avg": "mean", "mean": "mean", "median": "median", "min": "lowest", "max": "highest"},
}
_UNITS_NL = {
    "vehicles/day": "voertuigen/dag",
    "vehicles": "voertuigen",
    "vehicles/h": "voertuigen/uur",
    "veh/h": "voertuigen/uur",
    "min/h": "min/uur",
    "h/km": "uur/km",
    "%/week": "% per week",
    "% per day": "% per dag",
    "days": "dagen",
    "d": "dagen",
    "times": "keer",
    "ratio": "",
    "cyclists/day": "fietsers/dag",
    "km/h": "km/u",
    "h": "uur",
    "degree": "graden",
    "share": "",
    "share of days": "aandeel van de dagen",
    "share of hours": "aandeel van de uren",
    "share of expected intervals": "aandeel van de verwachte intervallen",
    "container hours": "containeruren",
    "1 000 EUR": "x 1.000 euro",
}
_UNITS_EN = {"1 000 EUR": "x 1,000 euros", "share": ""}
_FACTS_SQL = """
SELECT table_name, column_name, c.title_nl, c.title_en, unit, type, is_protected
FROM dictionary.columns AS c JOIN dictionary.tables AS t ON t.name = table_name
WHERE t.is_served ORDER BY table_name, position
"""
_TABLES_SQL = "SELECT name, title_nl, title_en FROM dictionary.tables WHERE is_served ORDER BY name"
_REFRESH_SQL = "SELECT as_of, municipality_code, profile FROM dictionary.refresh"


@dataclass(frozen=True)
class Column:
    """One column of an answer: its values as plain numbers, texts, dates or None, and what it means."""

    name: str
    role: Role
    title: str
    unit: str | None
    values: tuple[Any, ...]
    is_protected: bool = False

    @property
    def label(self) -> str:
        """The title with the unit, where the title does not already say it."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def distinct(self) -> int:
        return len(set(self.values))


@dataclass(frozen=True)
class Answer:
    """An answer with its meaning.

    Args:
        columns: The columns in the order of the question.
        rows: Number of rows.
        tables: Titles of the tables that the question names.
        as_of: The instant of which the figures tell (UTC).
        municipality_code: Which municipality.
        is_sample: Whether the figures are those of the made-up sample city.
        language: Of titles and words.
    """

    columns: tuple[Column, ...]
    rows: int
    tables: tuple[str, ...]
    as_of: datetime
    municipality_code: str
    is_sample: bool
    language: Language

    def having(self, *roles: Role) -> list[Column]:
        return [column for column in self.columns if column.role in roles]

    def described(self) -> str:
        """The columns with their roles, for a message."""
        kinds = {"time": "date", "ordered": "date part", "name": "text", "empty": "no values"}
        return ", ".join(f"{c.name} ({kinds.get(c.role, c.role)})" for c in self.columns)


def read_answer(settings: "Settings", sql: str, at: datetime | None, language: Language) -> Answer:
    """Ask a question as `groningen sql` does, and find out what its columns are.

    Raises:
        QueryError: As `query` raises it; the answer has no rows, or more than a chart can show.
    """
    result = query(settings, sql, at)
    rows = list(result.rows)
    if not rows:
        raise QueryError("groningen chart", "the answer has no rows", "widen the question")
    most = min(MOST_ROWS, result.cut_at or MOST_ROWS)
    if result.cut_at is not None or len(rows) > most:
        raise QueryError("groningen chart", f"the answer has more than {most:,} rows", "group or filter them in the question")
    facts = looked_up(settings, _FACTS_SQL, at)
    tables = [row for row in looked_up(settings, _TABLES_SQL, at) if re.search(rf"\b{row[0]}\b", sql, re.IGNORECASE)]
    ((as_of, municipality_code, profile),) = looked_up(settings, _REFRESH_SQL, at)
    asked = {row[0] for row in tables}
    columns = [
        _column(name, values, facts, asked, language)
        for name, values in zip(result.columns, zip(*rows, strict=True), strict=True)
    ]
    return Answer(
        tuple(columns),
        len(rows),
        tuple(row[1] if language == "nl" else row[2] for row in tables),
        at or as_of,
        municipality_code,
        profile == "sample",
        language,
    )


def looked_up(settings: "Settings", sql: str, at: datetime | None) -> list[tuple[Any, ...]]:
    """What a chart itself needs to know, whatever limit there is on the rows of answers."""
    return list(query(settings.model_copy(update={"sql_row_limit": _LOOKED_UP}), sql, at).rows)


def distinguishing(names: Sequence[Column]) -> list[Column]:
    """The names that tell rows apart: none with one value only, and of a code and its name only the name."""
    kept: list[Column] = []
    for column in sorted((n for n in names if n.distinct > 1), key=lambda n: (n.name.endswith("_code"), -n.distinct)):
        if not any(_says_the_same(column, other) for other in kept):
            kept.append(column)
    return sorted(kept, key=names.index)


def independent(names: Sequence[Column]) -> list[Column]:
    """The names that together tell rows apart, the finest first; without those that follow from it, as a district does."""
    names = distinguishing(names)
    if not names:
        return []
    finest = max(names, key=lambda n: n.distinct)
    return [finest, *(n for n in names if n is not finest and _pairs(n, finest) != finest.distinct)]


def _says_the_same(column: Column, other: Column) -> bool:
    return _pairs(column, other) == column.distinct == other.distinct


def _pairs(column: Column, other: Column) -> int:
    return len(set(zip(column.values, other.values, strict=True)))


def _column(name: str, values: Iterable[Any], facts: Sequence[tuple[Any, ...]], asked: set[str], language: Language) -> Column:
    plain = tuple(_plain(value) for value in values)
    aggregate = _AGGREGATE.fullmatch(name)
    known = _known(aggregate.group(2) if aggregate else name, facts, asked)
    if known is None:
        words = name.replace("_", " ").strip()
        title, unit, kind, is_protected = words[:1].upper() + words[1:], None, "", False
    else:
        _, _, title_nl, title_en, unit, kind, is_protected = known
        title = title_nl if language == "nl" else title_en
        unit = None if unit and unit.startswith("per ") else (_UNITS_NL if language == "nl" else _UNITS_EN).get(unit, unit)
    if aggregate:
        # A sum of rates is no rate of that unit.
        unit = None if aggregate.group(1) == "sum" and "/" in (unit or "") else unit
        title = f"{title}, {_AGGREGATES[language][aggregate.group(1)]}"
    role = _role(name, plain, kind)
    if role == "time":
        plain = _as_dates(plain)
    if role in ("time", "ordered"):
        # `Weekdag (1 = maandag)`: an axis needs no such explanation.
        title = re.sub(r" \([^)]*\)$", "", title)
    return Column(name, role, title, unit, plain, bool(is_protected))


def _known(name: str, facts: Sequence[tuple[Any, ...]], asked: set[str]) -> tuple[Any, ...] | None:
    """What the dictionary says of a column; nothing when tables that the question does not name contradict each other."""
    found = [row for row in facts if row[1] == name]
    named = [row for row in found if row[0] in asked]
    if named:
        return named[0]
    return found[0] if len({row[2:5] for row in found}) == 1 else None


def _role(name: str, values: Sequence[Any], kind: str) -> Role:
    held = [value for value in values if value is not None]
    if _REASON.fullmatch(name):
        return "reason"
    if not held:
        return "number" if kind in ("BIGINT", "INTEGER", "DOUBLE") and not _ORDERED.fullmatch(name) else "empty"
    if all(isinstance(value, date) for value in held):
        return "time"
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in held):
        return "ordered" if _ORDERED.fullmatch(name) and all(float(value).is_integer() for value in held) else "number"
    if all(isinstance(value, str) and _NEIGHBOURHOOD.fullmatch(value) for value in held):
        return "neighbourhood"
    if all(isinstance(value, str) and _is_date(value) for value in held):
        return "time"
    return "name"


def _plain(value: Any) -> Any:
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, int) and abs(value) > _EXACT:
        return float(value)
    return value if value is None or isinstance(value, bool | int | str | date) else str(value)


def _is_date(text: str) -> bool:
    if not (_DAY.fullmatch(text) or _MONTH.fullmatch(text)):
        return False
    try:
        _as_date(text)
    except ValueError:
        return False
    return True


def _as_dates(values: Sequence[Any]) -> tuple[Any, ...]:
    """Texts as dates; instants that are all midnights, as `date_trunc` gives them, too."""
    dates = tuple(_as_date(value) for value in values)
    if all(value is None or (isinstance(value, datetime) and value.time() == time()) for value in dates):
        return tuple(value and value.date() for value in dates)
    return dates


def _as_date(value: Any) -> Any:
    return date.fromisoformat(value if _DAY.fullmatch(value) else f"{value}-01") if isinstance(value, str) else value
