"""NDW's export of historical counts (Dexter): CSV with one row per series of a site and hour, quarter or minute.

`gem_intensiteit` is in vehicles per hour whatever the period; -1.0 is no value; `technical_exclusion` lists what NDW itself
excludes (`i` flow, `v` speed); times are the local clock. Columns come in any order, and in the wide form there are many more.
"""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.sources import datex
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.delivered import OWN_DAY, column_names, completed, day_keys, delimited, of_day
from groningen_data.sources.local_clock import clock_time, seconds_between, with_instant
from groningen_data.sources.parsing import (
    ORIGINAL,
    PROBLEMS,
    coordinate,
    in_slices,
    local_parts,
    marked,
    not_a_coordinate,
    number,
    unreadable,
)

_SOURCE_CODE = "ndw_historical"
_REQUIRED = ("id_meetlocatie", "start_meetperiode", "eind_meetperiode")
_VALUES = ("gem_intensiteit", "gem_snelheid")
_OPTIONAL = (
    "ndw_index",
    "versie_meetlocatie",
    "gewogen_gem_snelheid",
    "gebruikte_minuten_intensiteit",
    "data_error_intensiteit",
    "data_error_snelheid",
    "rijstrook_rijbaan",
    "voertuigcategorie",
    "technical_exclusion",
    "totaal_aantal_rijstroken",
    "naam_meetlocatie",
    "start_locatie_latitude",
    "start_locatie_longitude",
)
_FIELDS = (*_REQUIRED, *_VALUES, *_OPTIONAL)
_ERROR_MARKS = {"0": False, "1": True, "false": False, "true": True}


def parse_historical_counts(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.traffic_historical_counts` for one local day, from all exports that have it.

    Exports are of chosen sites, so those of one day complete each other; of the same series and period the last one counts.
    """
    key = ["site_id", "series_code", "interval_start_at", "period_s"]
    counts = of_day(payloads, batch_key, _counts, key, context.notes)
    for column in ("flow_missing_reason", "speed_missing_reason"):
        for reason, count in counts[column].drop_nulls().value_counts(sort=True).iter_rows():
            context.notes[f"{column.split('_')[0]}_{reason}"] = count
    yield from in_slices(counts)


def _batches(payload: Payload) -> tuple[str, ...]:
    return day_keys(payload, _counts(payload), _SOURCE_CODE)


def _counts(payload: Payload) -> pl.DataFrame:
    """The rows of an export as rows of the contract, with the local day of each."""
    frame = _read(payload)
    lane, vehicles = datex.lane("rijstrook_rijbaan"), _vehicle_class("voertuigcategorie")
    frame = frame.with_columns(
        clock_time("start_meetperiode").alias("_start"),
        clock_time("eind_meetperiode").alias("_end"),
        lane_code=lane,
        vehicle_class=vehicles,
        series_code=pl.coalesce("ndw_index", pl.concat_str(lane, vehicles, separator=" ", ignore_nulls=True)),
    )
    frame = with_instant(frame, "_start", ["id_meetlocatie", "series_code", "_end"], "interval_start_at")
    frame = frame.with_columns(period_s=seconds_between("interval_start_at", "_start", "_end"))
    flow_error, speed_error = _error("data_error_intensiteit"), _error("data_error_snelheid")
    flow, speed = number("gem_intensiteit"), number("gem_snelheid")
    flow_reason = _reason("gem_intensiteit", "i", flow_error)
    frame = frame.with_columns(
        flow_missing_reason=flow_reason, speed_missing_reason=_reason("gem_snelheid", "v", speed_error)
    ).with_columns(
        # Without vehicles there is no speed; the export says -1, as it does when nothing was measured.
        pl.when((pl.col("speed_missing_reason") == "no_input") & (flow == 0) & flow_reason.is_null())
        .then(pl.lit("no_vehicles"))
        .otherwise("speed_missing_reason")
        .alias("speed_missing_reason")
    )
    rules = {
        "interval_start_at.type": pl.col("_start").is_null(),
        "interval_start_at.nonexistent": pl.col("_start").is_not_null() & pl.col("interval_start_at").is_null(),
        "period_s.type": pl.col("_end").is_null(),
        "flow_veh_h.type": unreadable("gem_intensiteit"),
        "flow_veh_h.greater_than_or_equal_to": pl.col("flow_missing_reason").is_null() & (flow < 0),
        "speed_km_h.type": unreadable("gem_snelheid"),
        "speed_km_h.greater_than_or_equal_to": pl.col("speed_missing_reason").is_null() & (speed < 0),
        "weighted_speed_km_h.type": unreadable("gewogen_gem_snelheid"),
        "measured_minutes.type": unreadable("gebruikte_minuten_intensiteit"),
        "data_error.unknown": _is_no_mark("data_error_intensiteit") | _is_no_mark("data_error_snelheid"),
        "site_version.type": unreadable("versie_meetlocatie"),
        "lanes.type": unreadable("totaal_aantal_rijstroken"),
        "longitude.type": not_a_coordinate("start_locatie_longitude"),
        "latitude.type": not_a_coordinate("start_locatie_latitude"),
    }
    flow_there = pl.when(pl.col("flow_missing_reason").is_null()).then(flow)
    weighted = number("gewogen_gem_snelheid")
    speed_there = pl.col("speed_missing_reason").is_null()
    clock_day = pl.col("_start").dt.date()
    return (
        marked(frame, rules, _FIELDS)
        .with_columns(*local_parts("interval_start_at"), clock_day.fill_null(clock_day.min()).alias(OWN_DAY))
        .select(
            pl.lit(_SOURCE_CODE).alias("source_code"),
            pl.col("id_meetlocatie").alias("site_id"),
            number("versie_meetlocatie").cast(pl.Int64, strict=False).alias("site_version"),
            "series_code",
            "interval_start_at",
            "local_date",
            "local_hour",
            "weekday",
            "period_s",
            number("gebruikte_minuten_intensiteit").alias("measured_minutes"),
            (flow_there * pl.col("period_s") / 3600).alias("vehicles"),
            flow_there.alias("flow_veh_h"),
            pl.when(speed_there).then(speed).alias("speed_km_h"),
            pl.when(speed_there & weighted.is_finite() & (weighted != -1)).then(weighted).alias("weighted_speed_km_h"),
            "flow_missing_reason",
            "speed_missing_reason",
            pl.col("technical_exclusion").alias("exclusion_codes"),
            "vehicle_class",
            "lane_code",
            number("totaal_aantal_rijstroken").cast(pl.Int64, strict=False).alias("lanes"),
            pl.col("naam_meetlocatie").alias("site_name"),
            coordinate("start_locatie_longitude").alias("longitude"),
            coordinate("start_locatie_latitude").alias("latitude"),
            PROBLEMS,
            ORIGINAL,
            OWN_DAY,
        )
    )


def _read(payload: Payload) -> pl.DataFrame:
    frame = delimited(payload, _REQUIRED, _FIELDS)
    if not set(_VALUES) & set(frame.columns):
        raise PayloadError(payload.name, f"has neither of the columns {' and '.join(_VALUES)}", "export flows, speeds, or both")
    return completed(frame, _FIELDS).select(_FIELDS)


def _reason(value: str, exclusion: str, is_error: pl.Expr) -> pl.Expr:
    """Why a value is not there; null when it is."""
    codes = pl.col("technical_exclusion").str.to_lowercase().str.split(",").list.eval(pl.element().str.strip_chars())
    # A code that is not known might mean either value, so neither is trusted.
    is_excluded = codes.list.contains(exclusion) | codes.list.eval(~pl.element().is_in(["i", "v"])).list.any()
    return (
        pl.when(is_excluded)
        .then(pl.lit("excluded"))
        .when(is_error)
        .then(pl.lit("data_error"))
        .when(pl.col(value).is_null())
        .then(pl.lit("not_delivered"))
        .when(~number(value).is_finite())
        .then(pl.lit("not_a_number"))
        .when(number(value) == -1)
        .then(pl.lit("no_input"))
    )


def _error(column: str) -> pl.Expr:
    return _mark(column).replace_strict(_ERROR_MARKS, default=None, return_dtype=pl.Boolean)


def _is_no_mark(column: str) -> pl.Expr:
    return ~_mark(column).is_in(list(_ERROR_MARKS))


def _mark(column: str) -> pl.Expr:
    return pl.col(column).str.to_lowercase().str.strip_suffix(".0")


_CLASS_SIGNS: Mapping[str, str] = {"<=": "up_to_", ">=": "over_", "<": "up_to_", ">": "over_"}


def _vehicle_class(column: str) -> pl.Expr:
    """The class as other tables name it: `any` for anyVehicle, otherwise the delivered name without spaces and signs."""
    text = pl.col(column).str.strip_chars()
    plain = text.str.replace_many(_CLASS_SIGNS).str.replace_all(r"[^A-Za-z0-9.+]+", "_").str.strip_chars("_")
    return (
        pl.when(text.str.to_lowercase() == "anyvehicle")
        .then(pl.lit(datex.ANY_VEHICLE))
        .when(plain != "")
        .then(plain)
        .otherwise(pl.lit(datex.UNKNOWN_CLASS))
    )


def _recognises(head: Head) -> bool:
    names = set(column_names(head.text))
    return set(_REQUIRED) <= names and bool(set(_VALUES) & names)


SOURCE = FileSource(
    name="ndw_historical",
    title="Historical traffic counts (NDW, Dexter export)",
    patterns=("*dexter*.csv", "*dexter*.csv.gz", "*ndw_historical*.csv", "*ndw_historical*.csv.gz"),
    recognises=_recognises,
    batches=_batches,
)
