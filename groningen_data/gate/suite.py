"""How a suite is declared: Great Expectations by name, with a severity and a sentence for people.

Declaring must stay cheap: nothing here imports Great Expectations. Evaluation lives in `gate.audit`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal


@dataclass(frozen=True)
class Past:
    """A measure of earlier days of a published table.

    Args:
        table: A published table, such as the batch's own.
        day: Its column of local days.
        condition: SQL condition that its rows must meet.
        measure: SQL aggregate over the rows of a day; a number.
        days: The days wanted; those without such rows are left out.
    """

    table: str
    day: str
    condition: str
    measure: str
    days: tuple[date, ...]

    def sql(self) -> str:
        """A query with the column `measured`, a row per day. Days by name instead of a range: then only their files are read."""
        days = ", ".join(f"DATE '{day}'" for day in self.days)
        return (
            f"SELECT {self.measure} AS measured FROM lake.{self.table} "
            f"WHERE {self.day} IN ({days}) AND {self.condition} GROUP BY {self.day}"
        )


@dataclass(frozen=True)
class BatchFacts:
    """What a suite may know of the batch it judges.

    Args:
        key: Batch key.
        day: Local day of the batch, when its key starts with one.
        rows: Rows staged.
        earlier_rows: Row counts of the latest batches published before (other keys of the table), newest first, at most 28.
        now: The logical clock (UTC).
        municipality_code: CBS code of the lakehouse's municipality.
        measured: Gives a query with the column `measured` for a measure of earlier days; the gate's remembers what it measured.
    """

    key: str
    day: date | None
    rows: int
    earlier_rows: tuple[int, ...]
    now: datetime
    municipality_code: str
    measured: Callable[[Past], str] = Past.sql


@dataclass(frozen=True)
class Expectation:
    """One expectation of a suite.

    Args:
        name: Check name, unique in the suite, snake case.
        type: Great Expectations type, such as `expect_column_mean_to_be_between`.
        sentence: What it means, in words a civil servant understands; shown with every result.
        severity: An *error* rejects the batch; a *warning* is published and shown.
        kwargs: Arguments, or a function from the batch's facts to arguments; None from it means: cannot be judged yet, passes.
            An `unexpected_rows_query` may use `{batch}` for the staged batch and `lake.core.…` for published tables.
    """

    name: str
    type: str
    sentence: str
    severity: Literal["error", "warning"] = "error"
    kwargs: Mapping[str, Any] | Callable[[BatchFacts], Mapping[str, Any] | None] = field(default_factory=dict)

    def arguments(self, facts: BatchFacts) -> Mapping[str, Any] | None:
        """The arguments for one batch."""
        return self.kwargs(facts) if callable(self.kwargs) else self.kwargs


Suite = tuple[Expectation, ...]


def usual_volume(low: float = 0.5, high: float = 2.0) -> Callable[[BatchFacts], Mapping[str, Any] | None]:
    """Row count between `low` and `high` times the median of the latest batches; unknown before three batches."""

    def arguments(facts: BatchFacts) -> Mapping[str, Any] | None:
        if len(facts.earlier_rows) < 3:
            return None
        ordered = sorted(facts.earlier_rows)
        median = ordered[len(ordered) // 2]
        return {"min_value": int(median * low), "max_value": int(median * high) + 1}

    return arguments
