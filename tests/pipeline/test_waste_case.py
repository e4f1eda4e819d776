"""The case of waste, told from the sample city: its answers name what is planted there, and its pictures are drawn."""

import io
from pathlib import Path

import pytest

from groningen_data.cases import all_cases
from groningen_data.cases.base import tell
from groningen_data.serving.query import query
from groningen_data.settings import Settings

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def told(sample_lake: Settings, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Path]]:
    stream = io.StringIO()
    written = tell(all_cases()["waste"], sample_lake, tmp_path_factory.mktemp("waste"), stream)
    return stream.getvalue(), written


def test_every_question_has_an_answer(told):
    text, _ = told
    for question in all_cases()["waste"].questions:
        answer = text.split(question.title, 1)[1].split("\n\n", 1)[0]
        assert len(answer.splitlines()) > 4, question.title
    assert "Not to be used for: finding or fining" in text


def test_every_picture_is_drawn_as_page_and_picture(told):
    _, written = told
    names = {path.name for path in written}
    for drawing in all_cases()["waste"].drawings:
        assert {f"{drawing.name}.html", f"{drawing.name}.png"} <= names
    assert all(path.read_bytes().startswith(PNG) for path in written if path.suffix == ".png")


def test_the_hotspots_are_those_that_are_planted(sample_lake: Settings):
    sql = all_cases()["waste"].questions[0].sql
    answer = query(sample_lake, sql)
    columns = list(answer.columns)
    rows = [dict(zip(columns, row, strict=True)) for row in answer.rows]
    causes = {(row["neighbourhood_name"], row["likely_cause_code"]) for row in rows}
    assert ("Binnenstad-Noord", "weekday") in causes and ("Noorderplantsoenbuurt", "construction") in causes
    assert {"full_container", "bulky_waste"} <= {cause for _, cause in causes}
    assert all(row["observed"] > row["expected"] and row["q_value"] <= 0.05 for row in rows)
