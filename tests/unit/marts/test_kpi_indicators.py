"""The indicators of the budget as they are written down: complete, versioned, and refused where they contradict themselves."""

from datetime import date

import pytest

from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import facts_of
from groningen_data.errors import ContractError
from groningen_data.marts.kpi_indicators import indicators, read_indicators, tables_of

SQL = "SELECT date_trunc('{period}', local_date)::DATE AS period_start_on, 1.0 AS value, 31 AS days FROM site_hour GROUP BY ALL"
USUAL = f'''
[[indicator]]
id = "flow"
version = 1
valid_from = 2026-01-01
title_nl = "a"
title_en = "a"
programme_nl = "a"
programme_en = "a"
goal_nl = "a"
goal_en = "a"
owner = "a"
unit_nl = "a"
unit_en = "a"
direction = "lower"
target = 5.0
period = "month"
trend_period = "week"
table = "collective.site_hour"
sql = """{SQL}"""
'''
NEXT = USUAL.replace("version = 1", "version = 2").replace("2026-01-01", "2026-03-01")


@pytest.fixture
def read(tmp_path):
    def read(text: str):
        path = tmp_path / "kpi.toml"
        path.write_text(text)
        return read_indicators(path)

    return read


def test_those_of_the_product_are_about_ten_over_all_departments_and_ask_served_tables():
    found = indicators()
    assert len({indicator.id for indicator in found}) >= 10
    assert len({indicator.programme_nl for indicator in found}) >= 3
    assert all(facts_of(all_contracts()[table]).served for table in tables_of(found))
    assert all("verzonnen" in indicator.programme_nl for indicator in found)


def test_versions_are_in_order_and_keep_their_first_day(read):
    found = read(NEXT + USUAL)
    assert [(i.version, i.valid_from) for i in found] == [(1, date(2026, 1, 1)), (2, date(2026, 3, 1))]
    assert (found[0].margin, found[0].served_name) == (10.0, "site_hour")


def test_the_question_of_one_figure_asks_its_period_only(read):
    [indicator] = read(USUAL)
    sql = indicator.query_sql(date(2026, 2, 1))
    assert "date_trunc('month', local_date)" in sql and sql.endswith("WHERE period_start_on = DATE '2026-02-01'")
    assert "date_trunc('week', local_date)" in indicator.periods_sql("week")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no list"),
        ("[[indicator", "holds no list"),
        (USUAL.replace('owner = "a"\n', ""), "misses owner"),
        (USUAL + 'colour = "red"\n', "has colour"),
        (USUAL.replace('"lower"', '"sideways"'), "unknown direction or period"),
        (USUAL.replace('"month"', '"day"'), "unknown direction or period"),
        (USUAL.replace("target = 5.0\n", ""), "needs a target"),
        (USUAL.replace('"lower"', '"context"'), "needs a target, or the direction `context`, and not both"),
        (USUAL.replace("{period}", "month"), "trend period that its question cannot give"),
        (USUAL.replace("FROM site_hour", "FROM elsewhere"), "does not ask site_hour"),
        (USUAL + USUAL, "version 1 does not follow version 1"),
        (USUAL + NEXT.replace("2026-03-01", "2025-03-01"), "version 2 does not follow version 1"),
        (USUAL + NEXT.replace('"month"', '"year"'), "version 2 does not follow version 1"),
    ],
)
def test_what_is_not_complete_or_contradicts_itself_is_refused(read, text, told):
    with pytest.raises(ContractError, match=told.replace("`", ".")):
        read(text)
