"""Every parser under payloads that went wrong in any way, and values that must come back as they were written.

The same mutations run for as long as one likes with `python -m drills fuzz`.
"""

import gzip
import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets import all_sources
from drills.fuzz import AS_OF, broken
from drills.mutations import MUTATIONS
from drills.parsers import SIZE_LIMIT, Reader, source_of
from drills.samples import Case, cases, parquet
from groningen_data.errors import PayloadError
from groningen_data.fetching.shapes import shape_of
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.settings import load_settings
from groningen_data.sources import knmi, signalen, telemetry, utd19_loops
from groningen_data.sources.benefit_administration import _amount
from groningen_data.sources.parsing import coordinate, instant, iso_day, local_parts, number

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
few = settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
some = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("properties")
    return Reader(load_settings(profile="sample", data_dir=folder, sample_days=2, as_of=AS_OF), folder / "payloads")


@pytest.fixture(scope="module")
def valid(reader: Reader) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {}
    for case in cases(reader.settings):
        found.setdefault(case.source, []).append(case)
    return found


# Whatever arrives: our own errors, or rows.


@pytest.mark.parametrize("name", all_sources())
def test_every_source_has_a_valid_payload_that_gives_rows(reader, valid, name):
    seen = [reader.read(source_of(name), case.files) for case in valid[name]]
    assert sum(s.rows for s in seen) > 0, [s.refusals for s in seen]


@pytest.mark.parametrize("name", all_sources())
def test_a_broken_payload_gives_our_own_errors_or_rows_and_nothing_else(reader, valid, name):
    @few
    @given(seed=st.integers(0, 2**32))
    def holds(seed: int) -> None:
        case = valid[name][seed % len(valid[name])]
        how, files = broken(case, seed)
        assert reader.read(source_of(name), files).seconds < 20, how

    holds()


@pytest.mark.parametrize("name", all_sources())
def test_any_bytes_give_our_own_errors_or_rows_and_nothing_else(reader, valid, name):
    @few
    @given(
        data=st.binary(max_size=300),
        start=st.sampled_from([b"", b"{", b"[", b"<", b"PAR1", b"PK\x03\x04", b"\x1f\x8b", b"\xef\xbb\xbf"]),
    )
    def holds(data: bytes, start: bytes) -> None:
        reader.read(source_of(name), {next(iter(valid[name][0].files)): start + data})

    holds()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.__name__)
def test_the_same_chance_breaks_a_payload_the_same_way(valid, mutation):
    data = next(iter(valid["signalen_reports"][0].files.values()))
    assert mutation(data, Random(7)) == mutation(data, Random(7))


def test_most_mutations_change_the_payload(valid):
    case = valid["signalen_reports"][0]
    changed = [broken(case, seed)[1] != dict(case.files) for seed in range(50)]
    assert sum(changed) > 30


# What the drill found, each with an example.


def test_a_number_of_thousands_of_digits_is_refused_and_breaks_no_process(payload):
    data = b'[{"id": ' + b"9" * 5_000 + b"}]"
    assert "not complete JSON" in (payload(signalen.SOURCE, "2026-05-18.json", data).problem or "")
    assert shape_of(data) is not None


def test_half_a_character_has_a_shape_like_any_other_damage():
    assert shape_of(b'{"a": "\xed\xa0\x80"}') is not None


def _landed(path: Path, data: bytes, limit: int = SIZE_LIMIT) -> Payload:
    path.write_bytes(data)
    return Payload(
        "s",
        hashlib.sha256(data).hexdigest(),
        "fill_levels_2026-03-01.parquet",
        len(data),
        datetime.now(UTC),
        path=path,
        size_limit=limit,
    )


def test_a_parquet_file_that_unpacks_to_more_than_the_limit_is_refused_before_it_is_read(tmp_path):
    frame = pl.select(tijdstip=pl.repeat("2026-03-01T10:00:00Z", 3_000_000), containercode=pl.lit("C"), vulgraad=pl.lit(1.0))
    data = parquet(frame)
    assert len(data) < SIZE_LIMIT / 20
    with pytest.raises(PayloadError, match="unpacks to more than"):
        telemetry.SOURCE.batches(_landed(tmp_path / "a", data, limit=1_000_000))


def test_a_gzip_bomb_is_refused(tmp_path):
    with pytest.raises(PayloadError, match="unpacks to more than"):
        utd19_loops.SOURCE.batches(_landed(tmp_path / "a", gzip.compress(b"\0" * 30_000_000, 1)))


def test_a_zip_whose_directory_points_nowhere_is_refused(tmp_path):
    data = bytearray(BytesIO(_zip()).read())
    end = data.rindex(b"PK\x05\x06")
    data[end + 16 : end + 20] = b"\xff\xff\xff\x7f"
    with pytest.raises(PayloadError, match="no complete zip"):
        knmi.HOURS.batches(_landed(tmp_path / "a", bytes(data)))


def _changed(valid: dict[str, list[Case]], source: str, name: str, *changes: tuple[bytes, bytes]) -> dict[str, bytes]:
    files = dict(next(case.files for case in valid[source] if any(n.startswith(name) for n in case.files)))
    [chosen] = [n for n in files if n.startswith(name)][-1:]
    for old, new in changes:
        assert old in files[chosen]
        files[chosen] = files[chosen].replace(old, new, 1)
    return files


def test_an_absurd_number_of_containers_is_not_counted(reader, valid):
    record = json.loads(next(iter(valid["kilogram"][0].files.values())))
    place = record["Fields"].index("NoOfCont")
    for row in record["Records"]:
        row[place] = "99999999999999999999"
    seen = reader.read(source_of("kilogram"), {"weighings_2026-03-15.json": json.dumps(record).encode()})
    assert (seen.rows, seen.refusals) == (len(record["Records"]), [])


def test_lengths_of_vehicles_in_other_digits_are_not_read(reader, valid):
    table = re.compile(rb"<vehicleLength>[^<]*<")
    files = dict(valid["ndw_sites"][0].files)
    [name] = [n for n in files if n.startswith("measurement_")]
    assert table.search(files[name])
    files[name] = table.sub("<vehicleLength>٣<".encode(), files[name])
    seen = reader.read(source_of("ndw_sites"), files)
    assert seen.rows > 0 and not seen.refusals


def test_xml_in_an_encoding_that_nobody_knows_is_refused_and_has_no_shape(reader, valid):
    files = _changed(valid, "ndw_datex", "ndw_trafficspeed", (b"UTF-8", b"UTF-9"))
    assert any("encoding" in told for told in reader.read(source_of("ndw_datex"), files).refusals)
    assert shape_of(b'<?xml version="1.0" encoding="UTF-9"?><a/>') == {}


def _zip() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("uurgeg.txt", "x")
    return buffer.getvalue()


# What is written comes back.


@some
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20), data=st.data())
def test_numbers_come_back_with_blanks_around_them(values, data):
    blanks = data.draw(st.sampled_from(["", " ", "\t", "  "]))
    frame = pl.DataFrame({"x": [f"{blanks}{v!r}{blanks}" for v in values]})
    assert frame.select(number("x"))["x"].to_list() == values
    assert frame.select(coordinate("x"))["x"].to_list() == values


@some
@given(st.sampled_from(["nan", "inf", "-inf", "NaN", "", " ", "1.2.3", "0x1F", "--1", "1e400"]))
def test_what_is_no_finite_number_is_no_coordinate(text):
    assert pl.DataFrame({"x": [text]}).select(coordinate("x"))["x"].to_list() == [None]


@some
@given(st.decimals(min_value=-10_000_000, max_value=10_000_000, places=2))
def test_amounts_come_back_from_each_way_of_writing_them(amount):
    plain = f"{amount:.2f}"
    dutch = f"{amount:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")
    frame = pl.DataFrame({"x": [plain, plain.replace(".", ","), dutch]})
    assert frame.select(_amount("x"))["x"].to_list() == [float(plain)] * 3


@some
@given(st.dates(date(1995, 1, 1), date(2100, 12, 31)))
def test_days_come_back(day):
    assert pl.DataFrame({"x": [f" {day.isoformat()}"]}).select(iso_day("x"))["x"].to_list() == [day]


@some
@given(
    at=st.one_of(
        st.datetimes(datetime(1995, 1, 2), datetime(2100, 12, 30)),
        # Around the hours that are skipped and that come twice.
        st.datetimes(datetime(2026, 3, 28, 23), datetime(2026, 3, 29, 4)),
        st.datetimes(datetime(2026, 10, 24, 22), datetime(2026, 10, 25, 4)),
    ),
    zone=st.sampled_from(["UTC", "Europe/Amsterdam", "Asia/Kolkata", "America/St_Johns"]),
)
def test_instants_come_back_from_every_offset_with_their_local_parts(at, zone):
    at = at.replace(tzinfo=UTC)
    text = at.astimezone(ZoneInfo(zone)).isoformat()
    if zone == "UTC":
        text = text.replace("+00:00", "Z")
    # Offsets of whole minutes only; those of before 1940 had seconds.
    read = pl.DataFrame({"x": [text]}).select(instant("x").alias("at")).with_columns(local_parts("at"))
    local = at.astimezone(AMSTERDAM)
    assert read.row(0) == (at, local.date(), local.hour, local.isoweekday())


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-24", 24), ("2026-10-25", 25)])
def test_the_local_days_on_which_the_clock_changes_have_23_and_25_hours(day, hours):
    first = datetime.fromisoformat(day).replace(tzinfo=AMSTERDAM).astimezone(UTC) - timedelta(hours=3)
    texts = [(first + timedelta(hours=n)).isoformat() for n in range(32)]
    read = pl.DataFrame({"x": texts}).select(instant("x").alias("at")).with_columns(local_parts("at"))
    assert read.filter(pl.col("local_date").cast(pl.String) == day).height == hours


@some
@given(
    readings=st.lists(
        st.tuples(
            st.datetimes(datetime(2026, 10, 25, 0), datetime(2026, 10, 25, 3)).map(
                lambda t: t.replace(microsecond=0, tzinfo=UTC)
            ),
            st.decimals(min_value=0, max_value=120, places=1),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda r: r[0],
    ),
    form=st.sampled_from(["csv", "json", "parquet"]),
)
def test_fill_levels_come_back_from_each_form_also_in_the_hour_that_comes_twice(reader, readings, form):
    rows = [
        {"containercode": "C1", "tijdstip": at.astimezone(AMSTERDAM).isoformat(), "vulgraad": float(pct)} for at, pct in readings
    ]
    if form == "json":
        data = json.dumps({"vulgraadmetingen": rows}).encode()
    elif form == "parquet":
        data = parquet(pl.DataFrame(rows))
    else:
        lines = "".join(f"{r['containercode']};{r['tijdstip']};{r['vulgraad']}\n" for r in rows)
        data = f"containercode;tijdstip;vulgraad\n{lines}".encode()
    found = dict(_fill_levels(reader, data))
    assert found == {at: float(pct) for at, pct in readings}


def _fill_levels(reader: Reader, data: bytes) -> Iterator[tuple[datetime, float]]:
    delivered = telemetry.SOURCE._with_batches(_landed(reader.settings.data_dir / "payload", data))
    for key in delivered.batches:
        for frame in telemetry.parse_fill_levels([delivered], key, _context(reader)):
            assert frame["_problems"].list.len().sum() == 0, frame
            yield from zip(frame["measured_at"], frame["fill_pct"], strict=True)


def _context(reader: Reader) -> BuildContext:
    return BuildContext(reader.settings, lambda table: pl.DataFrame())


@some
@given(
    hour=st.integers(1, 24),
    temperature=st.integers(-300, 450),
    rain=st.one_of(st.just(-1), st.integers(0, 900)),
    wind=st.one_of(st.none(), st.integers(0, 400)),
)
def test_weather_comes_back_in_whole_units_with_traces_and_blanks_told_apart(reader, hour, temperature, rain, wind):
    line = f"  280,20261025,{hour:5},{temperature:5},{'' if wind is None else wind:>5},{rain:5}\r\n"
    data = f"# STN,YYYYMMDD,   HH,    T,   FH,   RH\r\n\r\n{line}".encode()
    delivered = knmi.HOURS._with_batches(_landed(reader.settings.data_dir / "payload", data))
    [row] = pl.concat(list(knmi.parse_hours([delivered], "2026/280", _context(reader)))).rows(named=True)
    assert row["hour_start_at"] == datetime(2026, 10, 25, hour - 1, tzinfo=UTC)
    assert row["temperature_c"] == pytest.approx(temperature / 10)
    assert row["wind_speed_m_s"] == (None if wind is None else pytest.approx(wind / 10))
    assert (row["wind_missing_reason"] is None) == (wind is not None)
    assert (row["precipitation_missing_reason"] is not None) == (rain == -1)
    assert rain == -1 or row["precipitation_mm"] == pytest.approx(rain / 10)
