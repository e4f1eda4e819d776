"""The mart of how long waste reports stay open, by hand."""

from datetime import date

import pytest

from tests.pipeline.conftest import sample_settings
from tests.pipeline.memory_lake import MemoryLake

TABLE = "collective.report_handling"


def report(number: int, created: int, closed: int | None, kind: str | None = "dumping", seen: int = 2) -> dict:
    return {
        "report_id": str(number),
        "created_on": date(2026, 2, created),
        "closed_on": date(2026, 2, closed) if closed else None,
        "first_seen_on": date(2026, 2, max(created, seen)),
        "last_seen_on": date(2026, 2, closed - 1 if closed else 20),
        "waste_kind": kind,
    }


@pytest.fixture
def lake(tmp_path):
    return MemoryLake(sample_settings(tmp_path))


def test_a_day_is_judged_whole_once_more_than_a_week_has_passed(lake):
    lake.put(
        "core.waste_reports",
        [
            report(1, 1, None),  # made before the first list: those that were closed before are not known
            report(2, 3, 10),  # seven days: in time
            report(3, 3, 11),  # eight days: late
            report(4, 3, None),  # still open
            report(5, 3, 4, "litter"),
            report(6, 3, 5, None),  # not about waste
            report(7, 12, 20),  # eight days before the last list: judged, and late
            report(8, 13, 14),  # seven days before it: not yet
            report(9, 13, None),
        ],
    )
    lake.make(TABLE)
    columns = "created_on, waste_kind, reports, judged_reports, open_over_7_days"
    assert lake.ask(f"SELECT {columns} FROM lake.{TABLE} ORDER BY ALL") == [
        (date(2026, 2, 3), "dumping", 3, 3, 2),
        (date(2026, 2, 3), "litter", 1, 1, 0),
        (date(2026, 2, 12), "dumping", 1, 1, 1),
        (date(2026, 2, 13), "dumping", 2, 0, 0),
    ]


def test_without_reports_there_are_no_rows(lake):
    lake.make(TABLE)
    assert lake.ask(f"SELECT * FROM lake.{TABLE}") == []
