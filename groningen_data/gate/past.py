"""What suites ask about earlier days, measured once per day and pass of the gate instead of once per day that is compared with it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from groningen_data.gate.suite import Past

_Rows = tuple[str, str, str]
_Values = dict[str, Any]
_NO_ROWS = object()


@dataclass
class Memory:
    """Measures of earlier days, by table, day column and condition, then by day, then by measure.

    It lives for one pass of the gate over one table: batches are gated in order of their days, so a day that was measured does not
    change any more while the writer's lock is held.
    """

    _known: dict[_Rows, dict[date, _Values]] = field(default_factory=dict)

    def measured(self, con: duckdb.DuckDBPyConnection, asked: Callable[[Callable[[Past], str]], Any]) -> Callable[[Past], str]:
        """Measure what somebody is going to ask, in one query for all measures of the same rows.

        Args:
            con: A connection with the lake attached.
            asked: Called with a function that only notes what it is asked; must ask all that will be asked of the result.

        Returns:
            What `BatchFacts.measured` wants: from a measure to a query that holds its values.
        """
        wanted: list[Past] = []

        def note(past: Past) -> str:
            wanted.append(past)
            return past.sql()

        asked(note)
        for rows in {_rows_of(past) for past in wanted}:
            self._measure(con, rows, [past for past in wanted if _rows_of(past) == rows])
        return self._remembered

    def _measure(self, con: duckdb.DuckDBPyConnection, rows: _Rows, wanted: list[Past]) -> None:
        known = self._known.setdefault(rows, {})
        measures = list(dict.fromkeys(past.measure for past in wanted))
        missing = sorted({day for past in wanted for day in past.days if past.measure not in known.get(day, {})})
        if not missing:
            return
        table, column, condition = rows
        columns = ", ".join(f"({measure})::DOUBLE" for measure in measures)
        days = ", ".join(f"DATE '{day}'" for day in missing)
        found = con.execute(
            f"SELECT {column}, {columns} FROM lake.{table} WHERE {column} IN ({days}) AND {condition} GROUP BY {column}"
        ).fetchall()
        by_day = {day: values for day, *values in found}
        for day in missing:
            known[day] = dict(zip(measures, by_day.get(day, [_NO_ROWS] * len(measures)), strict=True))

    def _remembered(self, past: Past) -> str:
        known = self._known[_rows_of(past)]
        values = [value for day in past.days if (value := known[day][past.measure]) is not _NO_ROWS]
        listed = ", ".join("NULL" if value is None else f"'{value!r}'" for value in values)
        return f"SELECT unnest([{listed}]::DOUBLE[]) AS measured"


def _rows_of(past: Past) -> _Rows:
    return past.table, past.day, past.condition
