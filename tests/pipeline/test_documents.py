"""The SQL in the documents runs on the sample city, and finds what the city has planted."""

import re
from datetime import date
from pathlib import Path

import duckdb
import pytest

from groningen_data.lakehouse import Lakehouse
from groningen_data.serving.query import query
from groningen_data.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def blocks(document: str) -> list[str]:
    return re.findall(r"```sql\n(.*?)```", (DOCS / document).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(blocks("analysts.md"))))
def test_every_question_of_the_analyst_guide_has_an_answer(sample_lake: Settings, number: int):
    result = query(sample_lake, blocks("analysts.md")[number])
    assert result.columns
    assert list(result.rows)


@pytest.fixture(scope="module")
def planted(sample_lake: Settings) -> dict[str, list[tuple]]:
    """The answer to each statement of docs/sample-city.md, by the first word of its comment."""
    answers = {}
    with Lakehouse(sample_lake).reader() as con:
        con.execute("USE lake")
        for statement in duckdb.extract_statements(blocks("sample-city.md")[0]):
            name = statement.query.strip().removeprefix("-- ").split(".")[0].split(",")[0]
            answers[name] = con.execute(statement.query).fetchall()
    return answers


def test_the_market_days_show_in_the_reports(planted):
    assert {weekday: reports for _, weekday, reports in planted["1"]} == {1: 2, 2: 9, 3: 2, 4: 2, 5: 9, 6: 9, 7: 2}


def test_the_lamps_that_nobody_closes_stay_open(planted):
    assert planted["2"] == [(12,)]


def test_reports_from_outside_and_without_a_place_say_so(planted):
    outside = [n for _, status, n in planted["3"] if status == "outside_municipality"]
    nowhere = [n for _, status, n in planted["3"] if status == "no_location"]
    assert set(outside) == {2} and set(nowhere) <= {1, 2} and len(outside) == len(nowhere) == 13


def test_the_diversion_the_weekends_and_the_missing_day_show_in_the_counts(planted):
    city = {day: flow for day, _, flow, _ in planted["4"]}
    damsterdiep = {day: flow for day, weekday, _, flow in planted["4"] if weekday <= 5}
    usual = [flow for day, flow in damsterdiep.items() if day != date(2026, 3, 6)]
    assert damsterdiep[date(2026, 3, 6)] == pytest.approx(2 * sum(usual) / len(usual), rel=0.1)
    weekday = city[date(2026, 3, 5)]
    assert city[date(2026, 3, 7)] == pytest.approx(0.6 * weekday, rel=0.1)
    assert city[date(2026, 3, 8)] == pytest.approx(0.5 * weekday, rel=0.1)
    assert date(2026, 3, 10) not in city and len(city) == 13


def test_the_dead_detector_has_no_flow_and_a_reason(planted):
    assert planted["8"] == [("detector_error", 13 * 288, 0)]


def test_an_expected_flow_is_not_counted_as_a_measured_one(planted):
    assert planted["9"] == [(0,)]


def test_withheld_and_unreleased_figures_say_so(planted):
    assert dict(planted["10"]) == {None: 100, "withheld": 51}
    assert {code for (code,) in planted["11"]} == {"income_per_recipient_keur", "households_low_income_pct", "income_recipients"}


def test_the_mart_has_the_market_and_an_incomplete_month(planted):
    # 9 on each of five market days before the last, 2 on eight other days, and the district's share of the rest of the city.
    [(reports, completeness, traffic)] = planted[
        "1 and 6 in the mart: Binnenstad-Noord has waste reports; traffic is not complete in March"
    ]
    assert reports >= 5 * 9 + 8 * 2
    assert completeness == pytest.approx(14 / 31)
    assert traffic == 0
