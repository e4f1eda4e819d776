import gzip
import io
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from groningen_data.sample import containers as register
from groningen_data.sample import fill_levels
from groningen_data.sample.containers import containers
from groningen_data.sample.facts import City
from groningen_data.sample.fill_levels import payloads, readings
from groningen_data.sample.waste_world import fill
from tests.unit.sample.cities import LAST_DAY, city_of

Files = Mapping[str, bytes]
NAMES = ["containercode", "tijdstip", "vulgraad", "vullingGewicht"]
CORRECTED = LAST_DAY - timedelta(days=fill_levels.CORRECTED_BEFORE_LAST)
POISONED = [LAST_DAY - timedelta(days=ago) for ago in fill_levels.POISONED_BEFORE_LAST]
VANISHED = LAST_DAY - timedelta(days=fill_levels.VANISHED_BEFORE_LAST)
CORRECTION = f"waste/fill_levels_corrected/fill_levels_{CORRECTED}.parquet"


@pytest.fixture(scope="module")
def city() -> City:
    return city_of(22)


@pytest.fixture(scope="module")
def files(city: City) -> Files:
    return dict(payloads(city))


@pytest.fixture(scope="module")
def usual(city: City) -> list[date]:
    """Days with nothing planted, of which the file is not the first."""
    return [day for day in city.days[1:] if day not in (*POISONED, VANISHED, VANISHED + timedelta(days=1), CORRECTED)]


@pytest.fixture(scope="module")
def rows(files: Files) -> dict[str, pl.DataFrame]:
    """Per file its rows as text, with `at`: the instant."""
    return {path: rows_of(path, data) for path, data in files.items()}


def rows_of(path: str, data: bytes) -> pl.DataFrame:
    if path.endswith(".parquet"):
        frame = pl.read_parquet(io.BytesIO(data))
    elif path.endswith(".csv.gz"):
        frame = pl.read_csv(gzip.decompress(data), separator=";", infer_schema=False)
    else:
        listed = json.loads(gzip.decompress(data))
        assert list(listed) == ["vulgraadmetingen"]
        frame = pl.DataFrame(
            [[None if v is None else str(v) for v in r.values()] for r in listed["vulgraadmetingen"]], NAMES, orient="row"
        )
    at = (
        pl.col("tijdstip").str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_unit="us")
        if frame["tijdstip"].dtype == pl.String
        else "tijdstip"
    )
    return frame.with_columns(at=at).with_columns(pl.col(c).cast(pl.String) for c in frame.columns[2:])


def first_file(rows: dict[str, pl.DataFrame], day: date) -> pl.DataFrame:
    [frame] = [frame for path, frame in rows.items() if path.startswith(f"waste/fill_levels_{day}")]
    return frame


def of_local_day(frame: pl.DataFrame, day: date) -> pl.DataFrame:
    return frame.filter(pl.col("at").dt.convert_time_zone("Europe/Amsterdam").dt.date() == day)


def bad(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("vulgraad").is_in(["ERR", "-1", "300"]))


def test_there_is_a_file_for_every_day_and_a_second_one_for_the_corrected_day(city: City, files: Files) -> None:
    days = [path.removeprefix("waste/fill_levels_")[:10] for path in files if path != CORRECTION]
    assert days == [str(day) for day in city.days]
    assert CORRECTION in files


def test_the_correction_comes_after_the_first_file_in_order_of_name(files: Files) -> None:
    first = next(path for path in files if path.startswith(f"waste/fill_levels_{CORRECTED}"))
    assert sorted(tuple(p.split("/")) for p in (first, CORRECTION))[1] == tuple(CORRECTION.split("/"))


@pytest.mark.parametrize("last", [date(2026, 3, 15), date(2026, 3, 18), date(2026, 1, 6)])
def test_any_ten_days_have_all_three_forms(last: date) -> None:
    kinds = {path.split(".", 1)[1] for path, _ in payloads(city_of(10, last))}
    assert kinds == {"parquet", "csv.gz", "json.gz"}


def test_parquet_has_numbers_or_texts(files: Files) -> None:
    frames = [pl.read_parquet(io.BytesIO(data)) for path, data in files.items() if path.endswith("parquet")]
    assert {frame["tijdstip"].dtype for frame in frames} == {pl.String(), pl.Datetime("us", "UTC")}


def test_the_same_city_gives_the_same_bytes_and_another_seed_gives_others() -> None:
    assert dict(payloads(city_of(2))) == dict(payloads(city_of(2)))
    assert dict(payloads(city_of(2))) != dict(payloads(city_of(2, seed=15)))


def test_a_file_is_the_same_however_many_days_are_made_unless_it_is_the_first(files: Files) -> None:
    short = dict(payloads(city_of(6)))
    first = f"waste/fill_levels_{LAST_DAY - timedelta(days=5)}"
    assert [path for path in short if short[path] != files[path]] == [path for path in short if path.startswith(first)]


def test_the_first_file_has_no_rows_of_the_day_before_the_sample(city: City, rows: dict[str, pl.DataFrame]) -> None:
    first = first_file(rows, city.days[0])
    assert of_local_day(first, city.days[0]).height == first.height


def test_every_other_file_has_the_late_rows_of_the_day_before(usual: list[date], rows: dict[str, pl.DataFrame]) -> None:
    for day in usual:
        frame = first_file(rows, day)
        late = of_local_day(frame, day - timedelta(days=1))
        assert late.height + of_local_day(frame, day).height == frame.height
        assert fill_levels.LATE_SENSORS <= late.height <= 3 * fill_levels.LATE_SENSORS
        assert late["at"].dt.convert_time_zone("Europe/Amsterdam").dt.hour().min() >= 21  # type: ignore[operator]


def test_a_usual_day_has_so_many_bad_empty_and_doubled_rows(usual: list[date], rows: dict[str, pl.DataFrame]) -> None:
    for day in usual:
        frame = of_local_day(first_file(rows, day), day)
        assert bad(frame).height == fill_levels.BAD_ROWS
        assert frame.height - frame.unique().height == fill_levels.DOUBLED_ROWS
        assert 24 * (register.WITH_SENSOR - fill_levels.SILENT_SENSORS) > frame.height - fill_levels.DOUBLED_ROWS > 38_000
        dead = frame.group_by("containercode").agg(pl.col("vulgraad").is_null().all()).filter("vulgraad")
        empty = frame.filter(pl.col("vulgraad").is_null(), ~pl.col("containercode").is_in(dead["containercode"].to_list()))
        assert empty.height == fill_levels.EMPTY_ROWS
        assert register.WITH_SENSOR - frame["containercode"].n_unique() == fill_levels.SILENT_SENSORS


def test_dead_sensors_send_every_day_and_never_a_level(usual: list[date], rows: dict[str, pl.DataFrame]) -> None:
    together = pl.concat([first_file(rows, day).select("containercode", "vulgraad") for day in usual])
    dead = together.group_by("containercode").agg(pl.len(), pl.col("vulgraad").is_null().all()).filter("vulgraad")
    assert dead.height == fill_levels.DEAD_SENSORS
    assert (dead["len"] > 20 * len(usual)).all()


def test_sensors_read_the_true_level_within_noise_but_for_a_few_spikes(
    city: City, usual: list[date], rows: dict[str, pl.DataFrame]
) -> None:
    for day in usual[:3]:
        frame = first_file(rows, day).filter(~pl.col("vulgraad").is_in(["ERR", "-1", "300"])).unique()
        joined = frame.with_columns(hour_start_at=pl.col("at").dt.truncate("1h")).join(
            fill(city, day).rename({"container_code": "containercode"}), on=["containercode", "hour_start_at"]
        )
        off = joined.select(pl.col("vulgraad").cast(pl.Int64) - pl.col("fill_pct")).to_series()
        assert (off > 20).sum() == fill_levels.SPIKE_ROWS
        assert off.filter(off <= 20).is_between(-6, 6).all()


def test_only_containers_with_a_sensor_are_measured(city: City, rows: dict[str, pl.DataFrame]) -> None:
    measured = set(pl.concat([frame.select("containercode") for frame in rows.values()])["containercode"])
    assert measured == set(containers(city).filter("has_sensor")["container_code"])


@pytest.mark.parametrize("day", POISONED)
def test_a_third_of_a_poisoned_day_is_unusable(rows: dict[str, pl.DataFrame], day: date) -> None:
    frame = of_local_day(first_file(rows, day), day)
    assert 0.30 < bad(frame).height / frame.height < 0.37


def test_on_one_day_the_column_has_another_name(rows: dict[str, pl.DataFrame]) -> None:
    renamed = [path for path, frame in rows.items() if "vulgraad" not in frame.columns]
    assert len(renamed) == 1 and renamed[0].startswith(f"waste/fill_levels_{VANISHED}")
    assert "vullingsgraad" in rows[renamed[0]].columns


def test_nothing_of_the_day_with_the_other_name_comes_in_the_next_file(rows: dict[str, pl.DataFrame]) -> None:
    following = first_file(rows, VANISHED + timedelta(days=1))
    assert of_local_day(following, VANISHED).is_empty()


def test_the_corrected_day_reads_lower_in_one_district_and_is_complete(city: City, rows: dict[str, pl.DataFrame]) -> None:
    key = ["containercode", "at"]
    first = of_local_day(first_file(rows, CORRECTED), CORRECTED)
    second = rows[CORRECTION]
    assert set(readings(city, CORRECTED)["tijdstip"]) == set(second["at"])
    usable = pl.col("vulgraad").is_not_null() & ~pl.col("vulgraad").is_in(["ERR", "-1", "300"])
    both = (
        first.filter(usable)
        .unique(key)
        .join(second, on=key)
        .with_columns(lower=pl.col("vulgraad").cast(pl.Int64) - pl.col("vulgraad_right").cast(pl.Int64))
    )
    places = containers(city).select(pl.col("container_code").alias("containercode"), "district_code")
    means = (
        both.join(places, on="containercode")
        .group_by(pl.col("district_code") == fill_levels.CORRECTED_DISTRICT)
        .agg(pl.col("lower").median())
    )
    assert dict(means.iter_rows()) == {True: fill_levels.CORRECTED_ADDED_PCT, False: 0}
    assert second.height > first.unique().height


@pytest.mark.parametrize(
    ("day", "offsets"), [("2026-03-29", {"+01:00", "+02:00"}), ("2026-10-25", {"+01:00", "+02:00"}), ("2026-07-01", {"+02:00"})]
)
def test_local_times_have_the_offset_of_their_hour(day: str, offsets: set[str]) -> None:
    on = date.fromisoformat(day)
    city = city_of(1, on)
    [(_, data)] = payloads(city)
    times = pl.read_parquet(io.BytesIO(data))["tijdstip"]
    assert {text[-6:] for text in times} == offsets
    assert all(
        datetime.fromisoformat(text).astimezone(city.timezone).utcoffset() == datetime.fromisoformat(text).utcoffset()
        for text in times[::97]
    )
    assert all(datetime.fromisoformat(text).astimezone(UTC).astimezone(city.timezone).date() == on for text in times[::97])
