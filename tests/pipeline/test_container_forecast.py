"""Inflow, forecast, outlook and scores of containers: by hand on a few sensors, and against the truth of the sample city."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from groningen_data.sample.city import city_of
from groningen_data.sample.waste_world import emptyings, world_of
from tests.pipeline.conftest import sample_settings
from tests.pipeline.memory_lake import MemoryLake, at, instants, local
from tests.pipeline.payloads import write_payloads

INFLOW, FORECAST, OUTLOOK, SCORES = (
    f"collective.{name}" for name in ("container_inflow_day", "container_forecast", "container_outlook", "forecast_scores")
)
READINGS, WEIGHINGS, CONTAINERS = "core.waste_fill_levels", "core.waste_emptyings", "core.waste_containers"
MONTH = "2026-03-01"
HOUR = timedelta(hours=1)


@pytest.fixture
def lake(tmp_path) -> Iterator[MemoryLake]:
    lake = MemoryLake(sample_settings(tmp_path))
    listed = [
        {"source_code": "wfs", "container_code": code, "location_status": "inside", "alarm_pct": 60.0, "fraction_code": "glass"}
        for code in ("a", "b", "c")
    ]
    lake.put(CONTAINERS, listed)
    yield lake
    lake.con.close()


def reading(code: str, when: datetime, level: float | None):
    reason = None if level is not None else "no_reading"
    known = {"source_code": "s", "container_code": code, "measured_at": when, "fill_pct": level, "fill_missing_reason": reason}
    return known | local(when)


def put(lake: MemoryLake, code: str, first: datetime, levels: list[float | None]) -> None:
    lake.put(
        READINGS, [reading(code, when, level) for when, level in zip(instants(first, HOUR, len(levels)), levels, strict=True)]
    )


def weigh(lake: MemoryLake, code: str, when: datetime) -> None:
    known = {"source_code": "kilogram", "system_code": "1", "vehicle_code": "v", "location_status": "inside"}
    lake.put(
        WEIGHINGS,
        [known | {"emptying_id": str(when), "container_code": code, "emptied_at": when, "weight_kg": 90.0} | local(when)],
    )


def day(lake: MemoryLake, code: str, on: str, columns: str) -> tuple:
    lake.con.execute(f"TRUNCATE lake.{INFLOW}")
    lake.make(INFLOW, MONTH)
    return lake.one(f"SELECT {columns} FROM {INFLOW} WHERE container_code = ? AND local_date = ?", code, date.fromisoformat(on))


def rising(hours: int, start: float = 10.0, per_hour: float = 1.0) -> list[float | None]:
    return [start + n * per_hour for n in range(hours)]


def test_the_inflow_of_a_day_is_the_rise_of_its_level(lake):
    put(lake, "a", at("2026-03-02 00:00"), rising(49))
    inflow, reason, share, readings = day(lake, "a", "2026-03-03", "inflow_pct, inflow_missing_reason, measured_share, readings")
    assert (inflow, reason, readings) == (pytest.approx(24, abs=0.5), None, 24) and share == pytest.approx(1)


def test_a_spike_is_counted_and_not_taken_for_inflow_or_an_emptying(lake):
    levels = rising(48)
    levels[30] += 40
    put(lake, "a", at("2026-03-02 00:00"), levels)
    assert day(lake, "a", "2026-03-03", "round(inflow_pct), spikes, inferred_emptyings") == (24, 1, 0)


def test_a_spike_in_the_last_reading_does_not_start_the_forecast_too_high(lake):
    levels = rising(48)
    levels[-1] += 40
    put(lake, "a", at("2026-03-02 00:00"), levels)
    spikes, last = day(lake, "a", "2026-03-03", "spikes, last_fill_pct")
    assert spikes == 1 and last == pytest.approx(levels[-2], abs=2)


def emptied_at_noon(low: float = 2.0) -> list[float | None]:
    return rising(36, 40.0) + rising(12, low)


def test_a_fall_to_a_low_level_is_an_emptying_and_the_hour_of_it_is_left_out(lake):
    put(lake, "a", at("2026-03-02 00:00"), emptied_at_noon())
    inflow, emptied, weighings, matched, share = day(
        lake, "a", "2026-03-03", "inflow_pct, inferred_emptyings, weighings, matched_weighings, measured_share"
    )
    assert inflow == pytest.approx(24, abs=1.5) and (emptied, weighings, matched) == (1, 0, 0) and 0.9 < share < 0.99


def test_a_weighing_at_the_time_of_a_fall_matches_it_and_one_at_another_time_does_not(lake):
    put(lake, "a", at("2026-03-02 00:00"), emptied_at_noon())
    put(lake, "b", at("2026-03-02 00:00"), emptied_at_noon())
    weigh(lake, "a", at("2026-03-03 11:20"))
    weigh(lake, "b", at("2026-03-03 15:20"))
    columns = "inferred_emptyings, weighings, matched_weighings"
    assert day(lake, "a", "2026-03-03", columns) == (1, 1, 1)
    assert day(lake, "b", "2026-03-03", columns) == (1, 1, 0)


@pytest.mark.parametrize("is_weighed", [True, False])
def test_a_small_fall_is_an_emptying_only_when_a_vehicle_weighed_it(lake, is_weighed):
    put(lake, "a", at("2026-03-02 00:00"), [8.0] * 36 + [1.0] * 12)
    if is_weighed:
        weigh(lake, "a", at("2026-03-03 11:30"))
    inflow, emptied = day(lake, "a", "2026-03-03", "inflow_pct, inferred_emptyings")
    assert emptied == int(is_weighed)
    assert inflow == pytest.approx(0 if is_weighed else -7, abs=0.5)


def test_a_fall_that_does_not_empty_the_container_is_waste_that_settles(lake):
    put(lake, "a", at("2026-03-02 00:00"), rising(36, 20.0) + rising(12, 43.0))
    inflow, emptied = day(lake, "a", "2026-03-03", "inflow_pct, inferred_emptyings")
    assert emptied == 0 and inflow == pytest.approx(24 - 13, abs=1.5)


def test_a_day_that_was_measured_in_part_compares_with_a_whole_one(lake):
    levels = rising(48)
    levels[40:46] = [None] * 6
    put(lake, "a", at("2026-03-02 00:00"), levels[:46])
    inflow, share = day(lake, "a", "2026-03-03", "inflow_pct, measured_share")
    assert 0.5 < share < 0.75 and inflow == pytest.approx(24, abs=1)


@pytest.mark.parametrize(
    "levels, reason",
    [
        (rising(24) + [None] * 24, "silent"),
        (rising(24, 80.0) + rising(24, 104.0), "overfull"),
        (rising(29) + [None] * 19, "too_little_measured"),
    ],
)
def test_a_day_without_an_inflow_says_why(lake, levels, reason):
    put(lake, "a", at("2026-03-02 00:00"), levels)
    assert day(lake, "a", "2026-03-03", "inflow_pct, inflow_missing_reason") == (None, reason)


def test_a_gap_over_midnight_is_divided_between_both_days(lake):
    levels = rising(72)
    levels[45:51] = [None] * 6
    put(lake, "a", at("2026-03-02 00:00"), levels)
    for on in ("2026-03-03", "2026-03-04"):
        inflow, share = day(lake, "a", on, "inflow_pct, measured_share")
        assert inflow == pytest.approx(24, abs=1.5) and share > 0.95


def test_the_first_day_of_a_month_starts_from_the_month_before(lake):
    put(lake, "a", at("2026-02-28 00:00"), rising(48, 10.0, 0.5))
    assert day(lake, "a", "2026-03-01", "round(inflow_pct), round(measured_share, 1)") == (12, 1.0)
    assert lake.one(f"SELECT min(local_date) FROM {INFLOW}") == (date(2026, 3, 1),)


def test_on_a_day_with_weighings_only_the_sensor_is_silent(lake):
    put(lake, "a", at("2026-03-02 00:00"), rising(24))
    weigh(lake, "a", at("2026-03-03 10:00"))
    assert day(lake, "a", "2026-03-03", "inflow_missing_reason, weighings, inferred_emptyings") == ("silent", 1, 0)


def test_sensors_of_another_city_are_left_out(lake):
    lake.put(READINGS, [reading("elsewhere", at("2026-03-02 10:00"), 10.0) | {"source_code": "other"}])
    lake.make(INFLOW, MONTH)
    assert lake.one(f"SELECT count(*) FROM {INFLOW}") == (0,)


@pytest.fixture
def steady(lake) -> MemoryLake:
    """Container a rises by 12 a day and is emptied on Mondays, b fell silent a week and a half ago, c was first heard yesterday."""
    days = 21
    levels = [1 + 0.5 * (n % 168) for n in range(24 * days)]
    put(lake, "a", at("2026-03-02 00:00"), levels)
    put(lake, "b", at("2026-03-02 00:00"), levels[: 24 * (days - 10)])
    put(lake, "c", at("2026-03-22 00:00"), levels[:24])
    for table in (INFLOW, FORECAST, OUTLOOK):
        lake.make(table, *([MONTH] if table == INFLOW else []))
    return lake


def test_the_forecast_goes_on_from_the_last_reading(steady):
    rows = steady.ask(f"SELECT forecast_on, horizon_days, inflow_pct, fill_pct FROM {FORECAST} ORDER BY horizon_days")
    assert [row[:2] for row in rows] == [(date(2026, 3, 22) + timedelta(days=n), n) for n in range(1, 8)]
    assert [row[2] for row in rows] == pytest.approx([12] * 7, abs=0.5)
    assert [row[3] for row in rows] == pytest.approx([85 + 12 * n for n in range(1, 8)], abs=1.5)


def test_the_outlook_says_when_and_of_the_others_why_not(steady):
    columns = "container_code, alarm_status_code, overflow_status_code, forecast_missing_reason"
    assert steady.ask(f"SELECT {columns} FROM {OUTLOOK} ORDER BY 1") == [
        ("a", "reached", "expected", None),
        ("b", "unknown", "unknown", "silent"),
        ("c", "unknown", "unknown", "too_little_history"),
    ]
    early, expected, late = steady.one(
        f"SELECT overflow_early_at, overflow_at, overflow_late_at FROM {OUTLOOK} WHERE container_code = 'a'"
    )
    assert early < expected < late
    # From 84.5 at 23:00 at 12 a day.
    assert abs(expected - (at("2026-03-22 23:00") + timedelta(days=15.5 / 12))) < timedelta(hours=4)


def test_a_container_that_a_vehicle_emptied_since_its_last_reading_starts_empty(lake):
    put(lake, "a", at("2026-03-02 00:00"), [1 + 0.5 * (n % 168) for n in range(24 * 20)])
    put(lake, "c", at("2026-03-02 00:00"), [1 + 0.5 * (n % 168) for n in range(24 * 21)])
    weigh(lake, "a", at("2026-03-22 10:00"))
    lake.make(INFLOW, MONTH)
    lake.make(FORECAST)
    lake.make(OUTLOOK)
    assert dict(lake.ask(f"SELECT container_code, round(fill_pct, -1) FROM {FORECAST} WHERE horizon_days = 1")) == {
        "a": 20,
        "c": 100,
    }
    assert dict(lake.ask(f"SELECT container_code, alarm_status_code FROM {OUTLOOK}")) == {"a": "expected", "c": "reached"}


def test_when_a_day_of_all_sensors_is_missing_the_forecast_is_of_the_days_after_it_all_the_same(lake):
    put(lake, "a", at("2026-03-02 00:00"), [1 + 0.5 * (n % 168) for n in range(24 * 20)])
    put(lake, "b", at("2026-03-02 00:00"), [1 + 0.5 * (n % 168) for n in range(24 * 20)])
    weigh(lake, "a", at("2026-03-22 10:00"))
    lake.make(INFLOW, MONTH)
    lake.make(FORECAST)
    lake.make(OUTLOOK)
    first = f"SELECT container_code, round(fill_pct, -1) FROM {FORECAST} WHERE horizon_days = 1 AND forecast_on = '2026-03-23'"
    assert dict(lake.ask(first)) == {"a": 20, "b": 100}
    assert lake.ask(f"SELECT DISTINCT made_from_on FROM {OUTLOOK}") == [(date(2026, 3, 22),)]
    # From 72.5 on 21 March at 23:00, at 12 a day.
    assert lake.one(f"SELECT overflow_at::DATE FROM {OUTLOOK} WHERE container_code = 'b'") == (date(2026, 3, 24),)


def test_sensors_that_never_gave_a_level_have_an_outlook_that_says_so(lake):
    put(lake, "a", at("2026-03-02 00:00"), [None] * 24)
    lake.make(INFLOW, MONTH)
    lake.make(FORECAST)
    lake.make(OUTLOOK)
    assert lake.one(f"SELECT count(*) FROM {FORECAST}") == (0,)
    assert lake.ask(f"SELECT container_code, alarm_status_code, forecast_missing_reason FROM {OUTLOOK}") == [
        ("a", "unknown", "silent")
    ]


def test_without_any_sensor_there_are_no_rows_and_nothing_fails(lake):
    lake.make(INFLOW, MONTH)
    for table in (FORECAST, OUTLOOK):
        lake.make(table)
    lake.make(SCORES, MONTH)
    assert [lake.one(f"SELECT count(*) FROM {table}") for table in (INFLOW, FORECAST, OUTLOOK, SCORES)] == [(0,)] * 4


# Against the truth of the sample city: what really came in, and when containers were really emptied.

CITY_DAYS = 24
LAST = date(2026, 3, 15)
SEED = 3


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> Iterator[MemoryLake]:
    settings = sample_settings(tmp_path_factory.mktemp("forecast"), sample_seed=SEED, sample_days=CITY_DAYS)
    days = [LAST - timedelta(days=n) for n in range(CITY_DAYS)]
    write_payloads(settings, ("geography", "containers", "fill levels", "weighings"), days)
    lake = MemoryLake(settings)
    lake.read(settings, "core.reference_neighbourhoods", CONTAINERS, READINGS, WEIGHINGS)
    lake.make(INFLOW, "2026-02-01", MONTH)
    lake.make(FORECAST)
    lake.make(SCORES, MONTH)
    yield lake
    lake.con.close()


@pytest.fixture(scope="module")
def truth(city) -> pl.DataFrame:
    """Per container and day: what came in, and whether it was emptied; next to what the mart says."""
    made = city_of(city.settings)
    world = world_of(made)
    days = [LAST - timedelta(days=n) for n in range(CITY_DAYS - 1)]
    came_in = [
        pl.DataFrame({"container_code": world.codes.tolist(), "true_pct": world.inflow_pct(on)}).with_columns(
            local_date=pl.lit(on)
        )
        for on in days
    ]
    emptied = [
        emptyings(made, on).select("container_code", pl.lit(on).alias("local_date"), pl.lit(True).alias("was_emptied"))
        for on in days
    ]
    seen = city.con.execute(f"FROM {INFLOW}").pl()
    keys = ["container_code", "local_date"]
    joined = seen.join(pl.concat(came_in), on=keys).join(pl.concat(emptied), on=keys, how="left")
    return joined.with_columns(pl.col("was_emptied").fill_null(False))


def test_the_inflow_is_what_truly_came_in(truth):
    known = truth.drop_nulls("inflow_pct")
    assert known.height > 0.9 * truth.filter(pl.col("readings") > 12).height
    off = known["inflow_pct"] - known["true_pct"]
    assert abs(off.sum() / known["true_pct"].sum()) < 0.01
    assert np.mean(off.abs().to_numpy()) < 0.08 * np.mean(known["true_pct"].to_numpy())
    # A day on which the hour of the emptying is unknown is neither higher nor lower than others.
    emptied = known.filter("was_emptied")
    assert abs(emptied["inflow_pct"].sum() / emptied["true_pct"].sum() - 1) < 0.01


def test_emptyings_are_found_without_a_weighing_and_hardly_any_that_was_not(truth):
    whole = truth.filter(pl.col("readings") >= 20)
    found = pl.col("inferred_emptyings") > 0
    assert whole.filter("was_emptied").select(found.mean()).item() > 0.985
    assert whole.filter(~pl.col("was_emptied")).select(found.mean()).item() < 0.001
    weighed = whole.filter(pl.col("weighings") > 0)
    assert weighed.select((pl.col("matched_weighings") > 0).mean()).item() > 0.985


def test_the_scores_of_the_city_say_that_the_forecast_beats_simple_ones_and_its_interval_holds(city):
    found = city.con.execute(f"FROM {SCORES}").pl()
    assert found["horizon_days"].n_unique() == 7
    own = found.filter(model_code="fill_model").sort("horizon_days")
    for baseline in ("last_rate", "same_weekday"):
        other = found.filter(model_code=baseline).sort("horizon_days")
        assert (own["fill_mae_pct"] < 0.95 * other["fill_mae_pct"]).all()
        assert (own["fill_crps_pct"] < 0.75 * other["fill_crps_pct"]).all()
    assert own["coverage_80"].is_between(0.72, 0.86).all()
    assert own["forecasts"].min() >= 500


def test_every_container_that_is_heard_has_a_forecast(city):
    heard = f"SELECT DISTINCT container_code FROM {INFLOW} WHERE readings > 0 AND local_date > DATE '{LAST}' - 7"
    assert city.one(f"SELECT count(*) FROM ({heard}) WHERE container_code NOT IN (SELECT container_code FROM {FORECAST})") == (0,)
    assert city.one(f"SELECT count(*) / 7 > 1500, min(made_from_on) = DATE '{LAST}' FROM {FORECAST}") == (True, True)
