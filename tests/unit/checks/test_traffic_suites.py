"""The suites of the traffic store: what a usual batch passes, and which check an odd one fails."""

from datetime import UTC, date, datetime, timedelta

import duckdb
import polars as pl
import pytest

from checks.traffic import bicycle_counts, charge_points, counts, events, historical_counts, parking, site_indexes
from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.traffic.bicycle_counts import TrafficBicycleCounts
from groningen_data.contracts.traffic.charge_points import TrafficChargePoints
from groningen_data.contracts.traffic.counts import TrafficCounts
from groningen_data.contracts.traffic.events import TrafficEvents
from groningen_data.contracts.traffic.historical_counts import TrafficHistoricalCounts
from groningen_data.contracts.traffic.parking import TrafficParking
from groningen_data.contracts.traffic.site_indexes import TrafficSiteIndexes
from groningen_data.gate.suite import BatchFacts, Suite

DAY = date(2026, 3, 3)
NOW = datetime(2026, 3, 4, 6, tzinfo=UTC)


def failing(suite: Suite, contract, batch: pl.DataFrame, key: str, **published: pl.DataFrame) -> set[str]:
    """Names of the checks by query that the batch does not pass, with these tables published (`traffic_counts=…`)."""
    facts = BatchFacts(key, date.fromisoformat(key[:10]) if key[4:8:3] == "--" else None, batch.height, (), NOW, "GM0014")
    tables = {
        "traffic_sites": pl.DataFrame({"site_id": ["S"]}),
        "traffic_counts": pl.DataFrame(schema=polars_schema(TrafficCounts)),
        "traffic_historical_counts": pl.DataFrame(schema=polars_schema(TrafficHistoricalCounts)),
        "traffic_bicycle_counts": pl.DataFrame(schema=polars_schema(TrafficBicycleCounts)),
        "traffic_bicycle_counters": pl.DataFrame({"counter_id": ["c"]}),
        "reference_neighbourhoods": pl.DataFrame({"neighbourhood_code": ["BU00140000"]}),
    } | published
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'; ATTACH ':memory:' AS lake; CREATE SCHEMA lake.core")
        for name, frame in tables.items():
            con.register("frame", frame.to_arrow())
            con.execute(f"CREATE TABLE lake.core.{name} AS SELECT * FROM frame")
        con.register("batch", batch.select(*polars_schema(contract)).to_arrow())
        found = set()
        for expectation in suite:
            query = (expectation.arguments(facts) or {}).get("unexpected_rows_query")
            if query and con.execute(query.replace("{batch}", "batch")).fetchall():
                found.add(expectation.name)
    return found


def counted(day: date = DAY, **changed: pl.Expr) -> pl.DataFrame:
    """A day of five-minute counts of four lanes of one site."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=1)
    at = pl.datetime_range(start, start + timedelta(minutes=5 * 287), "5m", time_unit="us", eager=True).alias("interval_start_at")
    lanes = pl.DataFrame({"lane_code": ["lane1", "lane2", "lane3", "lane4"], "series_code": ["1", "2", "3", "4"]})
    hour = pl.col("local_hour")
    flow = pl.when(hour.is_between(7, 20)).then(600.0 + hour).otherwise(60.0)
    frame = (
        at.to_frame()
        .join(lanes, how="cross")
        .with_columns(
            pl.lit("loops").alias("feed_code"),
            pl.lit("S").alias("site_id"),
            pl.lit(None, pl.Int64).alias("site_version"),
            pl.lit(day).alias("local_date"),
            pl.col("interval_start_at").dt.convert_time_zone("Europe/Amsterdam").dt.hour().cast(pl.Int64).alias("local_hour"),
            pl.lit(day.isoweekday()).cast(pl.Int64).alias("weekday"),
            pl.lit(5, pl.Int64).alias("measured_minutes"),
            pl.lit(45.0).alias("speed_km_h"),
            pl.lit(1.0).alias("occupancy_pct"),
            pl.lit(None, pl.String).alias("flow_missing_reason"),
            pl.lit(None, pl.String).alias("speed_missing_reason"),
            pl.lit("any").alias("vehicle_class"),
        )
    )
    frame = frame.with_columns(flow_veh_h=flow)
    return frame.with_columns(**changed).with_columns(vehicles=pl.col("flow_veh_h") * pl.col("measured_minutes") / 60)


def weeks_before(**changed: pl.Expr) -> pl.DataFrame:
    return pl.concat(counted(DAY - timedelta(weeks=n), **changed) for n in (1, 2, 3)).select(*polars_schema(TrafficCounts))


FIRST_HALF = pl.col("interval_start_at") < datetime(2026, 3, 3, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "failed"),
    [
        ({}, set()),
        ({"site_id": pl.lit("X")}, {"sites_are_known"}),
        ({"flow_missing_reason": pl.lit("no_input")}, {"missing_values_say_why"}),
        ({"local_hour": (pl.col("local_hour") + 12) % 24}, {"busier_by_day_than_at_night"}),
        ({"lane_code": pl.lit("lane1")}, {"lanes_count_once"}),
        ({"interval_start_at": pl.col("interval_start_at") + pl.duration(days=3)}, {"not_in_the_future"}),
        (
            {
                "flow_veh_h": pl.when(~FIRST_HALF).then(pl.col("flow_veh_h")),
                "flow_missing_reason": pl.when(FIRST_HALF).then(pl.lit("detector_error")),
            },
            {"most_detectors_work", "intervals_are_mostly_good"},
        ),
        (
            {"flow_veh_h": pl.lit(None, pl.Float64), "flow_missing_reason": pl.lit("not_delivered")},
            {"most_flows_are_there", "intervals_are_mostly_good"},
        ),
        ({"flow_veh_h": pl.lit(None, pl.Float64), "flow_missing_reason": pl.lit("measured_elsewhere")}, set()),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else None,
)
def test_an_odd_day_of_counts_fails_the_check_that_is_about_it(changed, failed):
    assert failing(counts.SUITE, TrafficCounts, counted(**changed), f"{DAY}/loops") == failed


@pytest.mark.parametrize(
    ("before", "failed"),
    [
        ({}, set()),
        ({"flow_veh_h": pl.col("flow_veh_h") / 3}, {"flow_like_the_same_weekday"}),
        ({"speed_km_h": pl.lit(70.0)}, {"speed_like_the_same_weekday"}),
        ({"site_id": pl.col("series_code")}, {"as_many_sites_count"}),
        ({"feed_code": pl.lit("datex"), "flow_veh_h": pl.lit(1.0)}, set()),
    ],
    ids=["the same", "less flow", "faster", "more sites", "another feed"],
)
def test_a_day_is_compared_with_the_same_weekday_of_its_own_feed(before, failed):
    published = {"traffic_counts": weeks_before(**before)}
    assert failing(counts.SUITE, TrafficCounts, counted(), f"{DAY}/loops", **published) == failed


def historical(**changed: pl.Expr) -> pl.DataFrame:
    """A day of hourly counts of one series."""
    nothing = {n: pl.lit(None, t) for n, t in polars_schema(TrafficHistoricalCounts).items()}
    hours = counted().filter(pl.col("lane_code") == "lane1").gather_every(12)
    known = {"source_code": pl.lit("ndw_historical"), "period_s": pl.lit(3600, pl.Int64), "vehicles": pl.col("flow_veh_h")}
    missing = {n: e for n, e in nothing.items() if n not in hours.columns}
    return hours.with_columns(**(missing | known)).with_columns(**changed)


@pytest.mark.parametrize(
    ("changed", "failed"),
    [
        ({}, set()),
        ({"vehicles": pl.col("flow_veh_h") * 2}, {"vehicles_follow_from_flow"}),
        ({"period_s": pl.lit(7200, pl.Int64), "vehicles": pl.col("flow_veh_h") * 2}, {"periods_do_not_overlap"}),
        ({"period_s": pl.lit(60, pl.Int64), "vehicles": pl.col("flow_veh_h") / 60}, {"whole_days"}),
        ({"speed_km_h": pl.lit(200.0)}, {"believable_mean_speed"}),
        (
            {
                "flow_veh_h": pl.lit(None, pl.Float64),
                "vehicles": pl.lit(None, pl.Float64),
                "flow_missing_reason": pl.lit("excluded"),
            },
            {"few_rows_are_excluded", "periods_are_mostly_good"},
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else None,
)
def test_an_odd_day_of_history_fails_the_check_that_is_about_it(changed, failed):
    assert failing(historical_counts.SUITE, TrafficHistoricalCounts, historical(**changed), f"{DAY}/ndw_historical") == failed


def bicycles(month: int = 2, **changed: pl.Expr) -> pl.DataFrame:
    """February 2026 of one counter, or another month of 28 days."""
    first = datetime(2026, month, 1) if month <= 2 else datetime(2025, month, 1)
    at = pl.datetime_range(first, first + timedelta(hours=28 * 24 - 1), "1h", time_unit="us", eager=True).alias("clock")
    frame = at.to_frame().join(pl.DataFrame({"direction_code": ["main", "opposite"]}), how="cross")
    hour = pl.col("local_hour")
    frame = frame.with_columns(
        pl.lit(f"{first:%Y-%m}").alias("month_code"),
        pl.lit("c").alias("counter_id"),
        (pl.col("clock") - pl.duration(hours=1)).dt.replace_time_zone("UTC").alias("interval_start_at"),
        pl.col("clock").dt.date().alias("local_date"),
        pl.col("clock").dt.hour().cast(pl.Int64).alias("local_hour"),
        pl.col("clock").dt.weekday().cast(pl.Int64).alias("weekday"),
        pl.lit(60, pl.Int64).alias("interval_minutes"),
        pl.lit(None, pl.String).alias("bicycles_missing_reason"),
    ).with_columns(bicycles=pl.when(hour == 8).then(300).when(hour.is_between(7, 20)).then(90).otherwise(hour).cast(pl.Int64))
    return frame.with_columns(**changed).select(*polars_schema(TrafficBicycleCounts))


@pytest.mark.parametrize(
    ("changed", "failed"),
    [
        ({}, set()),
        ({"counter_id": pl.lit("x")}, {"counter_is_known"}),
        ({"local_hour": pl.col("local_hour") - 2}, {"morning_rush_at_its_hour"}),
        ({"bicycles": pl.lit(7, pl.Int64)}, {"counts_differ", "morning_rush_at_its_hour"}),
        ({"direction_code": pl.lit("main")}, {"both_directions"}),
        ({"bicycles_missing_reason": pl.lit("not_delivered")}, {"missing_counts_say_why"}),
        ({"bicycles": pl.when(pl.col("local_date") != date(2026, 2, 9)).then("bicycles").otherwise(0)}, {"no_silent_days"}),
        ({"bicycles": pl.col("bicycles") * 50}, {"believable_day"}),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else None,
)
def test_an_odd_month_of_bicycles_fails_the_check_that_is_about_it(changed, failed):
    assert failing(bicycle_counts.SUITE, TrafficBicycleCounts, bicycles(**changed), "2026-02/c") == failed


def test_a_month_with_days_missing_is_told_when_it_is_over():
    part = bicycles().filter(pl.col("local_date") < date(2026, 2, 20))
    assert failing(bicycle_counts.SUITE, TrafficBicycleCounts, part, "2026-02/c") == {"whole_month"}


@pytest.mark.parametrize(
    ("before", "failed"),
    [
        ({}, set()),
        ({"bicycles": pl.col("bicycles") * 4}, {"like_earlier_months", "working_days_like_earlier_months"}),
        (
            {"bicycles": pl.when(pl.col("direction_code") == "main").then("bicycles").otherwise(0)},
            {"directions_like_earlier_months"},
        ),
    ],
    ids=["the same", "more", "one direction"],
)
def test_a_month_of_bicycles_is_compared_with_the_months_before(before, failed):
    earlier = pl.concat(bicycles(month, **before) for month in (9, 10, 11))
    assert failing(bicycle_counts.SUITE, TrafficBicycleCounts, bicycles(), "2026-02/c", traffic_bicycle_counts=earlier) == failed


def index(code: str, **changed: object) -> dict:
    usual = {"table_version": "896", "table_code": "T", "site_id": "S", "site_version": 1, "period_s": 60.0, "longitude": 6.5}
    return usual | {"index_code": code, "quantity": "flow", "lane_code": "lane1", "vehicle_class": "any"} | changed


@pytest.mark.parametrize(
    ("indexes", "failed"),
    [
        ([index("1"), index("2", vehicle_class="length_1.85_2.40")], set()),
        ([index("1", quantity="speed")], {"flows_are_there"}),
        ([index("1", vehicle_class="car")], {"most_sites_count_all_vehicles"}),
        ([index("1"), index("2")], {"lanes_are_counted_once"}),
        ([index("1"), index("1", site_version=2)], {"one_version_of_a_site"}),
        ([index("1"), index("2", vehicle_class="unknown")], {"classes_are_told"}),
        ([index("1", longitude=None)], {"sites_have_a_place"}),
    ],
    ids=["usual", "no flow", "no any", "twice", "two versions", "unknown class", "no place"],
)
def test_an_odd_site_table_fails_the_check_that_is_about_it(indexes, failed):
    frame = pl.DataFrame(indexes, schema=polars_schema(TrafficSiteIndexes))
    assert failing(site_indexes.SUITE, TrafficSiteIndexes, frame, "896/T") == failed


PLACE = {"longitude": 6.5, "latitude": 53.2, "neighbourhood_code": "BU00140000", "location_status": "inside"}
EVENT = PLACE | {"event_id": "E", "event_kind": "event", "starts_at": NOW, "ends_at": NOW, "starts_on": DAY, "ends_on": DAY}
PARKING = PLACE | {"parking_id": "P", "parking_kind": "garage", "capacity": 3}
POINT = PLACE | {"charge_point_id": "L", "sockets": 2, "power_kw": 11.0, "status_code": "in_service"}


@pytest.mark.parametrize(
    ("suite", "contract", "row", "failed"),
    [
        (events.SUITE, TrafficEvents, EVENT, set()),
        (events.SUITE, TrafficEvents, EVENT | {"ends_at": None}, {"missing_ends_say_why"}),
        (events.SUITE, TrafficEvents, EVENT | {"ends_on": date(2036, 1, 1)}, {"few_last_very_long"}),
        (events.SUITE, TrafficEvents, EVENT | {"starts_on": date(2036, 1, 1)}, {"not_announced_years_ahead"}),
        (events.SUITE, TrafficEvents, EVENT | {"neighbourhood_code": "BU09999999"}, {"placed_events_have_a_neighbourhood"}),
        (
            events.SUITE,
            TrafficEvents,
            EVENT | {"neighbourhood_code": None, "location_status": "outside_municipality"},
            {"most_events_lie_inside"},
        ),
        (parking.SUITE, TrafficParking, PARKING, set()),
        (parking.SUITE, TrafficParking, PARKING | {"capacity": None}, {"missing_capacities_say_why"}),
        (parking.SUITE, TrafficParking, PARKING | {"parking_kind": "other"}, {"kinds_are_known"}),
        (charge_points.SUITE, TrafficChargePoints, POINT, set()),
        (charge_points.SUITE, TrafficChargePoints, POINT | {"power_kw": None}, {"missing_values_say_why"}),
        (charge_points.SUITE, TrafficChargePoints, POINT | {"status_code": "other"}, {"statuses_are_known"}),
        (charge_points.SUITE, TrafficChargePoints, POINT | {"status_code": "fault"}, {"most_charge_points_work"}),
        (
            charge_points.SUITE,
            TrafficChargePoints,
            POINT | {"neighbourhood_code": "BU09999999"},
            {"charge_points_lie_in_a_neighbourhood"},
        ),
        (
            charge_points.SUITE,
            TrafficChargePoints,
            POINT | {"location_status": "outside_municipality"},
            {"charge_points_lie_in_a_neighbourhood"},
        ),
    ],
    ids=lambda value: "+".join(sorted(value)) if isinstance(value, set) else "",
)
def test_an_odd_list_fails_the_check_that_is_about_it(suite, contract, row, failed):
    assert failing(suite, contract, pl.DataFrame([row], schema=polars_schema(contract)), "snapshot") == failed


@pytest.mark.parametrize(
    "suite", [counts.SUITE, historical_counts.SUITE, bicycle_counts.SUITE], ids=["counts", "history", "bicycles"]
)
def test_a_time_series_has_ten_expectations_or_more_with_sentences_of_their_own(suite):
    assert len(suite) >= 10
    assert len({e.name for e in suite}) == len({e.sentence for e in suite}) == len(suite)
