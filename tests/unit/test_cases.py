"""Every case is documented: its page quotes its questions, and says what it must not be used for."""

import io
from pathlib import Path

import duckdb
import pytest

from groningen_data.cases import all_cases
from groningen_data.cases.base import Case, Question, tell
from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import facts_of
from groningen_data.settings import load_settings

PAGES = Path(__file__).parents[2] / "docs" / "cases"
CASES = all_cases()


@pytest.mark.parametrize("name", CASES)
def test_its_page_quotes_each_question_with_its_sql(name):
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert len(CASES[name].questions) >= 3
    for question in CASES[name].questions:
        assert question.title in page
        assert question.sql.strip() in page, question.title


@pytest.mark.parametrize("name", CASES)
def test_its_page_names_its_tables_and_what_it_is_not_for(name):
    page = " ".join((PAGES / f"{name}.md").read_text(encoding="utf-8").split())
    assert " ".join(CASES[name].not_for.split()) in page
    assert [table for table in CASES[name].needs if f"`{table}`" not in page] == []


@pytest.mark.parametrize("name", CASES)
def test_it_stands_on_served_tables(name):
    served = {table.split(".", 1)[1] for table, contract in all_contracts().items() if facts_of(contract).served}
    served |= {table.replace(".", "_") for table, contract in all_contracts().items() if facts_of(contract).served}
    assert set(CASES[name].needs) <= served


def test_the_list_has_every_case_and_every_page_is_a_case():
    listed = (PAGES / "README.md").read_text(encoding="utf-8")
    assert [name for name in CASES if f"[{name}]({name}.md)" not in listed] == []
    assert {path.stem for path in PAGES.glob("*.md")} - {"README"} == set(CASES)


@pytest.mark.parametrize(
    ("rows", "told", "is_answered"),
    [
        ({"hotspots": 0, "rounds": 0}, "Nothing to tell: no rows here of hotspots, rounds.", False),
        ({"hotspots": 0, "rounds": 2}, "No rows here of hotspots: what rests on them is missing below.", True),
    ],
)
def test_what_is_there_is_told_though_other_tables_have_no_rows(tmp_path, rows, told, is_answered):
    settings = load_settings(profile="sample", data_dir=tmp_path)
    settings.serving_dir.mkdir(parents=True)
    with duckdb.connect(settings.serving_dir / "marts.duckdb") as con:
        for table, count in rows.items():
            con.execute(f"CREATE TABLE {table} AS SELECT range AS number FROM range({count})")
    question = Question("How many rounds?", "SELECT count(*) AS rounds FROM rounds")
    case = Case("waste", "Waste", tuple(rows), (question,), (), "anything")
    stream = io.StringIO()
    assert tell(case, settings, tmp_path / "out", stream) == []
    assert told in stream.getvalue()
    assert (question.title in stream.getvalue()) is is_answered
