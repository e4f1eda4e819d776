"""The plan of tomorrow's rounds from published tables: what it empties, what it cannot know, and what is printed of it."""

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import polars as pl
import pytest

from assets import all_recipes
from groningen_data.gate.derive import analysed
from groningen_data.gate.judge import judge
from groningen_data.serving.round_pages import geojson, page
from tests.pipeline.conftest import sample_settings
from tests.pipeline.memory_lake import MemoryLake, at

LAST = date(2026, 3, 15)
PLAN, BACKTEST = "collective.collection_plan", "collective.collection_backtest"
# The first four are sure to overflow; c10 and c11 have no sensor; c11 is emptied on other days.
FILL = {f"c{n:02}": 140.0 if n < 4 else 30.0 + n for n in range(10)}
CODES = [*FILL, "c10", "c11"]


def place(number: int) -> dict[str, float]:
    return {"longitude": 6.55 + 0.004 * (number % 4), "latitude": 53.20 + 0.004 * (number // 4)}


def containers() -> list[dict[str, Any]]:
    return [
        {
            "source_code": "wfs", "container_code": code, "fraction_code": "residual", "location_status": "inside",
            "neighbourhood_code": "BU00140000" if number < 2 else "BU00140301", **place(number),
        }
        for number, code in enumerate(CODES)
    ]  # fmt: skip


def weighings(days_ago: range = range(28)) -> list[dict[str, Any]]:
    return [
        {
            "container_codes": code, "container_code": code, "containers": 1, "vehicle_code": "31", "local_date": day,
            "weekday": day.isoweekday(), "local_hour": 7, "emptied_at": at(f"{day}T07:{number:02}"), "weight_kg": 200.0,
        }
        for day in (LAST - timedelta(days=n) for n in days_ago)
        if day.isoweekday() in (1, 7)
        for number, code in enumerate(CODES)
        if code != "c11" or day.isoweekday() == 7
    ]  # fmt: skip


def forecast() -> list[dict[str, Any]]:
    return [
        {
            "container_code": code, "made_from_on": LAST, "forecast_on": LAST + timedelta(days=ahead), "horizon_days": ahead,
            "inflow_pct": 5.0, "fill_pct": fill + 5 * ahead, "fill_low_pct": fill + 5 * ahead - 4, "fill_high_pct": fill + 5 * ahead + 4,
            "alarm_probability": 0.0, "overflow_probability": 0.0,
        }
        for code, fill in FILL.items()
        for ahead in range(1, 8)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemoryLake]:
    lake = MemoryLake(
        sample_settings(
            tmp_path_factory.mktemp("plan"), collection_prize_km=40, collection_windows={"BU00140000": (time(7, 0), time(8, 0))}
        )
    )
    lake.put("core.waste_containers", containers())
    lake.put("core.waste_emptyings", weighings())
    for kind, code, longitude, latitude in (("depot", "D", 6.606, 53.219), ("tipping", "S", 6.621, 53.199)):
        lake.put("core.waste_depots", [{"depot_code": code, "depot_kind": kind, "longitude": longitude, "latitude": latitude}])
    lake.put("core.waste_vehicles", [{"vehicle_code": "31", "capacity_kg": 1_000.0, "is_in_service": True}])
    lake.put("collective.container_forecast", forecast())
    yield lake
    lake.con.close()


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemoryLake]:
    """The same city with six weeks of inflow and reports; the first four containers fill by a third a day."""
    lake = MemoryLake(sample_settings(tmp_path_factory.mktemp("backtest"), collection_iterations=40))
    lake.put("core.waste_containers", containers())
    lake.put("core.waste_emptyings", weighings(range(49)))
    for kind, code, longitude, latitude in (("depot", "D", 6.606, 53.219), ("tipping", "S", 6.621, 53.199)):
        lake.put("core.waste_depots", [{"depot_code": code, "depot_kind": kind, "longitude": longitude, "latitude": latitude}])
    lake.put("core.waste_vehicles", [{"vehicle_code": "31", "capacity_kg": 3_000.0, "is_in_service": True}])
    days = [LAST - timedelta(days=n) for n in range(42)]
    inflow = [
        {
            "container_code": code, "local_date": day, "inflow_pct": 33.0 if number < 4 else 6.0 + day.toordinal() % 3,
            "last_fill_pct": 20.0, "rest_share": 0.0, "readings": 24, "weighings": 0,
        }
        for number, code in enumerate(FILL)
        for day in days
    ]  # fmt: skip
    lake.put("collective.container_inflow_day", inflow)
    # One report for every twenty hours overfull, and one a day whatever happens.
    reports = [
        {
            "container_code": code, "local_date": day, "fraction_code": "residual", "overfull_hours": 20 * (day.day % 2),
            "waste_reports_50_m": 1 + day.day % 2, "inspections": 0, "inspections_waste_beside": 0,
        }
        for code in FILL
        for day in days[7:]
    ]  # fmt: skip
    lake.put("collective.container_day", reports)
    yield lake
    lake.con.close()


def planned(lake: MemoryLake) -> tuple[pl.DataFrame, dict[str, Any]]:
    notes: dict[str, Any] = {}
    return pl.concat(
        [pl.DataFrame(), *analysed(lake.con, all_recipes()[PLAN], lake.settings, lambda _: True, notes)], how="diagonal"
    ), notes


@pytest.fixture(scope="module")
def calls(lake: MemoryLake) -> list[dict[str, Any]]:
    frame, _ = planned(lake)
    judged = judge(all_recipes()[PLAN].contract, frame)
    assert judged.quarantined.is_empty()
    return judged.accepted.sort("call_number").rows(named=True)


def of(calls: list[dict[str, Any]], reason: str) -> set[str]:
    return {call["container_code"] for call in calls if call["stop_reason_code"] == reason}


def test_it_empties_what_overflows_and_on_its_day_what_nobody_measures(calls):
    assert of(calls, "overflow_likely") == {"c00", "c01", "c02", "c03"}
    assert of(calls, "fixed_day") == {"c10"}
    assert {call["planned_on"] for call in calls} == {date(2026, 3, 16)}
    assert {call["round_code"] for call in calls} == {"20260316-residual-31"}


def test_it_keeps_to_capacity_and_windows_and_tells_local_time(calls):
    assert max(call["load_so_far_kg"] for call in calls) <= 1_000
    assert sum(call["load_kg"] or 0 for call in calls) > 1_000
    assert sum(call["call_kind"] == "tipping" for call in calls) >= 2
    window = [call for call in calls if call["neighbourhood_code"] == "BU00140000"]
    assert window
    assert all("07:00" <= call["arrival_local_time"] <= "08:00" for call in window)
    first = calls[0]
    assert first["arrival_at"].astimezone(tz=None) == at(f"2026-03-16T{first['arrival_local_time']}") + timedelta(
        seconds=first["arrival_at"].second
    )


def test_it_is_the_same_each_time(lake, calls):
    again, _ = planned(lake)
    assert again.sort("call_number").rows(named=True) == calls


def test_the_round_in_short_adds_up(lake, calls):
    lake.make(PLAN)
    lake.make("collective.collection_round")
    stops, likely, tippings, kilometres, load = lake.one(
        "SELECT stops, overflow_likely_stops, tippings, distance_km, load_kg FROM lake.collective.collection_round"
    )
    assert stops == sum(call["call_kind"] == "container" for call in calls)
    assert (likely, tippings) == (4, sum(call["call_kind"] == "tipping" for call in calls))
    assert kilometres == pytest.approx(sum(call["distance_m"] for call in calls) / 1000)
    assert load == pytest.approx(sum(call["load_kg"] or 0 for call in calls))


def test_without_forecasts_every_container_is_emptied_on_its_fixed_day(lake):
    lake.con.execute("BEGIN; DELETE FROM lake.collective.container_forecast")
    try:
        frame, _ = planned(lake)
    finally:
        lake.con.execute("ROLLBACK")
    assert set(frame["stop_reason_code"].drop_nulls()) == {"fixed_day"}
    assert sorted(frame["container_code"].drop_nulls()) == CODES[:-1]


def test_without_vehicles_there_is_no_plan_and_the_notes_say_why(lake):
    lake.con.execute("BEGIN; DELETE FROM lake.core.waste_vehicles")
    try:
        frame, notes = planned(lake)
    finally:
        lake.con.execute("ROLLBACK")
    assert frame.is_empty()
    assert notes == {"no_plan": "no vehicles with a depot and a tipping site"}


def test_a_printed_round_loads_nothing_and_names_each_stop(calls):
    rows = [call | {"neighbourhood_name": "Binnenstad & Noord"} for call in calls]
    outline = {"type": "Polygon", "coordinates": [[[6.5, 53.1], [6.7, 53.1], [6.7, 53.3], [6.5, 53.1]]]}
    sheet = page(rows, [outline], is_sample=True)
    assert "default-src 'none'" in sheet
    assert not [word for word in ("http://", "https://", "<script", "url(") if word in sheet]
    assert all(f"<span>{call['container_code']}</span>" in sheet for call in calls if call["container_code"])
    assert "Binnenstad &amp; Noord" in sheet
    assert "Route 31, restafval, maandag 16 maart 2026" in sheet
    assert "Verzonnen containers" in sheet
    assert "Verzonnen containers" not in page(rows, [outline], is_sample=False)


def test_a_round_as_geojson_has_its_way_and_its_calls_in_order(calls):
    made = json.loads(geojson(calls))
    line, *points = made["features"]
    assert line["geometry"]["type"] == "LineString"
    assert len(line["geometry"]["coordinates"]) == len(calls) + 1
    assert line["geometry"]["coordinates"][0] == line["geometry"]["coordinates"][-1] == [6.606, 53.219]
    assert [point["properties"]["call_number"] for point in points] == [call["call_number"] for call in calls]
    assert datetime.fromisoformat(points[0]["properties"]["arrival_at"]).tzinfo is not None


def replayed(lake: MemoryLake) -> pl.DataFrame:
    lake.con.execute("SET VARIABLE month = DATE '2026-03-01'")
    frames = analysed(lake.con, all_recipes()[BACKTEST], lake.settings, lambda _: True, {})
    return pl.concat(frames).sort("local_date", "policy_code")


def test_the_last_whole_week_is_replayed_and_taken_over_until_something_changes(known, monkeypatch):
    rows = replayed(known)
    assert judge(all_recipes()[BACKTEST].contract, rows).quarantined.is_empty()
    assert rows["local_date"].unique().sort().to_list() == [date(2026, 3, 9) + timedelta(days=n) for n in range(7)]
    sums = rows.group_by("policy_code").agg(pl.col("overfull_hours", "stops", "expected_reports").sum())
    of = {row["policy_code"]: row for row in sums.rows(named=True)}
    # On Monday and Sunday 11 and 12 containers. Emptied on Monday at half past six, a third a day fills the first four on Thursday
    # at seven: they are full for 17, 24 and 24 hours, and for 7 on Sunday.
    assert of["fixed_schedule"]["stops"] == 23
    assert of["fixed_schedule"]["overfull_hours"] == pytest.approx(4 * 72, abs=8)
    assert of["fixed_schedule"]["expected_reports"] == pytest.approx(of["fixed_schedule"]["overfull_hours"] / 20)
    known.put(BACKTEST, rows)

    def search(*_: object, **__: object) -> None:
        raise AssertionError("searched again")

    with monkeypatch.context() as patch:
        patch.setattr("groningen_data.marts.collection_plan.plan_rounds", search)
        assert replayed(known).equals(rows)
    known.con.execute("UPDATE lake.collective.container_inflow_day SET inflow_pct = 12 WHERE container_code = 'c05'")
    again = replayed(known)
    assert not set(again["inputs_code"]) & set(rows["inputs_code"])


def test_without_weeks_of_weighings_nothing_is_replayed(known):
    known.con.execute("BEGIN; DELETE FROM lake.core.waste_emptyings WHERE local_date < DATE '2026-03-01'")
    notes: dict[str, Any] = {}
    try:
        frames = list(analysed(known.con, all_recipes()[BACKTEST], known.settings, lambda _: True, notes))
    finally:
        known.con.execute("ROLLBACK")
    assert frames == []
    assert notes == {"too_little_history_before": "2026-03-09"}
