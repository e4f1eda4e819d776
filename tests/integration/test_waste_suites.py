"""The suites of the waste store: each expectation passes on usual batches, and fails for what it is there to find."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import duckdb
import pytest

from assets.waste.containers import RECIPE as CONTAINERS
from assets.waste.depots import RECIPE as DEPOTS
from assets.waste.emptyings import RECIPE as EMPTYINGS
from assets.waste.fill_levels import RECIPE as FILL_LEVELS
from assets.waste.inspection_totals import RECIPE as TOTALS
from assets.waste.inspections import RECIPE as INSPECTIONS
from assets.waste.public_report_counts import RECIPE as MAP_COUNTS
from assets.waste.vehicles import RECIPE as VEHICLES
from groningen_data.contracts.base import sql_types
from groningen_data.gate.great_expectations import evaluate
from groningen_data.gate.recipe import Recipe
from groningen_data.gate.suite import BatchFacts

DAY = date(2026, 3, 9)
NOW = datetime(2026, 3, 16, 6, tzinfo=UTC)
KEYS = {
    "fill_levels": f"{DAY}/telemetry",
    "emptyings": f"{DAY}/kilogram",
    "inspections": "2026-03",
    "inspection_totals": "2025",
    "map_counts": str(DAY),
}

# Forty containers, hourly, on the day and on each of the 21 days before it.
READINGS = """
SELECT 'telemetry' AS source_code, 'C' || c AS container_code, (d + INTERVAL (h) HOUR)::TIMESTAMP AT TIME ZONE 'UTC' AS measured_at,
    d::DATE AS local_date, h AS local_hour, isodow(d) AS weekday, ((c * 7 + h) % 90)::DOUBLE AS fill_pct,
    NULL AS fill_missing_reason, NULL AS content_weight_kg
FROM range(40) x(c), range(24) y(h), (SELECT DATE '2026-03-09' - n::INTEGER AS d FROM range(22) z(n))
"""
WEIGHINGS = """
SELECT 'kilogram' AS source_code, (c % 4)::VARCHAR AS system_code, c::VARCHAR AS emptying_id, (c % 4)::VARCHAR AS vehicle_code,
    'C' || c AS container_code, 'C' || c AS container_codes, 1 AS containers,
    (d + INTERVAL (7 + c % 8) HOUR)::TIMESTAMP AT TIME ZONE 'UTC' AS emptied_at, d::DATE AS local_date, 7 + c % 8 AS local_hour,
    isodow(d) AS weekday, 200.0 + c AS weight_kg, 900.0 + c AS first_weight_kg, 700.0 AS second_weight_kg,
    NULL AS weight_missing_reason, 'residual' AS fraction_code, 'Rest' AS fraction_name, NULL AS fraction_missing_reason,
    6.555 AS longitude, 53.215 AS latitude, 'BU00140000' AS neighbourhood_code, 'inside' AS location_status
FROM range(40) x(c), (SELECT DATE '2026-03-09' - n::INTEGER AS d FROM range(22) z(n))
"""
INSPECTED = """
SELECT strftime(m, '%Y-%m') AS month, strftime(m, '%m') || '-' || c AS inspection_id, 'C' || (c % 40) AS container_code,
    (m + INTERVAL (c % 15) DAY + INTERVAL 10 HOUR)::TIMESTAMP AT TIME ZONE 'UTC' AS inspected_at, (m + INTERVAL (c % 15) DAY)::DATE
    AS inspected_on, 10 AS local_hour, 1 AS weekday, 6.555 AS longitude, 53.215 AS latitude, 'BU00140000' AS neighbourhood_code,
    'inside' AS location_status, c % 4 = 0 AS is_waste_beside, if(c % 8 = 0, 2, 0) AS bulky_items, NULL AS bulky_missing_reason,
    if(c % 4 = 0, 'full', NULL) AS cause_code, NULL AS remark_code
FROM range(150) x(c), (VALUES (DATE '2025-12-01'), (DATE '2026-01-01'), (DATE '2026-02-01'), (DATE '2026-03-01')) v(m)
"""
REGISTRY = """
SELECT 'wfs' AS source_code, 'C' || c AS container_code, false AS is_code_derived, NULL AS cluster_code, 'Straat' AS location_name,
    'residual' AS fraction_code, 'RESTAFVAL' AS fraction_name, NULL AS fraction_missing_reason, NULL AS capacity_l,
    6.555 AS longitude, 53.215 AS latitude, 'BU00140000' AS neighbourhood_code, 'inside' AS location_status, NULL AS has_sensor,
    NULL AS alarm_pct
FROM range(40) x(c)
"""
TOTALLED = """
SELECT 2025 AS year, c::VARCHAR AS location_code, 'Singel' AS location_name, NULL AS district_name, 10 AS inspections,
    4 AS waste_beside, 2 AS bulky, false AS is_dump_spot, DATE '2025-01-02' AS first_on, DATE '2025-10-29' AS last_on,
    6.555 AS longitude, 53.215 AS latitude, NULL AS neighbourhood_code, 'outside_municipality' AS location_status
FROM range(200) x(c)
"""
LISTED = "SELECT '31' AS vehicle_code, 'kraanwagen' AS vehicle_kind, 9000 AS capacity_kg, 'residual' AS fraction_codes, 'D1' AS depot_code, true AS is_in_service"
STANDING = """
SELECT 'D1' AS depot_code, 'Remise' AS depot_name, 'depot' AS depot_kind, 6.6 AS longitude, 53.2 AS latitude
UNION ALL SELECT 'S1', 'Overslag', 'tipping', 6.63, 53.19
"""
ON_THE_MAP = """
SELECT d::DATE AS snapshot_on, if(c < 20, 'afval', 'wegen') AS main_category_code, 'c' || c AS category_code,
    'BU00140000' AS neighbourhood_code, 'inside' AS location_status, if(c < 20, 'litter', NULL) AS waste_kind, 1 + c % 5 AS open_reports,
    d::DATE - 30 AS oldest_created_on, d::DATE AS newest_created_on
FROM range(40) x(c), (SELECT DATE '2026-03-09' - n::INTEGER AS d FROM range(8) z(n))
"""
ROWS: dict[str, tuple[Recipe, str, str]] = {
    "containers": (CONTAINERS, REGISTRY, "true"),
    "fill_levels": (FILL_LEVELS, READINGS, f"local_date = DATE '{DAY}'"),
    "emptyings": (EMPTYINGS, WEIGHINGS, f"local_date = DATE '{DAY}'"),
    "inspections": (INSPECTIONS, INSPECTED, "month = '2026-03'"),
    "inspection_totals": (TOTALS, TOTALLED, "true"),
    "vehicles": (VEHICLES, LISTED, "true"),
    "depots": (DEPOTS, STANDING, "true"),
    "map_counts": (MAP_COUNTS, ON_THE_MAP, f"snapshot_on = DATE '{DAY}'"),
}

# Table, what is done to the batch, and the expectations that then fail.
BROKEN = [
    ("containers", "DELETE FROM batch WHERE container_code > 'C2'", {"as_many_as_before", "hardly_fewer_than_before"}),
    ("containers", "DELETE FROM batch WHERE container_code > 'C4'", {"hardly_fewer_than_before"}),
    ("containers", "UPDATE batch SET longitude = NULL", {"containers_have_a_place", "some_containers_have_a_place"}),
    (
        "containers",
        "UPDATE batch SET longitude = 9 WHERE container_code = 'C1'",
        {"containers_lie_in_the_netherlands", "containers_lie_together"},
    ),
    ("containers", "UPDATE batch SET fraction_code = NULL", {"fractions_are_filled_in", "missing_fractions_say_why"}),
    ("containers", "UPDATE batch SET fraction_code = 'other'", {"fractions_are_known"}),
    ("containers", "UPDATE batch SET neighbourhood_code = 'BU00149999'", {"placed_containers_have_a_neighbourhood"}),
    ("fill_levels", "DELETE FROM batch WHERE local_hour < 10", {"usual_volume"}),
    (
        "fill_levels",
        "DELETE FROM batch WHERE container_code NOT IN ('C5', 'C9')",
        {"usual_volume", "not_a_remnant", "as_many_containers_report", "like_the_same_weekday"},
    ),
    ("fill_levels", "DELETE FROM batch WHERE local_hour > 18", {"readings_until_the_usual_hour"}),
    ("fill_levels", "DELETE FROM batch WHERE container_code > 'C35'", {"as_many_containers_report"}),
    (
        "fill_levels",
        "UPDATE batch SET fill_pct = NULL, fill_missing_reason = 'no_reading' WHERE local_hour > 2",
        {"readings_hold_a_value", "few_readings_without_value"},
    ),
    (
        "fill_levels",
        "UPDATE batch SET fill_pct = NULL WHERE local_hour = 2 AND container_code = 'C1'",
        {"missing_values_say_why"},
    ),
    (
        "fill_levels",
        "UPDATE batch SET fill_pct = 0",
        {"believable_mean", "levels_differ", "few_stuck_sensors", "like_the_same_weekday", "spread_like_earlier_days"},
    ),
    (
        "fill_levels",
        "UPDATE batch SET fill_pct = if(container_code < 'C2', 30, 50)",
        {"levels_differ", "few_stuck_sensors", "spread_like_earlier_days"},
    ),
    ("fill_levels", "UPDATE batch SET fill_pct = fill_pct + 30", {"few_overfull", "like_the_same_weekday"}),
    (
        "fill_levels",
        "UPDATE batch SET measured_at = TIMESTAMPTZ '2027-01-01 00:00:00+00' + INTERVAL (local_hour) HOUR",
        {"not_in_the_future"},
    ),
    ("fill_levels", "UPDATE batch SET container_code = 'X' || container_code", {"containers_are_known"}),
    (
        "emptyings",
        "DELETE FROM batch WHERE container_code <> 'C1'",
        {"usual_volume", "as_many_as_the_same_weekday", "as_many_vehicles_as_the_same_weekday", "emptyings_until_the_usual_hour"},
    ),
    (
        "emptyings",
        "UPDATE batch SET weight_kg = NULL, weight_missing_reason = 'zero'",
        {"weighings_hold_a_weight", "few_weighings_without_weight"},
    ),
    ("emptyings", "UPDATE batch SET weight_missing_reason = 'zero' WHERE container_code = 'C1'", {"missing_weights_say_why"}),
    ("emptyings", "UPDATE batch SET first_weight_kg = 1", {"weights_follow_from_two_weighings"}),
    (
        "emptyings",
        "UPDATE batch SET weight_kg = NULL, weight_missing_reason = 'weights_disagree' WHERE container_code = 'C1'",
        {"few_weights_disagree"},
    ),
    (
        "emptyings",
        "UPDATE batch SET weight_kg = weight_kg + 3000, first_weight_kg = first_weight_kg + 3000",
        {"believable_mean_weight", "few_extreme_weights", "as_heavy_as_the_same_weekday"},
    ),
    ("emptyings", "UPDATE batch SET container_codes = NULL, container_code = NULL", {"containers_are_recognised"}),
    ("emptyings", "UPDATE batch SET container_code = 'X' || container_code", {"containers_are_known"}),
    ("emptyings", "UPDATE batch SET location_status = 'outside_municipality', neighbourhood_code = NULL", {"most_lie_inside"}),
    ("emptyings", "UPDATE batch SET neighbourhood_code = NULL", {"placed_emptyings_have_a_neighbourhood"}),
    ("emptyings", "UPDATE batch SET emptied_at = emptied_at + INTERVAL 1 YEAR", {"not_in_the_future"}),
    ("inspections", "DELETE FROM batch WHERE rowid >= 50", {"usual_volume_a_day"}),
    (
        "inspections",
        "UPDATE batch SET is_waste_beside = true",
        {"usual_share_of_waste_beside", "believable_share_of_waste_beside"},
    ),
    ("inspections", "UPDATE batch SET bulky_items = 30 WHERE is_waste_beside", {"usual_bulky_items", "believable_bulky_items"}),
    (
        "inspections",
        "UPDATE batch SET bulky_items = NULL WHERE bulky_items = 0",
        {"bulky_items_are_counted", "missing_counts_say_why", "usual_bulky_items"},
    ),
    ("inspections", "UPDATE batch SET cause_code = 'full'", {"causes_belong_to_waste"}),
    (
        "inspections",
        "UPDATE batch SET bulky_items = 1 WHERE inspection_id IN ('03-1', '03-2', '03-3', '03-5')",
        {"bulky_waste_is_waste_beside"},
    ),
    ("inspections", "UPDATE batch SET local_hour = 3", {"inspected_by_day"}),
    ("inspections", "UPDATE batch SET container_code = 'X'", {"containers_are_known"}),
    ("inspections", "UPDATE batch SET longitude = NULL", {"inspections_have_a_place"}),
    ("inspections", "UPDATE batch SET location_status = 'no_location'", {"placed_inspections_have_a_neighbourhood"}),
    ("inspections", "UPDATE batch SET inspected_on = DATE '2026-03-01'", {"inspections_go_on", "usual_volume_a_day"}),
    ("inspections", "UPDATE batch SET inspected_at = inspected_at + INTERVAL 1 YEAR", {"not_in_the_future"}),
    ("inspection_totals", "DELETE FROM batch WHERE location_code > '1'", {"locations_are_there"}),
    ("inspection_totals", "UPDATE batch SET bulky = 11 WHERE location_code = '1'", {"not_more_findings_than_inspections"}),
    ("inspection_totals", "UPDATE batch SET first_on = DATE '2025-12-31' WHERE location_code = '1'", {"first_before_last"}),
    ("inspection_totals", "UPDATE batch SET first_on = DATE '2024-12-31' WHERE location_code = '1'", {"within_the_year"}),
    ("inspection_totals", "UPDATE batch SET waste_beside = 0", {"waste_is_found_somewhere"}),
    ("inspection_totals", "UPDATE batch SET longitude = NULL", {"locations_have_a_place"}),
    ("inspection_totals", "UPDATE batch SET latitude = 1.1", {"locations_lie_in_the_netherlands"}),
    ("inspection_totals", "UPDATE batch SET location_name = 'Singel 4' WHERE location_code = '1'", {"no_house_numbers"}),
    ("vehicles", "UPDATE batch SET is_in_service = false", {"some_are_in_service"}),
    ("vehicles", "UPDATE batch SET capacity_kg = 90", {"believable_capacity"}),
    ("vehicles", "UPDATE batch SET fraction_codes = 'other,paper'", {"fractions_are_known"}),
    ("vehicles", "UPDATE batch SET depot_code = 'D9'", {"depots_are_known"}),
    ("depots", "UPDATE batch SET depot_kind = 'depot'", {"both_kinds_are_there"}),
    ("depots", "UPDATE batch SET latitude = 5 WHERE depot_code = 'S1'", {"depots_lie_in_the_netherlands", "depots_lie_together"}),
    ("map_counts", "DELETE FROM batch WHERE category_code >= 'c2'", {"usual_number"}),
    ("map_counts", "UPDATE batch SET open_reports = open_reports * 3", {"usual_number"}),
    ("map_counts", "UPDATE batch SET neighbourhood_code = 'BU00149999'", {"placed_reports_have_a_neighbourhood"}),
    (
        "map_counts",
        "UPDATE batch SET location_status = 'no_location', neighbourhood_code = NULL WHERE main_category_code = 'afval'",
        {"nearly_every_report_has_a_place"},
    ),
    (
        "map_counts",
        "UPDATE batch SET location_status = 'outside_municipality', neighbourhood_code = NULL",
        {"most_reports_lie_inside"},
    ),
    ("map_counts", "UPDATE batch SET category_code = 'c'", {"several_categories"}),
    ("map_counts", "UPDATE batch SET waste_kind = NULL", {"waste_is_among_them"}),
    ("map_counts", "UPDATE batch SET newest_created_on = oldest_created_on", {"new_reports_arrive"}),
]


@pytest.fixture(scope="module")
def lake() -> Iterator[duckdb.DuckDBPyConnection]:
    """Published tables in a database called `lake`: everything before the batch."""
    with duckdb.connect(":memory:") as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("ATTACH ':memory:' AS lake")
        con.execute("CREATE SCHEMA lake.core")
        con.execute("CREATE TABLE lake.core.reference_neighbourhoods AS SELECT 'BU00140000' AS neighbourhood_code")
        for recipe, rows, is_batch in ROWS.values():
            earlier = "true" if recipe.facts.load_mode == "snapshot" or is_batch == "true" else f"NOT ({is_batch})"
            con.execute(f"CREATE TABLE lake.{recipe.facts.name} AS SELECT {_typed(recipe)} FROM ({rows}) WHERE {earlier}")
        yield con


def _typed(recipe: Recipe) -> str:
    return ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in sql_types(recipe.contract).items())


def failing(con: duckdb.DuckDBPyConnection, name: str, change: str | None = None, history: bool = True) -> set[str]:
    """The expectations that a batch fails, after a change to it; what cannot be evaluated is an error."""
    recipe, rows, is_batch = ROWS[name]
    con.execute(f"CREATE OR REPLACE TEMP TABLE batch AS SELECT {_typed(recipe)} FROM ({rows}) WHERE {is_batch}")
    usual = con.execute("SELECT count(*) FROM batch").fetchall()[0][0]
    if change:
        con.execute(change)
    count = con.execute("SELECT count(*) FROM batch").fetchall()[0][0]
    key = KEYS.get(name, "snapshot")
    day = DAY if key.startswith(str(DAY)) else None
    facts = BatchFacts(key, day, count, (usual,) * 21 if history else (), NOW, "GM0014")
    judged = [(e, a) for e in recipe.suite if (a := e.arguments(facts)) is not None]
    verdicts = evaluate(con, "batch", [(e.type, a) for e, a in judged])
    assert [v.error for v in verdicts if v.error] == []
    return {e.name for (e, _), v in zip(judged, verdicts, strict=True) if not v.passed}


@pytest.mark.parametrize("name", ROWS)
def test_a_usual_batch_meets_its_suite(lake, name):
    assert failing(lake, name) == set()


@pytest.mark.parametrize(("name", "change", "expected"), BROKEN, ids=[f"{name}-{n}" for n, (name, *_) in enumerate(BROKEN)])
def test_what_is_wrong_is_found(lake, name, change, expected):
    assert failing(lake, name, change) == expected


@pytest.mark.parametrize("name", ["fill_levels", "emptyings", "inspections", "containers"])
def test_the_first_batch_of_a_table_meets_its_suite(lake, name):
    recipe = ROWS[name][0]
    lake.execute("BEGIN")
    try:
        lake.execute(f"DELETE FROM lake.{recipe.facts.name}")
        if name != "containers":
            assert failing(lake, name, history=False) == set()
        else:
            assert failing(lake, name, "DELETE FROM batch WHERE container_code > 'C2'", history=False) == set()
    finally:
        lake.execute("ROLLBACK")


@pytest.mark.parametrize("name", ROWS)
def test_each_expectation_is_seen_to_fail(name):
    found = set().union(*(expected for table, _, expected in BROKEN if table == name))
    assert {e.name for e in ROWS[name][0].suite} == found


@pytest.mark.parametrize("name", ["fill_levels", "emptyings", "inspections"])
def test_time_series_have_ten_expectations_or_more(name):
    assert len(ROWS[name][0].suite) >= 10
