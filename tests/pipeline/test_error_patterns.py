"""The mart of error patterns: what it counts by hand, the planted pattern over five seeds, and what leaves the house."""

from datetime import date

import numpy as np
import pytest

from groningen_data.contracts.collective.error_patterns import LEVELS, ErrorPatterns
from groningen_data.sample.welfare import LIFTED
from groningen_data.serving.protect import protected_select
from tests.pipeline.conftest import sample_settings
from tests.pipeline.memory_lake import MemoryLake
from tests.pipeline.payloads import write_payloads

TABLE, CASES = "collective.error_patterns", "core.welfare_closed_cases"
LIFTED_HERE = ("income", "change_report", "letter")


def case(number: int, closed_on: str, amount: float | None = 100.0, cause: str | None = "income", channel: str | None = "letter"):
    return {
        "case_pseudonym": f"{number:040x}",
        "closed_on": date.fromisoformat(closed_on),
        "cause_code": cause,
        "process_step_code": "application",
        "channel_code": channel,
        "amount_eur": amount,
        "is_irrevocable": True,
    }


@pytest.fixture
def lake(tmp_path):
    return MemoryLake(sample_settings(tmp_path))


def rows(lake: MemoryLake, where: str) -> list[tuple]:
    columns = "cause_code, process_step_code, channel_code, closed_cases, amount_eur, amount_missing_reason"
    return lake.ask(f"SELECT {columns} FROM lake.{TABLE} WHERE {where} ORDER BY ALL")


def test_a_case_counts_once_at_each_level_in_its_quarter_and_its_year(lake):
    lake.put(CASES, [case(1, "2025-12-31"), case(2, "2025-10-01", 300.0, channel="phone"), case(3, "2026-01-01")])
    lake.make(TABLE)
    assert rows(lake, "period_code = '2025KW04' AND level_code = 'total'") == [("all", "all", "all", 2, None, "dominated")]
    assert rows(lake, "period_code = '2025JJ00' AND level_code = 'channel'") == [
        ("all", "all", "letter", 1, None, "dominated"),
        ("all", "all", "phone", 1, None, "dominated"),
    ]
    ends = lake.ask(f"SELECT DISTINCT period_code, period_end_on FROM lake.{TABLE} ORDER BY 1")
    assert ends == [
        ("2025JJ00", date(2025, 12, 31)),
        ("2025KW04", date(2025, 12, 31)),
        ("2026JJ00", date(2026, 12, 31)),
        ("2026KW01", date(2026, 3, 31)),
    ]


def test_what_is_not_known_is_a_group_of_its_own(lake):
    lake.put(CASES, [case(n, "2025-02-01", None, cause=None) for n in range(3)])
    lake.make(TABLE)
    assert rows(lake, "period_code = '2025JJ00' AND level_code = 'cause'") == [("unknown", "all", "all", 3, None, "not_known")]


@pytest.mark.parametrize(("amount", "sum_eur"), [(1000.05, 30_002), (1.15, 35), (33.35, 1_001)])
def test_half_a_euro_is_rounded_the_same_in_whatever_order_cases_are_added(lake, amount, sum_eur):
    lake.put(CASES, [case(n, "2025-02-01", amount) for n in range(30)])
    lake.make(TABLE)
    assert rows(lake, "period_code = '2025JJ00' AND level_code = 'total'")[0][4] == sum_eur


def test_a_sum_that_is_mostly_one_case_is_left_out(lake):
    lake.put(CASES, [*(case(n, "2025-02-01", 10.0) for n in range(40)), case(99, "2025-02-02", 401.0)])
    lake.make(TABLE)
    assert rows(lake, "period_code = '2025JJ00' AND level_code = 'total'") == [("all", "all", "all", 41, None, "dominated")]


def test_nothing_small_is_served_and_no_sum_of_it(lake):
    lake.put(CASES, [case(n, "2025-02-01", 9_000.0) for n in range(9)])
    lake.put(CASES, [case(n, "2025-05-01", 9_000.0) for n in range(100, 114)])
    lake.make(TABLE)
    served = lake.ask(
        "SELECT period_code, closed_cases, closed_cases_suppressed, amount_eur, amount_eur_suppressed "
        f"FROM ({protected_select(ErrorPatterns, f'lake.{TABLE}')}) WHERE level_code = 'total' AND period_code LIKE '%KW%'"
    )
    assert served == [
        ("2025KW01", None, "below_minimum", None, "count_suppressed"),
        ("2025KW02", 10, None, 126_000, None),
    ]


def test_no_column_leads_to_a_person_or_a_place():
    words = ("person", "pseudonym", "case_p", "neighbourhood", "district", "postcode", "gender", "age", "nationality")
    columns = list(ErrorPatterns.to_schema().columns)
    assert [c for c in columns if any(word in c for word in words)] == []


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_the_planted_pattern_stands_out_and_no_other(tmp_path, seed):
    settings = sample_settings(tmp_path, sample_seed=seed)
    write_payloads(settings, ("welfare",), [date(2026, 3, 15)])
    lake = MemoryLake(settings)
    lake.read(settings, CASES)
    lake.make(TABLE)
    of_all = "SELECT sum(closed_cases) FROM lake.collective.error_patterns WHERE period_code LIKE '%JJ00' AND level_code = "
    [total] = lake.one(f"{of_all} 'total'")
    cells = lake.ask(
        "SELECT cause_code, process_step_code, channel_code, sum(closed_cases) FROM lake.collective.error_patterns "
        "WHERE period_code LIKE '%JJ00' AND level_code = 'cause_step_channel' GROUP BY ALL"
    )
    share = {
        part: dict(
            lake.ask(
                f"SELECT {part}, sum(closed_cases) / {total} FROM lake.{TABLE} WHERE level_code = '{level}' "
                "AND period_code LIKE '%JJ00' GROUP BY ALL"
            )
        )
        for level, (part,) in ((level, parts) for level, parts in LEVELS.items() if len(parts) == 1)
    }
    ratios = {}
    for cause, step, channel, cases in cells:
        expected = total * share["cause_code"][cause] * share["process_step_code"][step] * share["channel_code"][channel]
        if expected >= 20:
            ratios[cause, step, channel] = (cases / expected, (cases - expected) / np.sqrt(expected))
    assert LIFTED == ("inkomen", "wijziging_doorgeven", "post")
    best = max(ratios, key=lambda cell: ratios[cell][1])
    # Twice as often as its shares let expect; the pattern itself raises those shares somewhat.
    assert best == LIFTED_HERE and 1.4 < ratios[best][0] < 2.2
    assert max(z for cell, (_, z) in ratios.items() if cell != LIFTED_HERE) < 4.5
