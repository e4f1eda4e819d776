"""The fill-level sensors of Prague, in one file of three years."""

import re
from datetime import UTC, datetime
from io import BytesIO
from time import monotonic

import polars as pl
import pytest

from groningen_data.sources.prague_sensors import SOURCE, parse_fill_levels

AT = datetime(2024, 4, 7, 22, 35, 54)


def parquet(**columns: object) -> bytes:
    buffer = BytesIO()
    pl.DataFrame({"sensor_id": ["1354"], "fraction_code": ["1"], "time_utc": [AT], "fill_pct": [16.0]} | columns).write_parquet(
        buffer
    )
    return buffer.getvalue()


@pytest.mark.parametrize(
    "time",
    [AT, AT.replace(tzinfo=UTC), "2024-04-07 22:35:54", "2024-04-07T22:35:54Z"],
    ids=["naive", "with zone", "text", "text with z"],
)
def test_times_are_utc_without_saying_so(payload, context, time):
    delivered = payload(SOURCE, "a.parquet", parquet(time_utc=[time]))
    assert delivered.batches == ("2024-04-08/prague_sensors",)
    row = pl.concat(list(parse_fill_levels([delivered], delivered.batches[0], context()))).row(0, named=True)
    assert (row["measured_at"], row["local_hour"], row["fill_pct"]) == (AT.replace(tzinfo=UTC), 0, 16.0)


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is empty"),
        (b"PAR1 and no more", "not complete Parquet"),
        (parquet(time_utc=[5]), "has times as Int64"),
        (parquet(time_utc=["straks"]), "no row with a readable time"),
    ],
)
def test_a_broken_file_is_refused_with_its_reason(payload, data, phrase):
    delivered = payload(SOURCE, "prague_fill_levels.parquet", data)
    assert delivered.batches == () and delivered.way_out
    assert re.search(phrase, delivered.problem or "")


@pytest.fixture
def readings(real_payloads, context) -> pl.DataFrame:
    (delivered,) = real_payloads(SOURCE)
    assert (len(delivered.batches), delivered.batches[0], delivered.batches[-1]) == (
        1_038,
        "2023-01-01/prague_sensors",
        "2025-11-03/prague_sensors",
    )
    started = monotonic()
    found = pl.concat([frame for key in delivered.batches for frame in parse_fill_levels([delivered], key, context())])
    # A thousand batches of one file must not mean reading it a thousand times.
    assert monotonic() - started < 60
    return found


def test_the_real_series_come_through_reading_by_reading(readings):
    assert (readings.height, readings["container_code"].n_unique()) == (131_524, 20)
    assert readings["_problems"].list.len().sum() == 0
    assert readings.select("container_code", "measured_at").n_unique() == 131_524
    per_sensor = dict(readings["container_code"].value_counts().iter_rows())
    cut = ["1354", "2067", "2148", "2195", "2337", "3050", "3140", "3155"]
    assert [sensor for sensor, count in sorted(per_sensor.items()) if count == 10_000] == cut
    assert (per_sensor["2053"], per_sensor["2156"], per_sensor["1778"]) == (9_255, 9_982, 2_039)
    assert (readings["fill_pct"].min(), readings["fill_pct"].max(), round(readings["fill_pct"].mean(), 4)) == (
        0.0,
        100.0,
        41.6814,
    )
    series = readings.sort("container_code", "measured_at").with_columns(
        gap=(pl.col("measured_at") - pl.col("measured_at").shift(1)).over("container_code"),
        step=(pl.col("fill_pct") - pl.col("fill_pct").shift(1)).over("container_code"),
    )
    rises, drops = (series.filter(condition).height for condition in (pl.col("step") > 40, pl.col("step") < -40))
    falls_back = pl.col("step").shift(-1).over("container_code") < -40
    assert (series.filter(pl.col("gap") > pl.duration(hours=24)).height, rises, drops) == (13, 668, 2_713)
    assert series.filter((pl.col("step") > 40) & falls_back).height == 111
