"""Rules of detectors and levels of service, each tried on counts made by hand."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from tests.pipeline.conftest import sample_settings
from tests.pipeline.memory_lake import MemoryLake, at, instants, local

DAY, MONTH = date(2026, 2, 4), "2026-02-01"
FIVE = timedelta(minutes=5)
Reading = tuple[float | None, float | None]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemoryLake]:
    lake = MemoryLake(sample_settings(tmp_path_factory.mktemp("rules")))
    yield lake
    lake.con.close()


@pytest.fixture
def lake(empty: MemoryLake) -> MemoryLake:
    empty.clear()
    return empty


def counted(lake: MemoryLake, readings: list[Reading], series: str = "1", site: str = "S", error: str | None = None) -> None:
    """Put a day of five minutes of one detector into the lake: flow and speed; beyond the last reading nothing was delivered."""
    starts = instants(at(f"{DAY}T00:00"), FIVE, 288)
    lake.put(
        "core.traffic_counts",
        [
            {
                "feed_code": "loops",
                "site_id": site,
                "series_code": series,
                "interval_start_at": start,
                "measured_minutes": 5,
                "flow_veh_h": flow,
                "vehicles": None if flow is None else flow / 12,
                "speed_km_h": speed,
                "flow_missing_reason": error if flow is None else None,
                "vehicle_class": "any",
                **local(start),
            }
            for start, (flow, speed) in zip(starts, readings, strict=False)
        ],
    )


def usual(n: int, flow: float = 240, speed: float = 50) -> list[Reading]:
    """Readings that are never twice the same, around a flow and a speed."""
    return [(flow + 12 * (i % 3), speed + (i % 7) / 10) for i in range(n)]


def verdict(lake: MemoryLake) -> str | None:
    lake.make("collective.site_quality", MONTH)
    return lake.one("SELECT untrusted_reason FROM collective.site_quality")[0]


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({}, None),
        (dict.fromkeys(range(60, 162), (None, None)), None),
        (dict.fromkeys(range(60, 163), (None, None)), "silent"),
        (dict.fromkeys(range(100, 110), (4000.0, 50.0)), None),
        ({n: (4_000.0 + n, 50.0) for n in range(100, 111)}, "implausible"),
        ({n: (240.0 + n, 0.0) for n in range(100, 111)}, "implausible"),
        ({n: (240.0 + n, 161.0) for n in range(100, 111)}, "implausible"),
        (dict.fromkeys(range(100, 112), (372.0, 41.5)), None),
        (dict.fromkeys(range(100, 113), (372.0, 41.5)), "stuck"),
        (dict.fromkeys(range(288), (0.0, None)), "no_vehicles"),
        (dict.fromkeys(range(60), (0.0, None)), None),
    ],
)
def test_a_day_breaks_a_rule_at_its_limit_and_not_before(lake, odd, reason):
    readings = usual(288)
    for n, reading in odd.items():
        readings[n] = reading
    counted(lake, readings)
    assert verdict(lake) == reason


def test_marks_of_errors_go_before_silence(lake):
    counted(lake, [*usual(200), *[(None, None)] * 88], error="detector_error")
    assert verdict(lake) == "error_flags"


def test_without_speeds_the_same_flow_may_come_twice_but_not_nearly_always(lake):
    counted(lake, [(240.0 if i % 2 else 252.0 + 12 * (i % 4), None) for i in range(288)])
    assert verdict(lake) is None
    lake.clear()
    counted(lake, [(240.0, None)] * 288)
    assert verdict(lake) == "stuck"


def hours(lake: MemoryLake, columns: str) -> list[tuple]:
    for mart in ("collective.site_quality", "collective.approach_hour", "collective.intersection_hour"):
        lake.make(mart, MONTH)
    return lake.ask(f"SELECT {columns} FROM collective.approach_hour ORDER BY site_id, local_hour")


@pytest.mark.parametrize(
    ("speed", "los", "saturated"),
    [(44, "A", 0), (40, "B", 0), (30, "C", 0), (24, "D", 60), (18, "E", 60), (14, "F", 60)],
)
def test_levels_of_service_follow_the_share_of_the_free_speed(lake, speed, los, saturated):
    counted(lake, [*usual(96, 60, 50), *usual(12, 600, speed), *usual(180, 240, 50)])
    eight = hours(
        lake, "los_code, saturated_minutes, delay_s_per_km, vehicle_loss_h_per_km, free_speed_km_h, vehicles, mean_speed_km_h"
    )[8]
    assert eight[:2] == (los, saturated)
    delay, loss, free, vehicles, mean_speed = eight[2:]
    assert free == pytest.approx(50.3, abs=0.3) and vehicles == 612
    assert delay == pytest.approx(3600 / mean_speed - 3600 / free)
    assert loss == pytest.approx(delay * 612 / 3600)


def test_capacity_is_what_was_seen_around_a_breakdown_and_a_handbooks_value_elsewhere(lake):
    jam = [*usual(84, 60), *usual(12, 700), *usual(48, 500, 20), *usual(144, 240)]
    counted(lake, jam, site="J")
    counted(lake, usual(288, 240), site="N")
    counted(lake, [*usual(140, 60), *usual(24, 1_000), *usual(124, 240)], site="O")
    counted(lake, usual(288, 240, 80), site="R")
    found = {site: facts for site, *facts in hours(lake, "DISTINCT site_id, capacity_method, capacity_veh_h, 0 AS local_hour")}
    assert found["J"][0] == "observed_at_breakdown" and 690 < found["J"][1] < 725
    assert found["N"][:2] == ["default_signalised", 855]
    assert found["O"][0] == "observed_highest" and found["O"][1] > 1_000
    assert found["R"][:2] == ["default_fast_road", 1_700]


def test_a_lane_that_cannot_be_trusted_is_left_out_and_a_site_without_any_has_no_figures(lake):
    counted(lake, usual(288))
    counted(lake, [(480.0, 30.0)] * 288, series="2")
    noon = hours(lake, "trusted_share, lanes, vehicles, volume_capacity_ratio, los_code")[12]
    assert noon[:3] == (0.5, 2, 252)
    assert noon[3] == pytest.approx(252 / 855, abs=0.01) and noon[4] == "A"
    lake.clear()
    counted(lake, [(480.0, 30.0)] * 288)
    assert hours(lake, "trusted_share, vehicles, vehicles_missing_reason, los_code")[12] == (0, None, "not_trusted", None)
    assert lake.one("SELECT DISTINCT vehicles, vehicles_missing_reason FROM collective.intersection_hour") == (
        None,
        "not_trusted",
    )


def test_an_intersection_adds_up_what_drivers_lose_and_takes_the_worst_approach(lake):
    for site, speed in (("A", 20), ("B", 50)):
        counted(lake, [*usual(96, 60), *usual(12, 600, speed), *usual(180, 240)], site=site)
        lake.put("collective.intersection_approach", [{"site_id": site, "intersection_code": "x", "intersection_name": "X"}])
    (jammed, free) = (row for row in hours(lake, "site_id, local_hour, vehicle_loss_h_per_km, delay_s_per_km") if row[1] == 8)
    crossing = lake.one(
        "SELECT approaches, vehicles, saturated_minutes, busiest_site_id, vehicle_loss_h_per_km, delay_s_per_km, los_code "
        "FROM collective.intersection_hour WHERE local_hour = 8"
    )
    assert crossing[:4] == (2, 1_224, 60, "A")
    assert crossing[4] == pytest.approx(jammed[2] + free[2])
    assert crossing[5] == pytest.approx((jammed[3] + free[3]) / 2)
    assert crossing[6] == "B"
