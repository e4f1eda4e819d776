"""The indicators of the budget as they are written down in `data/reference/kpi_indicators.toml`: read, checked, never computed."""

import tomllib
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from groningen_data.contracts.collective.kpi_scorecard import DIRECTIONS, PERIODS
from groningen_data.errors import ContractError
from groningen_data.settings import PROJECT

PATH = PROJECT / "data" / "reference" / "kpi_indicators.toml"
MARGIN_PCT = 10.0
DECIMALS = 6
"""Values are rounded to so many decimals, so that it does not matter in which order threads add up."""
_PLACEHOLDER = "{period}"


@dataclass(frozen=True)
class Indicator:
    """One version of an indicator.

    Args:
        id: The same in all versions.
        version: From 1 upward.
        valid_from: Periods that begin on this day or later are measured by it, until the next version.
        title_nl: What it measures; the other texts alike, in Dutch and English.
        task_field: Iv3 task field of the budget; none where none fits.
        owner: Who answers for it.
        direction: Whether `lower` or `higher` is better, or neither (`context`, without target).
        period: `month`, `quarter` or `year`.
        table: The table that `sql` asks, as the lake calls it.
        sql: Gives `period_start_on`, `value` and `days`, from the table as it is served.
        target: What is aimed at, in the indicator's unit.
        margin: By how many per cent of the target it may be missed before it is off track.
        target_source: The public document that sets it.
        trend_period: Period of the trend, where it is a shorter one.
    """

    id: str
    version: int
    valid_from: date
    title_nl: str
    title_en: str
    programme_nl: str
    programme_en: str
    goal_nl: str
    goal_en: str
    owner: str
    unit_nl: str
    unit_en: str
    direction: str
    period: str
    table: str
    sql: str
    task_field: str | None = None
    target: float | None = None
    margin: float = MARGIN_PCT
    target_source: str | None = None
    trend_period: str | None = None

    @property
    def served_name(self) -> str:
        """The table as analysts call it."""
        return self.table.split(".", 1)[1]

    def periods_sql(self, period: str | None = None) -> str:
        """The question for all periods.

        Args:
            period: Another period than its own, for the trend.
        """
        asked = self.sql.strip().replace(_PLACEHOLDER, period or self.period)
        return f"SELECT period_start_on, round(value, {DECIMALS}) AS value, days FROM (\n{asked}\n)"

    def query_sql(self, start: date) -> str:
        """The question that gives the figure of one period from the serving database."""
        return f"SELECT value FROM (\n{self.periods_sql()}\n) WHERE period_start_on = DATE '{start}'"


def read_indicators(path: Path = PATH) -> tuple[Indicator, ...]:
    """The indicators of a file, by id and version.

    Raises:
        ContractError: The file is not readable, or an indicator is not complete or contradicts itself.
    """
    try:
        listed = tomllib.loads(path.read_text(encoding="utf-8"))["indicator"]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise ContractError(
            path.name, f"holds no list of indicators ({type(error).__name__})", "compare it with its head"
        ) from None
    found = [_indicator(path.name, entry) for entry in listed]
    found.sort(key=lambda indicator: (indicator.id, indicator.version))
    for earlier, later in pairwise(found):
        if earlier.id != later.id:
            continue
        if later.version != earlier.version + 1 or later.valid_from <= earlier.valid_from or later.period != earlier.period:
            raise ContractError(
                f"{path.name}: {later.id}",
                f"version {later.version} does not follow version {earlier.version}",
                "number versions upward, each with a later first day and the same period",
            )
    return tuple(found)


@cache
def indicators() -> tuple[Indicator, ...]:
    """The indicators that come with the product."""
    return read_indicators()


def tables_of(found: Sequence[Indicator]) -> tuple[str, ...]:
    """The tables that indicators ask, each once."""
    return tuple(dict.fromkeys(indicator.table for indicator in found))


def _indicator(file: str, entry: dict[str, Any]) -> Indicator:
    name = f"{file}: {entry.get('id', 'indicator without id')}"
    known = {field.name for field in fields(Indicator)}
    required = {field.name for field in fields(Indicator) if field.default is MISSING}
    problems = [f"misses {key}" for key in sorted(required - set(entry))] + [f"has {key}" for key in sorted(set(entry) - known)]
    if problems:
        raise ContractError(name, ", ".join(problems), "compare it with the other indicators")
    indicator = Indicator(**entry)
    if indicator.direction not in DIRECTIONS or indicator.period not in PERIODS:
        problems.append("has an unknown direction or period")
    if (indicator.direction == "context") != (indicator.target is None):
        problems.append("needs a target, or the direction `context`, and not both")
    if indicator.trend_period and (indicator.trend_period not in ("week", *PERIODS) or _PLACEHOLDER not in indicator.sql):
        problems.append("has a trend period that its question cannot give")
    if indicator.served_name not in indicator.sql:
        problems.append(f"does not ask {indicator.served_name}")
    if problems:
        raise ContractError(name, ", ".join(problems), "mend the indicator")
    return indicator
