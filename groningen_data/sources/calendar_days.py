"""The calendar's two lists: public holidays, computed for the years the platform is about, and published school holidays.

Both come with the product and are the same in every profile. They are landed like any payload, so that another year or
another edition of a list makes the calendar anew. What the lists say is decided elsewhere: by the law, and the ministry.
"""

import io
import os
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import holidays
import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.settings import PROJECT, Settings
from groningen_data.sources.base import FileSource
from groningen_data.sources.parsing import check_columns

PUBLIC_HOLIDAYS, SCHOOL_HOLIDAYS = "public_holidays.csv", "school_holidays.csv"
SCHOOL_REGION = "noord"
_PUBLIC_COLUMNS = ("holiday_on", "holiday")
_SCHOOL_COLUMNS = ("school_year", "holiday", "region", "first_on", "last_on", "source")
_SCHOOL_YEAR = r"^(\d{4})-(\d{4})$"
_FIRST_MONTH = 8
# The summer holiday of a school year runs on into these months of the next one.
_SHARED_MONTHS = (8, 9)


def parse_calendar(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.reference_calendar`: every date of the years in the last list of public holidays.

    Raises:
        PayloadError: One of the two lists was never delivered.
    """
    public, school = (_last(payloads, name) for name in (PUBLIC_HOLIDAYS, SCHOOL_HOLIDAYS))
    free = _read_public(public)
    spans = _read_school(school)
    years = free["holiday_on"].dt.year()
    first, last = (date(int(years.min()), 1, 1), date(int(years.max()), 12, 31))  # type: ignore[arg-type]
    days = pl.date_range(first, last, eager=True).alias("calendar_on").to_frame()
    north = spans.filter(region=SCHOOL_REGION)
    rows = (
        days.join(free.rename({"holiday_on": "calendar_on", "holiday": "public_holiday"}), on="calendar_on", how="left")
        .join(_school_days(north), on="calendar_on", how="left")
        .with_columns(is_known=pl.col("school_holiday").is_not_null() | _is_listed(north))
    )
    context.notes |= {
        "first_year": first.year,
        "last_year": last.year,
        "school_holidays_read": spans.height,
        "school_holidays_of_other_regions": spans.height - north.height,
        "days_without_known_school_holidays": rows.filter(~pl.col("is_known")).height,
    }
    on = pl.col("calendar_on")
    yield rows.sort("calendar_on").select(
        "calendar_on",
        on.dt.year().cast(pl.Int64).alias("year"),
        on.dt.weekday().cast(pl.Int64).alias("weekday"),
        on.dt.iso_year().cast(pl.Int64).alias("iso_year"),
        on.dt.week().cast(pl.Int64).alias("iso_week"),
        (on.dt.weekday() >= 6).alias("is_weekend"),
        "public_holiday",
        pl.col("public_holiday").is_not_null().alias("is_public_holiday"),
        "school_holiday",
        pl.when("is_known").then(pl.col("school_holiday").is_not_null()).alias("is_school_holiday"),
        pl.when(~pl.col("is_known")).then(pl.lit("not_listed")).alias("school_holiday_missing_reason"),
    )


def _school_days(spans: pl.DataFrame) -> pl.DataFrame:
    """One row per date of a school holiday; the holiday that began first names a date."""
    return (
        spans.sort("first_on")
        .select(pl.date_ranges("first_on", "last_on").alias("calendar_on"), pl.col("holiday").alias("school_holiday"))
        .explode("calendar_on")
        .unique("calendar_on", keep="first", maintain_order=True)
    )


def _is_listed(spans: pl.DataFrame) -> pl.Expr:
    """Whether all school holidays that could touch a date are in the list."""
    years = spans["school_year"].str.extract(_SCHOOL_YEAR).cast(pl.Int32).unique().implode()
    on = pl.col("calendar_on")
    begun = on.dt.year() - (on.dt.month() < _FIRST_MONTH).cast(pl.Int32)
    return begun.is_in(years) & (~on.dt.month().is_in(_SHARED_MONTHS) | (begun - 1).is_in(years))


def _batches(payload: Payload) -> tuple[str, ...]:
    return (payload.name.removesuffix(".csv"),) if (_read_public if _is_public(payload) else _read_school)(payload).height else ()


def _is_public(payload: Payload) -> bool:
    return payload.name == PUBLIC_HOLIDAYS


def _last(payloads: Sequence[Payload], name: str) -> Payload:
    found = next((p for p in reversed(payloads) if p.name == name), None)
    if found is None:
        raise PayloadError(name, "was never delivered", "run the landing of the calendar again")
    return found


def _read_public(payload: Payload) -> pl.DataFrame:
    return _dates_read(payload, _read(payload, _PUBLIC_COLUMNS), "holiday_on")


def _read_school(payload: Payload) -> pl.DataFrame:
    """The list of school holidays; a table of a few facts is right as a whole or not at all."""
    frame = _dates_read(payload, _read(payload, _SCHOOL_COLUMNS), "first_on", "last_on")
    begun, ended = (pl.col("school_year").str.extract(_SCHOOL_YEAR, n).cast(pl.Int32) for n in (1, 2))
    in_its_year = pl.col("first_on").is_between(pl.date(begun, _FIRST_MONTH, 1), pl.date(ended, _FIRST_MONTH - 1, 31))
    sound = (ended == begun + 1) & in_its_year & (pl.col("last_on") >= pl.col("first_on"))
    wrong = frame.filter(~sound.fill_null(False) | pl.col("holiday").is_null())
    if wrong.height:
        row = wrong.row(0, named=True)
        raise PayloadError(
            payload.name,
            f"has a holiday that cannot be: {row['school_year']} {row['holiday']} from {row['first_on']} to {row['last_on']}",
            "compare the row with the overview of the Rijksoverheid",
        )
    return frame


def _read(payload: Payload, columns: tuple[str, ...]) -> pl.DataFrame:
    text = payload.text()
    check_columns(payload.name, [c.strip() for c in text.split("\n", 1)[0].split(",")], columns)
    try:
        return pl.read_csv(io.StringIO(text), infer_schema=False).select(pl.col(columns).str.strip_chars())
    except pl.exceptions.PolarsError as error:
        raise PayloadError(payload.name, f"is not readable as CSV ({str(error).splitlines()[0]})", "mend the table") from error


def _dates_read(payload: Payload, frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    read = frame.with_columns(pl.col(columns).str.to_date("%Y-%m-%d", strict=False))
    unread = read.filter(pl.any_horizontal(pl.col(columns).is_null()))
    if unread.height:
        raise PayloadError(payload.name, f"has {unread.height} rows without a readable date", "write dates as YYYY-MM-DD")
    return read


def _folder(settings: Settings) -> Path:
    """The folder with both lists, brought up to date: the years depend on the settings and the logical clock."""
    folder = settings.data_dir / "calendar"
    folder.mkdir(parents=True, exist_ok=True)
    years = range(settings.first_local_day.year, settings.today().year + 2)
    # Bevrijdingsdag is a public holiday by law, though only every fifth year a day off in most collective agreements.
    free = holidays.country_holidays("NL", years=years, language="nl", categories=("public", "optional"))
    lines = [",".join(_PUBLIC_COLUMNS), *(f"{day},{name}" for day, name in sorted(free.items()) if day.year in years)]
    _put(folder / PUBLIC_HOLIDAYS, ("\n".join(lines) + "\n").encode())
    _put(folder / SCHOOL_HOLIDAYS, (PROJECT / "data" / "reference" / SCHOOL_HOLIDAYS).read_bytes())
    return folder


def _put(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(data)
    partial.replace(path)


SOURCE = FileSource(
    name="calendar_days",
    title="Public holidays (Algemene termijnenwet) and school holidays (Rijksoverheid)",
    patterns=(PUBLIC_HOLIDAYS, SCHOOL_HOLIDAYS),
    recognises=lambda head: False,
    batches=_batches,
    root=_folder,
)
