"""Rendering of results, and what starting a query costs."""

import io
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from groningen_data.serving.query import Result, render

ROWS = [
    ("BU00140000", date(2026, 3, 1), 120, 12.5, Decimal("7.50"), True, None),
    ('Noord, "Dijk"', None, 7, float("nan"), None, False, datetime(2026, 3, 1, 6, tzinfo=UTC)),
]
COLUMNS = ("code", "month", "reports", "rate", "amount", "is_known", "seen_at")


def rendered(rows, format, columns=COLUMNS, width=None, cut_at=None) -> str:
    stream = io.StringIO()
    render(Result(tuple(columns), iter(rows), cut_at), format, stream, width)
    return stream.getvalue()


def test_a_table_aligns_numbers_right_and_texts_left():
    assert rendered(ROWS, "table").splitlines() == [
        "code           month       reports  rate  amount  is_known  seen_at",
        "-------------  ----------  -------  ----  ------  --------  --------------------",
        "BU00140000     2026-03-01      120  12.5    7.50  true",
        'Noord, "Dijk"                    7                false     2026-03-01 06:00:00Z',
        "(2 rows)",
    ]


def test_a_table_wider_than_the_screen_becomes_one_line_per_value():
    assert rendered(ROWS[:1], "table", width=40).splitlines() == [
        "-- 1 --------",
        "code      BU00140000",
        "month     2026-03-01",
        "reports   120",
        "rate      12.5",
        "amount    7.50",
        "is_known  true",
        "seen_at",
        "(1 row)",
    ]


def test_texts_are_shortened_before_a_table_is_given_up():
    assert rendered([("x" * 50, 1)], "table", ["a", "b"], width=45).splitlines()[2] == "x" * 39 + "…  1"


def test_an_empty_result_still_shows_its_columns():
    assert rendered([], "table", ["a", "b"], width=1).splitlines() == ["a  b", "-  -", "(0 rows)"]
    assert rendered([], "csv", ["a", "b"]) == "a,b\n"
    assert json.loads(rendered([], "json", ["a", "b"])) == []


def test_a_long_text_is_shortened_in_a_table_and_whole_elsewhere():
    text = "x" * 100
    assert "…" in rendered([(text,)], "table", ["a"])
    assert text in rendered([(text,)], "csv", ["a"])


def test_csv_has_iso_dates_and_nothing_where_a_value_is_missing():
    assert rendered(ROWS, "csv").splitlines()[1:] == [
        "BU00140000,2026-03-01,120,12.5,7.50,true,",
        '"Noord, ""Dijk""",,7,,,false,2026-03-01T06:00:00+00:00',
    ]


def test_json_has_iso_dates_numbers_and_null_where_a_value_is_missing():
    assert json.loads(rendered(ROWS, "json")) == [
        {
            "code": "BU00140000",
            "month": "2026-03-01",
            "reports": 120,
            "rate": 12.5,
            "amount": 7.5,
            "is_known": True,
            "seen_at": None,
        },
        {
            "code": 'Noord, "Dijk"',
            "month": None,
            "reports": 7,
            "rate": None,
            "amount": None,
            "is_known": False,
            "seen_at": "2026-03-01T06:00:00+00:00",
        },
    ]


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), Decimal("NaN")])
def test_json_has_null_for_what_is_no_number(value):
    assert json.loads(rendered([(value, [value])], "json", ["a", "b"])) == [{"a": None, "b": [None]}]


def test_json_keeps_columns_of_the_same_name_apart():
    assert json.loads(rendered([(1, 2, 3)], "json", ["a", "a", "a_2"])) == [{"a": 1, "a_2": 2, "a_2_2": 3}]


def test_a_note_on_stderr_says_that_rows_were_cut(capsys):
    rendered(ROWS, "csv", cut_at=2)
    assert "Only the first 2 rows" in capsys.readouterr().err
    rendered(ROWS, "csv")
    assert capsys.readouterr().err == ""


def test_importing_the_query_imports_nothing_heavy():
    heavy = ["polars", "pandera", "dagster", "great_expectations", "ibis", "pandas", "pyarrow", "pydantic", "sqlalchemy", "rich"]
    script = f"import sys; from groningen_data.serving import query; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
