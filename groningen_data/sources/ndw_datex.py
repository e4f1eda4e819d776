"""NDW's feed of measured traffic data: DATEX II version 2, usually in a SOAP envelope, streamed with expat.

One reading is the value of one index of one site at one time. What an index measures (lane, vehicle class) is only known with
the site table of the same version, so readings stay separate per index. Reference values (`measuredValueExtension`) are
counted, never read as measurements. Specification: DATEX II v2.x, NDW interface description.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.parsing import (
    DUTCH_TIME,
    ORIGINAL,
    PROBLEMS,
    day_of,
    in_slices,
    instant,
    local_parts,
    marked,
    number,
    unreadable,
)

_CHUNK = 1 << 18
_FRAME_ROWS = 100_000
_BIN = "5m"
_TYPE: Final = "http://www.w3.org/2001/XMLSchema-instance type"
_READING = {
    "site": pl.String,
    "version": pl.String,
    "index": pl.String,
    "time": pl.String,
    "is_flow": pl.Boolean,
    "value": pl.String,
    "data_error": pl.String,
    "inputs": pl.String,
}


def parse_counts(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.traffic_counts` for one local day, from all files of that day.

    Readings are first set aside per five minutes on disk, so that a day of files needs no more memory than the files that
    touch the same five minutes. Readings that break a rule by themselves are yielded alone, marked.
    """
    counts: Counter[str] = Counter()
    context.settings.scratch_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=context.settings.scratch_dir) as scratch:
        for number_of_file, payload in enumerate(payloads):
            for part, frame in enumerate(_readings(payload, counts)):
                readings = _judged(frame)
                belongs = pl.col("local_date") == day_of(batch_key)
                if payload.batches[:1] in ((batch_key,), ()):
                    belongs = belongs.fill_null(True)
                mine = readings.filter(belongs.fill_null(False))
                counts["readings_of_other_days"] += readings.height - mine.height
                counts.update(_by_reason(mine))
                broken = mine.filter(pl.col(PROBLEMS).list.len() > 0)
                counts["readings_quarantined"] += broken.height
                yield from in_slices(_alone(broken))
                _set_aside(mine.filter(pl.col(PROBLEMS).list.len() == 0), Path(scratch), f"{number_of_file:05}-{part:05}")
        for folder in sorted(Path(scratch).iterdir()):
            readings = pl.concat([pl.read_parquet(path) for path in sorted(folder.iterdir())])
            yield from in_slices(_binned(readings, counts))
    context.notes |= {"files": len(payloads), **counts}


def _batches(payload: Payload) -> tuple[str, ...]:
    times = pl.DataFrame({"time": list(_times(payload))}, schema={"time": pl.String})
    days = times.select(instant("time").dt.convert_time_zone(DUTCH_TIME).dt.date()).to_series().drop_nulls().unique().sort()
    if days.is_empty():
        raise PayloadError(payload.name, "holds no measurement with a readable time", "ask for the publication again")
    return tuple(f"{day.isoformat()}/datex" for day in days)


def _times(payload: Payload) -> set[str]:
    """Every measurement time in a payload, as text."""
    parser = expat.ParserCreate(namespace_separator=" ")
    found: set[str] = set()
    text: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.endswith((" measurementTimeDefault", " measurementOrCalculationTime")):
            text.clear()
            parser.CharacterDataHandler = text.append
            parser.EndElementHandler = end

    def end(name: str) -> None:
        parser.CharacterDataHandler = None
        parser.EndElementHandler = None
        found.add("".join(text).strip())

    for _ in _fed(parser, payload, start):
        pass
    return found


def _readings(payload: Payload, counts: Counter[str]) -> Iterator[pl.DataFrame]:
    """Every reading of a payload as text, in frames of about 100,000; what is no reading is counted."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    columns: dict[str, list[Any]] = {name: [] for name in _READING}
    sites, versions, indexes, times, flows, values, errors, inputs = columns.values()
    local: dict[str, str] = {}
    state: dict[str, Any] = {"site": None, "version": None, "default": None, "first": 0, "depth": 0, "skip": False}
    reading: dict[str, Any] = {}
    text: list[str] = []
    captured = {"measurementTimeDefault", "measurementOrCalculationTime", "vehicleFlowRate", "speed", "dataError"}

    def start(name: str, attributes: dict[str, str]) -> None:
        tag = local.get(name) or local.setdefault(name, name.rpartition(" ")[2])
        if state["skip"]:
            if tag == "basicDataReferenceValue":
                counts["reference_values"] += 1
        elif tag in captured:
            text.clear()
            parser.CharacterDataHandler = text.append
        elif tag == "basicData":
            reading.clear()
            reading["kind"] = attributes.get(_TYPE, "").rpartition(":")[2]
        elif tag == "measuredValue":
            if state["depth"] == 0:
                state["index"] = attributes.get("index")
            state["depth"] += 1
        elif tag == "averageVehicleSpeed":
            reading["inputs"] = attributes.get("numberOfInputValuesUsed")
        elif tag == "measuredValueExtension":
            state["skip"] = True
        elif tag == "siteMeasurements":
            state.update(site=None, version=None, default=None, first=len(times), depth=0)
            counts["sites"] += 1
        elif tag == "measurementSiteReference":
            state["site"], state["version"] = attributes.get("id"), attributes.get("version")

    def end(name: str) -> None:
        tag = local.get(name)
        if state["skip"]:
            state["skip"] = tag != "measuredValueExtension"
        elif tag in captured:
            parser.CharacterDataHandler = None
            if tag == "measurementTimeDefault":
                state["default"] = "".join(text)
            else:
                reading[tag] = "".join(text)
        elif tag == "basicData":
            keep()
        elif tag == "measuredValue":
            state["depth"] -= 1
        elif tag == "siteMeasurements":
            first, default = state["first"], state["default"]
            times[first:] = [default if time is None else time for time in times[first:]]

    def keep() -> None:
        kind = reading["kind"]
        if kind not in ("TrafficFlow", "TrafficSpeed"):
            counts["other_types"] += 1
            counts[f"type_{kind or 'missing'}"] += 1
            return
        is_flow = kind == "TrafficFlow"
        counts["values_read"] += 1
        counts["flow_values" if is_flow else "speed_values"] += 1
        sites.append(state["site"])
        versions.append(state["version"])
        indexes.append(state["index"])
        times.append(reading.get("measurementOrCalculationTime"))
        flows.append(is_flow)
        values.append(reading.get("vehicleFlowRate" if is_flow else "speed"))
        errors.append(reading.get("dataError"))
        inputs.append(reading.get("inputs"))

    for _ in _fed(parser, payload, start, end):
        # Readings of a site that is still open may lack the default time; they wait for the next frame.
        ready = state["first"] if state["site"] is not None else len(times)
        if ready >= _FRAME_ROWS:
            yield pl.DataFrame({name: column[:ready] for name, column in columns.items()}, schema=_READING)
            for column in columns.values():
                del column[:ready]
            state["first"] -= ready
    if times:
        yield pl.DataFrame(columns, schema=_READING)


def _fed(
    parser: expat.XMLParserType,
    payload: Payload,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Feeds a payload to the parser, yielding between chunks; refuses what is not DATEX II v2 measured data.

    Raises:
        PayloadError: The XML is cut off, malformed, declares a document type, or is something else.
    """
    seen: set[str] = set()

    def root(name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "payloadPublication":
            if not attributes.get(_TYPE, "").endswith("MeasuredDataPublication"):
                raise _not_datex(payload, f"publishes {attributes.get(_TYPE, 'something else')}")
            seen.add(tag)
            parser.StartElementHandler, parser.EndElementHandler = start, end
        elif not seen and tag not in ("Envelope", "d2LogicalModel"):
            raise _not_datex(payload, f"its outermost element is {tag}")
        seen.add(tag)

    def doctype(*_: Any) -> None:
        raise PayloadError(
            payload.name, "declares a document type, which measured data never does", "refuse the file; ask where it comes from"
        )

    parser.StartElementHandler = root
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = doctype
    with payload.open() as stream:
        try:
            while chunk := stream.read(_CHUNK):
                parser.Parse(chunk, False)
                yield
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            cut = error.code in _CUT_OFF
            raise PayloadError(
                payload.name,
                f"was cut off at line {error.lineno}" if cut else f"is not well-formed XML ({error})",
                "ask for the file again; it is damaged or of another type",
            ) from error
    if "payloadPublication" not in seen:
        raise _not_datex(payload, "it has no payloadPublication")


_CUT_OFF = {
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
    )
}


def _not_datex(payload: Payload, why: str) -> PayloadError:
    return PayloadError(
        payload.name,
        f"is XML, but not DATEX II v2 measured data: {why}",
        "deliver the version 2 publication of measured data (trafficspeed.xml.gz)",
    )


def _judged(readings: pl.DataFrame) -> pl.DataFrame:
    """Readings with numbers, instants, reasons for missing values, and the rules they break."""
    value, inputs = number("value"), number("inputs")
    reason = (
        pl.when(pl.col("data_error").str.strip_chars().is_in(["true", "1"]))
        .then(pl.lit("data_error"))
        .when(pl.col("value").is_null() | (pl.col("value").str.strip_chars() == ""))
        .then(pl.lit("not_delivered"))
        .when(~value.is_finite())
        .then(pl.lit("not_a_number"))
        .when(~pl.col("is_flow") & (inputs == 0))
        .then(pl.lit("no_vehicles"))
        .when(value == -1)
        .then(pl.lit("no_input"))
    )
    at = instant("time")
    negative = reason.is_null() & (value < 0)
    rules = {
        "site_id.required": pl.col("site").is_null() | (pl.col("site") == ""),
        "series_code.required": pl.col("index").is_null(),
        "site_version.type": unreadable("version", pl.Int64),
        "interval_start_at.type": at.is_null(),
        "flow_veh_h.type": pl.col("is_flow") & unreadable("value"),
        "speed_km_h.type": ~pl.col("is_flow") & unreadable("value"),
        "flow_veh_h.greater_than_or_equal_to": pl.col("is_flow") & negative,
        "speed_km_h.greater_than_or_equal_to": ~pl.col("is_flow") & negative,
    }
    return (
        marked(readings.with_columns(at=at), rules, readings.columns)
        .with_columns(
            reason.alias("reason"),
            pl.when(reason.is_null()).then(value).alias("value"),
            pl.col("version").cast(pl.Int64, strict=False),
            pl.col("at").dt.truncate(_BIN).alias("interval_start_at"),
        )
        .with_columns(*local_parts("interval_start_at"))
    )


def _by_reason(readings: pl.DataFrame) -> dict[str, int]:
    kind = pl.when(pl.col("is_flow")).then(pl.lit("flow_")).otherwise(pl.lit("speed_"))
    return dict(readings.filter(pl.col("reason").is_not_null()).group_by(kind + pl.col("reason")).agg(pl.len()).iter_rows())


def _set_aside(readings: pl.DataFrame, scratch: Path, name: str) -> None:
    columns = ["site", "version", "index", "at", "is_flow", "value", "reason", "interval_start_at"]
    for (start,), part in readings.select(columns).partition_by("interval_start_at", as_dict=True).items():
        folder = scratch / f"{start:%Y%m%dT%H%M}"
        folder.mkdir(exist_ok=True)
        part.write_parquet(folder / f"{name}.parquet", compression="lz4")


def _binned(readings: pl.DataFrame, counts: Counter[str]) -> pl.DataFrame:
    """Readings of one interval of five minutes as rows of the contract."""
    # The same reading is published again in later files; the latest delivery counts.
    distinct = readings.unique(["site", "index", "is_flow", "at"], keep="last", maintain_order=True)
    counts["duplicates"] += readings.height - distinct.height
    # Indexes may mean something else in another version of a site, so one version per interval counts.
    newest = distinct.filter((pl.col("version") == pl.col("version").max().over("site")) | pl.col("version").is_null())
    counts["readings_of_superseded_version"] += distinct.height - newest.height
    by_minute = (
        newest.sort("at")
        .group_by("site", "index", "is_flow", pl.col("at").dt.truncate("1m").alias("minute"), maintain_order=True)
        .agg(
            pl.col("value").mean(),
            pl.col("reason").drop_nulls().last(),
            pl.col("version").last(),
            pl.col("interval_start_at").first(),
        )
    )
    flow, speed = pl.col("value").filter(pl.col("is_flow")), pl.col("value").filter(~pl.col("is_flow"))
    rows = by_minute.group_by("site", "index", maintain_order=True).agg(
        pl.col("version").last(),
        pl.col("interval_start_at").first(),
        flow.mean().alias("flow_veh_h"),
        flow.count().alias("flow_minutes"),
        (flow.sum() / 60).alias("vehicles"),
        speed.mean().alias("speed_km_h"),
        speed.count().alias("speed_minutes"),
        pl.col("minute").n_unique().alias("minutes"),
        pl.col("is_flow").any().alias("has_flow"),
        (~pl.col("is_flow")).any().alias("has_speed"),
        pl.col("reason").filter(pl.col("is_flow")).drop_nulls().last().alias("flow_reason"),
        pl.col("reason").filter(~pl.col("is_flow")).drop_nulls().last().alias("speed_reason"),
    )
    measured = pl.when(pl.col("has_flow")).then("flow_minutes").otherwise("speed_minutes")
    return rows.with_columns(*local_parts("interval_start_at")).select(
        pl.lit("datex").alias("feed_code"),
        pl.col("site").alias("site_id"),
        pl.col("version").alias("site_version"),
        pl.col("index").alias("series_code"),
        "interval_start_at",
        "local_date",
        "local_hour",
        "weekday",
        pl.when(measured > 0).then(measured).otherwise("minutes").cast(pl.Int64).alias("measured_minutes"),
        pl.when(pl.col("flow_minutes") > 0).then("vehicles").alias("vehicles"),
        "flow_veh_h",
        "speed_km_h",
        pl.lit(None, pl.Float64).alias("occupancy_pct"),
        _missing("flow_veh_h", "has_flow", "flow_reason").alias("flow_missing_reason"),
        _missing("speed_km_h", "has_speed", "speed_reason").alias("speed_missing_reason"),
        pl.lit("unknown").alias("vehicle_class"),
        pl.lit([], dtype=pl.List(pl.String)).alias(PROBLEMS),
        pl.lit(None, pl.String).alias(ORIGINAL),
    )


def _missing(value: str, delivered: str, reason: str) -> pl.Expr:
    why = pl.when(pl.col(delivered)).then(pl.col(reason)).otherwise(pl.lit("measured_elsewhere"))
    return pl.when(pl.col(value).is_null()).then(why)


def _alone(readings: pl.DataFrame) -> pl.DataFrame:
    """Broken readings as rows of the contract, one each."""
    return readings.select(
        pl.lit("datex").alias("feed_code"),
        pl.col("site").alias("site_id"),
        pl.col("version").alias("site_version"),
        pl.col("index").alias("series_code"),
        "interval_start_at",
        "local_date",
        "local_hour",
        "weekday",
        pl.lit(1, pl.Int64).alias("measured_minutes"),
        pl.when(pl.col("is_flow")).then(pl.col("value") / 60).alias("vehicles"),
        pl.when(pl.col("is_flow")).then("value").alias("flow_veh_h"),
        pl.when(~pl.col("is_flow")).then("value").alias("speed_km_h"),
        pl.lit(None, pl.Float64).alias("occupancy_pct"),
        pl.when(pl.col("is_flow")).then("reason").otherwise(pl.lit("measured_elsewhere")).alias("flow_missing_reason"),
        pl.when(~pl.col("is_flow")).then("reason").otherwise(pl.lit("measured_elsewhere")).alias("speed_missing_reason"),
        pl.lit("unknown").alias("vehicle_class"),
        PROBLEMS,
        ORIGINAL,
    )


def _recognises(head: Head) -> bool:
    return "d2LogicalModel" in head.text and "MeasuredDataPublication" in head.text


SOURCE = FileSource(
    name="ndw_datex",
    title="Measured traffic data (NDW, DATEX II v2)",
    patterns=("*trafficspeed*.xml", "*trafficspeed*.xml.gz"),
    recognises=_recognises,
    batches=_batches,
)
