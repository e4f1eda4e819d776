"""The suite of the open reports: what a usual list passes, and which check an odd one fails."""

from datetime import UTC, date, datetime, timedelta

import duckdb
import polars as pl
import pytest

from checks.waste.open_reports import SUITE
from groningen_data.gate.suite import BatchFacts

DAY = date(2026, 3, 9)


def listed(day: date = DAY, **changed: pl.Expr) -> pl.DataFrame:
    """Forty open reports of one list: half of them about waste, nine in ten inside."""
    numbers = pl.DataFrame({"n": range(40)})
    usual = {
        "snapshot_on": pl.lit(day),
        "created_on": pl.lit(day) - pl.duration(days=pl.col("n") % 20),
        "created_at": pl.lit(datetime(2026, 3, 1, tzinfo=UTC)) + pl.duration(minutes=pl.col("n")),
        "waste_kind": pl.when(pl.col("n") % 2 == 0).then(pl.lit("dumping")),
        "location_status": pl.when(pl.col("n") % 10 == 9).then(pl.lit("no_location")).otherwise(pl.lit("inside")),
        "neighbourhood_code": pl.when(pl.col("n") % 10 != 9).then(pl.lit("BU00140000")),
    }
    return numbers.select(**(usual | changed))


def failing(batch: pl.DataFrame) -> set[str]:
    facts = BatchFacts(DAY.isoformat(), DAY, batch.height, (), datetime(2026, 3, 10, tzinfo=UTC), "GM0014")
    with duckdb.connect() as con:
        con.execute("ATTACH ':memory:' AS lake; CREATE SCHEMA lake.core")
        con.register("earlier", pl.concat([listed(DAY - timedelta(days=n)) for n in range(1, 8)]).to_arrow())
        con.execute("CREATE TABLE lake.core.waste_open_reports AS FROM earlier")
        con.execute("CREATE TABLE lake.core.reference_neighbourhoods AS SELECT 'BU00140000' AS neighbourhood_code")
        con.register("batch", batch.to_arrow())
        queries = {e.name: (e.arguments(facts) or {}).get("unexpected_rows_query") for e in SUITE}
        return {name for name, query in queries.items() if query and con.execute(query.replace("{batch}", "batch")).fetchall()}


def test_a_usual_list_passes():
    assert failing(listed()) == set()


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"waste_kind": pl.when(pl.col("n") < 4).then(pl.lit("dumping"))}, "as_much_waste_as_usual"),
        (
            {"location_status": pl.lit("outside_municipality"), "neighbourhood_code": pl.lit(None, pl.String)},
            "as_many_inside_as_usual",
        ),
        ({"created_at": pl.lit(datetime(2026, 3, 1, tzinfo=UTC))}, "not_all_of_one_moment"),
    ],
)
def test_an_odd_list_fails_the_check_that_is_about_it(changed, check):
    assert check in failing(listed(**changed))
