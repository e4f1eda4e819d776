"""The random sample through the gate, night by night: committed to, drawn, told, and never drawn anew."""

from datetime import UTC, date, datetime

import pytest

from assets import all_recipes, all_sources
from groningen_data.gate.gate import Gate
from groningen_data.lakehouse import Lakehouse
from groningen_data.landing import Landing
from groningen_data.settings import Settings
from tests.pipeline.conftest import sample_settings
from tests.pipeline.payloads import write_payloads

CASES, COMMITMENTS = "core.welfare_benefit_cases", "collective.random_sample_commitments"
LISTS, DRAWS = "core.welfare_sample_cases", "collective.random_sample_draws"


def night(settings: Settings, day: date, *, force: bool = False) -> dict[str, str]:
    """What the gate said of each table."""
    now = settings.model_copy(update={"as_of": datetime(day.year, day.month, day.day, 6, tzinfo=UTC)})
    gate, said = Gate(Lakehouse(now), "night"), {}
    for table in (COMMITMENTS, LISTS, DRAWS):
        batches = gate.refresh(all_recipes()[table], Landing.of(now), force=force).batches
        said[table] = ", ".join(batch.outcome for batch in batches)
    return said


def rows(settings: Settings, table: str) -> list[tuple]:
    with Lakehouse(settings).reader() as con:
        return con.execute(f"FROM lake.{table} ORDER BY ALL").fetchall()


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    settings = sample_settings(tmp_path_factory.mktemp("city"))
    write_payloads(settings, ("welfare",), [date(2026, 3, 15)])
    all_sources()["benefit_cases"].fetch(settings, Landing.of(settings))
    cases = all_recipes()[CASES]
    suite = tuple(e for e in cases.suite if "reference_neighbourhoods" not in str(e.kwargs))
    Gate(Lakehouse(settings), "night").refresh(type(cases)(cases.contract, suite, feeds=cases.feeds), Landing.of(settings))
    said = [night(settings, date(2026, 3, 16)), night(settings, date(2026, 3, 17))]
    drawn = rows(settings, LISTS)
    said += [
        night(settings, date(2026, 3, 17)),
        night(settings, date(2026, 3, 18), force=True),
        night(settings, date(2026, 4, 1)),
    ]
    return settings, said, drawn


def test_the_first_night_only_commits(nights):
    _, said, _ = nights
    assert said[0] == dict.fromkeys((COMMITMENTS, LISTS, DRAWS), "published")


def test_the_second_night_draws_and_the_same_night_again_changes_nothing(nights):
    _, said, drawn = nights
    assert said[1] == {COMMITMENTS: "", LISTS: "published", DRAWS: "published"}
    assert said[2] == {COMMITMENTS: "", LISTS: "", DRAWS: ""}
    assert len(drawn) > 2_000 and sum(is_drawn for _, _, is_drawn, _, _ in drawn) == 30


def test_what_was_drawn_stands_even_when_everything_is_made_anew(nights):
    settings, said, drawn = nights
    assert set(said[3].values()) == {"unchanged"}
    assert rows(settings, LISTS)[: len(drawn)] == drawn


def test_the_next_month_tells_the_seed_and_draws_again(nights):
    settings, said, _ = nights
    assert set(said[4].values()) == {"published"}
    with Lakehouse(settings).reader() as con:
        log = con.execute(
            f"SELECT month_on, status_code, sha256(seed) = commitment_sha256 FROM lake.{DRAWS} ORDER BY 1"
        ).fetchall()
    assert log == [
        (date(2026, 3, 1), "revealed", True),
        (date(2026, 4, 1), "drawn", None),
        (date(2026, 5, 1), "committed", None),
    ]
