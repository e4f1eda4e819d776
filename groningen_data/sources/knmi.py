"""Weather of KNMI, per hour and per day, in every form in which KNMI publishes it: text with a header in prose or in `#` lines,
the same without any header, and the JSON of the script service.

Two sources, because hours and days come in files of their own. Units of 0.1 become whole ones here; a year of a station is
put together from all deliveries that have some of it. Which station is near the city is not decided here.
Rules: the legend that heads each file, https://www.knmi.nl/nederland-nu/klimatologie/uurgegevens and …/daggegevens.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.fetching.connector import Connector, Pull
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.parsing import (
    BROKEN_ZIP,
    ORIGINAL,
    PROBLEMS,
    check_columns,
    in_slices,
    local_parts,
    marked,
    number,
    read_json,
    unreadable,
)

# The order in which files without a header have their columns.
_HOUR_HEADER = "STN,YYYYMMDD,HH,DD,FH,FF,FX,T,T10N,TD,SQ,Q,DR,RH,P,VV,N,U,WW,IX,M,R,S,O,Y"
_DAY_HEADER = (
    "STN,YYYYMMDD,DDVEC,FHVEC,FG,FHX,FHXH,FHN,FHNH,FXX,FXXH,TG,TN,TNH,TX,TXH,T10N,T10NH,SQ,SP,Q,DR,RH,RHX,RHXH,"
    "PG,PX,PXH,PN,PNH,VVN,VVNH,VVX,VVXH,NG,UG,UX,UXH,UN,UNH,EV24"
)
# What the JSON of the script service calls the columns that say where and when.
_OTHER_NAMES = {"STATION_CODE": "STN", "DATE": "YYYYMMDD", "HOUR": "HH", "H": "HH"}
_MARKS = {"M": "has_fog", "R": "has_rain", "S": "has_snow", "O": "has_thunder", "Y": "has_ice"}

_HEADER = re.compile(r'^[ \t]*#?[ \t]*"?STN"?[ \t]*[,;][ \t]*"?YYYYMMDD"?[ \t]*[,;].*$', re.IGNORECASE | re.MULTILINE)
_DATE = r"^(\d{4})-?(\d{2})-?(\d{2})(?:T00:00(?::00(?:\.0+)?)?(?:Z|\+00:?00)?)?$"
_YEARS = (1700, 2100)
_ZIP = b"PK\x03\x04"
_LINE = "line"
_SLOT, _NTH, _ORDER = "_slot", "_nth", "_order"


@dataclass(frozen=True)
class _Kind:
    """Hours or days: the columns without a header, those that say where and when, and those that are read."""

    what: str
    columns: tuple[str, ...]
    where_and_when: tuple[str, ...]
    measures: tuple[str, ...]


_HOURS = _Kind(
    "hours",
    tuple(_HOUR_HEADER.split(",")),
    ("STN", "YYYYMMDD", "HH"),
    ("DD", "FH", "FX", "T", "TD", "SQ", "Q", "DR", "RH", "P", "U", *_MARKS),
)
_DAYS = _Kind(
    "days",
    tuple(_DAY_HEADER.split(",")),
    ("STN", "YYYYMMDD"),
    ("FG", "FXX", "TG", "TN", "TX", "SQ", "Q", "DR", "RH", "RHX", "PG", "UG", "EV24"),
)


def parse_hours(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.reference_weather_hours` of one year and station (`2026/280`), from all deliveries that have some of it.

    Of an hour delivered more than once the last delivery counts; a measure it has no column for is kept from an earlier one.
    Rows whose day or station cannot be read belong to the first batch of their file, and are marked.
    """
    rows = _rows_of(payloads, batch_key, _HOURS, context)
    day, hour = _day("YYYYMMDD"), number("HH")
    inside_day = hour.is_between(1, 24) & (hour == hour.floor())
    start = (day.cast(pl.Datetime("us")) + pl.duration(hours=pl.when(inside_day).then(hour - 1))).dt.replace_time_zone("UTC")
    turning = number("DD").replace_strict({0.0: "calm", 990.0: "variable"}, default=None, return_dtype=pl.String)
    tenths = {
        "temperature_c": "T",
        "dew_point_c": "TD",
        "precipitation_duration_h": "DR",
        "wind_speed_m_s": "FH",
        "wind_gust_m_s": "FX",
        "pressure_hpa": "P",
    }
    amounts = {"precipitation_mm": "RH", "sunshine_h": "SQ"}
    whole = {"radiation_j_cm2": "Q", "humidity_pct": "U", "wind_direction_deg": "DD"}
    typed = rows.with_columns(
        hour_start_at=start,
        **_values(tenths, amounts, whole),
        temperature_missing_reason=_blank("T"),
        precipitation_missing_reason=_trace("RH"),
        sunshine_missing_reason=_trace("SQ"),
        wind_missing_reason=_blank("FH"),
        wind_direction_missing_reason=pl.coalesce(turning, _blank("DD")),
        **{name: pl.when(number(c).is_in([0.0, 1.0])).then(number(c) == 1) for c, name in _MARKS.items()},
    ).with_columns(wind_direction_deg=pl.when(turning.is_null()).then("wind_direction_deg"))
    measures = tenths | amounts | whole
    rules = _rules(measures) | {
        "hour_start_at.day": day.is_null(),
        "hour_start_at.hour": ~inside_day.fill_null(False),
        "marks.unknown": pl.any_horizontal((unreadable(c) | ~number(c).is_in([0.0, 1.0])).fill_null(False) for c in _MARKS),
    }
    frame = marked(typed, rules, [*_HOURS.where_and_when, *_HOURS.measures, _LINE]).with_columns(*local_parts("hour_start_at"))
    _note_reasons(frame, context)
    columns = [*measures, *(c for c in frame.columns if c.endswith("_missing_reason")), *_MARKS.values()]
    yield from in_slices(
        frame.select(
            _station("STN").alias("station_code"),
            "hour_start_at",
            day.dt.year().cast(pl.Int64).alias("year"),
            "local_date",
            "local_hour",
            "weekday",
            *columns,
            PROBLEMS,
            ORIGINAL,
        )
    )


def parse_days(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.reference_weather_days` of one year and station, put together as `parse_hours` does."""
    rows = _rows_of(payloads, batch_key, _DAYS, context)
    day = _day("YYYYMMDD")
    tenths = {
        "mean_temperature_c": "TG",
        "min_temperature_c": "TN",
        "max_temperature_c": "TX",
        "precipitation_duration_h": "DR",
        "mean_wind_speed_m_s": "FG",
        "max_wind_gust_m_s": "FXX",
        "mean_pressure_hpa": "PG",
        "evaporation_mm": "EV24",
    }
    amounts = {"precipitation_mm": "RH", "max_hourly_precipitation_mm": "RHX", "sunshine_h": "SQ"}
    whole = {"radiation_j_cm2": "Q", "mean_humidity_pct": "UG"}
    typed = rows.with_columns(
        observed_on=day,
        **_values(tenths, amounts, whole),
        temperature_missing_reason=_blank("TG"),
        precipitation_missing_reason=_trace("RH"),
        max_hourly_precipitation_missing_reason=_trace("RHX"),
        sunshine_missing_reason=_trace("SQ"),
        wind_missing_reason=_blank("FG"),
    )
    measures = tenths | amounts | whole
    rules = _rules(measures) | {"observed_on.day": day.is_null()}
    frame = marked(typed, rules, [*_DAYS.where_and_when, *_DAYS.measures, _LINE])
    _note_reasons(frame, context)
    yield from in_slices(
        frame.select(
            _station("STN").alias("station_code"),
            "observed_on",
            day.dt.year().cast(pl.Int64).alias("year"),
            day.dt.weekday().cast(pl.Int64).alias("weekday"),
            *measures,
            *(c for c in frame.columns if c.endswith("_missing_reason")),
            PROBLEMS,
            ORIGINAL,
        )
    )


def _values(tenths: Mapping[str, str], amounts: Mapping[str, str], whole: Mapping[str, str]) -> dict[str, pl.Expr]:
    """The measures as numbers: from tenths, from tenths that may be a trace, and as they are."""
    return (
        {name: _tenth(c) for name, c in tenths.items()}
        | {name: _amount(c) for name, c in amounts.items()}
        | {name: number(c) for name, c in whole.items()}
    )


def _rules(measures: Mapping[str, str]) -> dict[str, pl.Expr]:
    return {
        "row.fields": pl.col(_LINE).is_not_null(),
        "station_code.type": _station("STN").is_null(),
        **{f"{name}.type": unreadable(c) for name, c in measures.items()},
    }


def _note_reasons(frame: pl.DataFrame, context: BuildContext) -> None:
    for column in (c for c in frame.columns if c.endswith("_missing_reason")):
        for reason, count in frame[column].drop_nulls().value_counts(sort=True).iter_rows():
            context.notes[f"{column.removesuffix('_missing_reason')}_{reason}"] = count


def _tenth(column: str) -> pl.Expr:
    return (number(column) / 10).round(2)


def _amount(column: str) -> pl.Expr:
    """Tenths of mm or h; -1 means less than half a tenth, which is no amount."""
    return pl.when(number(column) != -1).then(_tenth(column))


def _trace(column: str) -> pl.Expr:
    return pl.when(number(column) == -1).then(pl.lit("trace")).otherwise(_blank(column))


def _blank(column: str) -> pl.Expr:
    """Why a value is not there; null is a column that was not delivered, a blank one that was."""
    is_absent = pl.col(column).is_null() | pl.col("_is_empty")
    return pl.when(is_absent).then(pl.lit("not_delivered")).when(pl.col(column) == "").then(pl.lit("not_measured"))


def _day(column: str) -> pl.Expr:
    """A day as `YYYYMMDD`, `YYYY-MM-DD`, or as a midnight in UTC; null where it is none."""
    parts = pl.concat_str(pl.col(column).str.extract(_DATE, n) for n in (1, 2, 3))
    read = parts.str.to_date("%Y%m%d", strict=False)
    return pl.when(read.dt.year().is_between(*_YEARS)).then(read)


def _station(column: str) -> pl.Expr:
    read = pl.col(column).cast(pl.Int64, strict=False)
    return pl.when(read > 0).then(read)


def _rows_of(payloads: Sequence[Payload], batch_key: str, kind: _Kind, context: BuildContext) -> pl.DataFrame:
    """The source rows of one batch as text, one per hour or day, with `_is_empty`: nothing at all was measured."""
    year, station = (int(part) for part in batch_key.split("/"))
    frames, unplaced, rows_read = [], 0, 0
    for order, payload in enumerate(payloads):
        frame = _read(payload, kind)
        places = frame.select(_day("YYYYMMDD").dt.year().alias("year"), _station("STN").alias("station"))
        is_mine = (places["year"] == year) & (places["station"] == station)
        frames.append(frame.filter(is_mine.fill_null(False)).with_columns(pl.lit(order).alias(_ORDER)))
        rows_read += frames[-1].height
        if _keys(frame)[0] == batch_key:
            stray = frame.filter(places["year"].is_null() | places["station"].is_null())
            unplaced += stray.height
            # A corrected delivery makes up for an earlier one, also for its unreadable rows.
            if payload is payloads[-1]:
                frames.append(stray.with_columns(pl.lit(order).alias(_ORDER)))
                rows_read += stray.height
    rows = _put_together(frames, kind)
    context.notes |= {
        "files": ", ".join(dict.fromkeys(p.name for p in payloads)),
        "rows_read": rows_read,
        "rows_replaced_by_a_later_delivery": rows_read - rows.height,
        "rows_without_day_or_station": unplaced,
        "columns_not_delivered": ", ".join(c for c in kind.measures if c not in rows.columns),
    }
    rows = rows.with_columns(pl.lit(None, pl.String).alias(c) for c in kind.measures if c not in rows.columns)
    filled = pl.any_horizontal((pl.col(c).fill_null("") != "") for c in kind.measures)
    return rows.with_columns(_is_empty=~filled)


def _put_together(frames: Sequence[pl.DataFrame], kind: _Kind) -> pl.DataFrame:
    """Of each hour or day what was delivered last; doubles within one delivery stay, for the gate to judge."""
    order = [_day("YYYYMMDD"), *(number(c) for c in kind.where_and_when if c == "HH")]
    plain = [_station("STN"), *order]
    slot = pl.concat_str(
        [pl.coalesce(p.cast(pl.String), pl.col(c)) for p, c in zip(plain, kind.where_and_when, strict=True)], separator="/"
    )
    rows = pl.concat(
        [f.with_columns(slot.alias(_SLOT)).with_columns(pl.int_range(pl.len()).over(_SLOT).alias(_NTH)) for f in frames],
        how="diagonal",
    )
    if rows[_ORDER].n_unique() > 1:
        measures = [c for c in kind.measures if c in rows.columns]
        rows = (
            rows.group_by(_SLOT, _NTH, maintain_order=True)
            .agg(
                pl.col(*kind.where_and_when, _LINE, _ORDER).last(),
                # Null is a column that a delivery does not have: then an earlier delivery counts.
                pl.col(measures).drop_nulls().last(),
            )
            .filter(pl.col(_ORDER) == pl.col(_ORDER).max().over(_SLOT))
        )
    return rows.sort(order, maintain_order=True).drop(_SLOT, _NTH, _ORDER)


def _batches_of(kind: _Kind) -> Callable[[Payload], tuple[str, ...]]:
    def batches(payload: Payload) -> tuple[str, ...]:
        frame = _read(payload, kind)
        if frame.is_empty():
            raise PayloadError(payload.name, "has a header but no rows", "ask for the file again; no rows is never data")
        keys = _keys(frame)
        if not keys:
            raise PayloadError(
                payload.name, "has no row with a readable station and day (YYYYMMDD)", "deliver the file as KNMI publishes it"
            )
        return keys

    return batches


def _keys(frame: pl.DataFrame) -> tuple[str, ...]:
    places = frame.select(_day("YYYYMMDD").dt.year().alias("year"), _station("STN").alias("station")).drop_nulls().unique()
    return tuple(f"{year}/{station}" for year, station in places.sort("year", "station").iter_rows())


def _read(payload: Payload, kind: _Kind) -> pl.DataFrame:
    """The columns that are read, as trimmed text, and `line`: the whole line where it has too few or too many fields."""
    text = _text(payload)
    if text.lstrip()[:1] in ("[", "{"):
        return _from_json(payload, kind)
    return _from_lines(payload.name, text, kind)


def _text(payload: Payload) -> str:
    data = payload.read()
    if data.startswith(_ZIP):
        data = _unzipped(payload, data)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The legend may have accents of another encoding; measurements are digits in all of them.
        if b"\x00" not in data:
            return data.decode("latin-1")
        raise PayloadError(
            payload.name, f"is not UTF-8 text (byte {error.start})", "ask the source for UTF-8, or convert the file"
        ) from error


def _unzipped(payload: Payload, data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) != 1:
                raise PayloadError(payload.name, f"is a zip of {len(members)} files", "unpack it, and deliver its files")
            if members[0].file_size > payload.size_limit:
                raise PayloadError(
                    payload.name,
                    f"unpacks to more than {payload.size_limit / 1e6:,.0f} MB",
                    "if it is genuine, raise GRONINGEN_PAYLOAD_LIMIT_MB",
                )
            return archive.read(members[0])
    except BROKEN_ZIP as error:
        raise PayloadError(payload.name, f"is no complete zip ({error})", "ask for the file again; it was cut off") from error


def _from_lines(name: str, text: str, kind: _Kind) -> pl.DataFrame:
    header = _HEADER.search(text)
    if header:
        names = _names(header.group())
        body = text[header.end() :]
    else:
        names, body = list(kind.columns), text
    lines = pl.Series(_LINE, body.splitlines(), dtype=pl.String)
    lines = lines.filter(
        (lines.str.strip_chars() != "") & ~lines.str.contains(r"^\s*#") & ~lines.str.contains(r"(?i)^\s*STN\s*[,;]")
    )
    separator = ";" if lines.len() and ";" in lines[0] else ","
    if not header and (not lines.len() or lines[0].count(separator) + 1 != len(names)):
        raise PayloadError(
            name,
            f"has no line with column names (# STN,YYYYMMDD,…), and not the {len(names)} columns of {kind.what} without one",
            "deliver the file as KNMI publishes it",
        )
    _check(name, names, kind)
    if lines.len() and not body.endswith(("\n", "\r")) and lines[-1].count(separator) + 1 < len(names):
        raise PayloadError(name, "was cut off in its last line", "ask for the file again")
    fields = lines.str.strip_chars().str.split(separator)
    count = fields.list.len()
    # Some exports close each line with a separator.
    closed = (count == len(names) + 1) & (fields.list.last().str.strip_chars() == "")
    is_sound = (count == len(names)) | closed
    frame = pl.DataFrame(
        [
            fields.list.get(names.index(c), null_on_oob=True).str.strip_chars(' \t"').fill_null("").alias(c)
            for c in (*kind.where_and_when, *kind.measures)
            if c in names
        ]
    )
    return frame.with_columns(pl.select(pl.when(~is_sound).then(lines).alias(_LINE)).to_series())


def _from_json(payload: Payload, kind: _Kind) -> pl.DataFrame:
    records = read_json(payload)
    if not isinstance(records, list):
        raise PayloadError(payload.name, "is JSON, but not a list of measurements", "ask the script service for fmt=json")
    if not records:
        raise PayloadError(payload.name, "lists no measurements", "ask again; no rows is never data")
    rows: list[dict[str, Any]] = [r if isinstance(r, dict) else {} for r in records]
    names = {_name(key): key for row in rows for key in row}
    _check(payload.name, list(names), kind)
    frame = pl.DataFrame(
        {c: [_as_text(row.get(names[c])) for row in rows] for c in (*kind.where_and_when, *kind.measures) if c in names}
    )
    lines = [None if isinstance(r, dict) else json.dumps(r, ensure_ascii=False) for r in records]
    return frame.with_columns(pl.Series(_LINE, lines, dtype=pl.String))


def _check(name: str, names: Sequence[str], kind: _Kind) -> None:
    if kind is _DAYS and "HH" in names:
        raise PayloadError(name, "holds hours, not days", "give it a name that begins with uurgeg_")
    check_columns(name, names, kind.where_and_when, kind.columns)
    if not set(names) & set(kind.measures):
        raise PayloadError(
            name,
            f"has none of the measures {', '.join(kind.measures)}",
            "ask KNMI for at least temperature, precipitation, wind and sunshine",
        )


def _names(header: str) -> list[str]:
    return [_name(n) for n in re.split("[,;]", header.strip().lstrip("#").rstrip(" ,;"))]


def _name(text: str) -> str:
    plain = text.strip(' \t"').upper()
    return _OTHER_NAMES.get(plain, plain)


def _as_text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else "" if value is None else json.dumps(value)


def _recognises(kind: _Kind) -> Callable[[Head], bool]:
    rest = len(kind.columns) - len(kind.where_and_when)
    hour = r"([1-9]|1\d|2[0-4])\s*,\s*" if kind is _HOURS else ""
    plain = re.compile(rf"\s*\d{{3}}\s*,\s*(1[89]|20)\d{{6}}\s*,\s*{hour}(-?\d*[ \t]*,[ \t]*){{{rest - 1}}}-?\d*[ \t]*\r?(\n|$)")
    record = re.compile(r"\s*\[\s*\{[^{}]*\}?")

    def recognises(head: Head) -> bool:
        text = head.text
        if text.lstrip().startswith("["):
            first = record.match(text)
            keys = {_name(k) for k in re.findall(r'"(\w+)"\s*:', first.group() if first else "")}
            return {"STN", "YYYYMMDD"} <= keys and bool(keys & set(kind.measures)) and ("HH" in keys) == (kind is _HOURS)
        header = _HEADER.search(text)
        if header:
            return ("HH" in _names(header.group())) == (kind is _HOURS)
        return plain.match(text) is not None

    return recognises


def _pull(kind: str) -> Callable[[Pull], None]:
    """Ask the script service for each month from the first day on: past ones once, this month and the one before at each visit.

    KNMI corrects recent values; what is older stands. A month of which the service has nothing yet delivers nothing.
    """

    def pull(visit: Pull) -> None:
        station, today = visit.settings.weather_station, visit.settings.today()
        first = visit.settings.first_local_day - timedelta(days=1)
        month, settled = first.replace(day=1), set(visit.cursor.get("settled", []))
        while month <= today:
            following = (month + timedelta(days=32)).replace(day=1)
            is_settled = (following + timedelta(days=31)).replace(day=1) <= today
            if f"{month:%Y-%m}" not in settled:
                start, end = max(month, first), min(following - timedelta(days=1), today)
                hour_first, hour_last = ("01", "24") if kind == "uurgegevens" else ("", "")
                answer = visit.client.post(
                    visit.client.url("knmi", kind),
                    {
                        "start": f"{start:%Y%m%d}{hour_first}",
                        "end": f"{end:%Y%m%d}{hour_last}",
                        "stns": str(station),
                        "vars": "ALL",
                        "fmt": "json",
                    },
                    accept=("application/json",),
                )
                if answer.json(visit.client.source):
                    if is_settled:
                        visit.cursor["settled"] = sorted(settled := settled | {f"{month:%Y-%m}"})
                    visit.deliver(f"{kind}_{station}_{month:%Y-%m}.json", answer)
            month = following

    return pull


HOURS = FileSource(
    name="knmi_hours",
    title="Weather per hour (KNMI)",
    patterns=("uurgeg_[0-9]*",),
    recognises=_recognises(_HOURS),
    batches=_batches_of(_HOURS),
    connector=Connector(("knmi",), _pull("uurgegevens"), rate_per_s=2),
)
DAYS = FileSource(
    name="knmi_days",
    title="Weather per day (KNMI)",
    patterns=("etmgeg_[0-9]*",),
    recognises=_recognises(_DAYS),
    batches=_batches_of(_DAYS),
    connector=Connector(("knmi",), _pull("daggegevens"), rate_per_s=2),
)
