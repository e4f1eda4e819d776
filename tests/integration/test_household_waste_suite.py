"""The suite of household waste: each expectation passes on a usual release, and fails for what it is there to find."""

from collections.abc import Iterator
from datetime import UTC, datetime

import duckdb
import pytest

from assets.reference.household_waste import RECIPE
from groningen_data.contracts.base import sql_types
from groningen_data.gate.great_expectations import evaluate
from groningen_data.gate.suite import BatchFacts

NOW = datetime(2026, 3, 16, 6, tzinfo=UTC)
TABLE = "lake.core.reference_household_waste"
TYPED = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in sql_types(RECIPE.contract).items())
# Two regions, three kinds (one of them the total), ten years.
RELEASE = """
SELECT region AS region_code, if(region = 'NL01', 'country', 'municipality') AS region_level, region AS region_name,
    y::INTEGER AS year, if(y = 2023, 'provisional', 'final') AS year_status, kind AS waste_kind_code, title AS waste_kind_title,
    NULL AS fraction_code, amount - (y - 2014) AS kg_per_inhabitant, NULL AS missing_reason, '83452NED' AS source_table,
    TIMESTAMPTZ '2025-12-11 01:00:00+00' AS released_at
FROM (VALUES ('NL01'), ('GM0014')) r(region), range(2014, 2024) t(y), (VALUES ('T001616', 'Totaal huishoudelijk afval', 480.0),
    ('A025450', 'Huishoudelijk restafval', 180.0), ('A025454', 'GFT-afval', 90.0)) k(kind, title, amount)
"""
RESIDUAL = "waste_kind_code = 'A025450'"
BROKEN = [
    ("DELETE FROM batch WHERE region_code = 'GM0014'", {"our_municipality_is_there"}),
    ("DELETE FROM batch WHERE region_code = 'NL01'", {"the_country_is_there"}),
    (
        "UPDATE batch SET region_code = 'GM0106' WHERE year = 2015 AND waste_kind_code = 'A025454'",
        {"one_municipality_and_one_country"},
    ),
    ("UPDATE batch SET kg_per_inhabitant = NULL WHERE waste_kind_code = 'A025454'", {"missing_values_say_why"}),
    ("UPDATE batch SET waste_kind_title = NULL WHERE waste_kind_code = 'A025454'", {"kinds_have_titles"}),
    (f"DELETE FROM batch WHERE {RESIDUAL}", {"residual_waste_is_there"}),
    (f"UPDATE batch SET kg_per_inhabitant = kg_per_inhabitant / 10 WHERE {RESIDUAL}", {"believable_residual_waste"}),
    ("UPDATE batch SET kg_per_inhabitant = 500 WHERE waste_kind_code = 'A025454'", {"no_kind_exceeds_the_total"}),
    ("DELETE FROM batch WHERE year = 2018", {"years_follow_one_another", "history_stays"}),
    ("DELETE FROM batch WHERE year = 2014", {"history_stays"}),
    (f"UPDATE batch SET kg_per_inhabitant = 50 WHERE {RESIDUAL} AND year = 2018", {"amounts_move_slowly"}),
    ("DELETE FROM batch WHERE year > 2015", {"usual_volume", "history_stays"}),
]


@pytest.fixture(scope="module")
def lake() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database called `lake` with the release before."""
    with duckdb.connect(":memory:") as con:
        con.execute("SET TimeZone = 'UTC'; ATTACH ':memory:' AS lake; CREATE SCHEMA lake.core")
        con.execute(f"CREATE TABLE {TABLE} AS SELECT {TYPED} FROM ({RELEASE})")
        yield con


def failing(con: duckdb.DuckDBPyConnection, change: str | None = None) -> set[str]:
    con.execute(f"CREATE OR REPLACE TEMP TABLE batch AS SELECT {TYPED} FROM ({RELEASE})")
    if change:
        con.execute(change)
    count = con.execute("SELECT count(*) FROM batch").fetchall()[0][0]
    facts = BatchFacts("83452NED", None, count, (60,) * 5, NOW, "GM0014")
    judged = [(e, a) for e in RECIPE.suite if (a := e.arguments(facts)) is not None]
    verdicts = evaluate(con, "batch", [(e.type, a) for e, a in judged])
    assert [v.error for v in verdicts if v.error] == []
    return {e.name for (e, _), v in zip(judged, verdicts, strict=True) if not v.passed}


def test_a_usual_release_meets_its_suite(lake):
    assert failing(lake) == set()


@pytest.mark.parametrize(("change", "expected"), BROKEN)
def test_what_is_wrong_is_found(lake, change, expected):
    assert failing(lake, change) == expected


def test_each_expectation_is_seen_to_fail():
    assert {e.name for e in RECIPE.suite} == set().union(*(expected for _, expected in BROKEN))
