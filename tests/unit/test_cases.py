"""Every case is documented: its page quotes its questions, and says what it must not be used for."""

from pathlib import Path

import pytest

from groningen_data.cases import all_cases
from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import facts_of

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
