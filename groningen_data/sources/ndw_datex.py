"""NDW's feed of measured traffic data: DATEX II version 2, usually in a SOAP envelope, or version 3; streamed with expat.

One reading is the value of one index of one site at one time. What an index measures (lane, vehicle class) is only known from
the version of the site table that the feed names, so readings stay separate per index; where it is known, the speed of a lane
and class stands in the row of its flow. Reference values (`measuredValueExtension`) are counted, never read as measurements.
The feed publishes fast and slow sites together, so a reading is told by its site, index and measuring time; the time of
publication says nothing. Specification: DATEX II v2.x and v3.x, NDW interface description.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.fetching.connector import Connector, Pull
from groningen_data.gate.recipe import BuildContext
from groningen_data.lakehouse.scratch import set_aside
from groningen_data.landing import Payload
from groningen_data.sources import datex, ndw_area
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

SITE_INDEXES = "core.traffic_site_indexes"

_PUBLICATION = datex.Publication(
    "MeasuredDataPublication",
    "measured data",
    "deliver the publication of measured data (trafficspeed.xml.gz, snelheden_en_intensiteiten_meetgegevens.xml.gz)",
)
_FRAME_ROWS = 100_000
_BIN = "5m"
_BIN_MINUTES = 5
_READING = {
    "site": pl.String,
    "version": pl.String,
    "table": pl.String,
    "time": pl.String,
    "index": pl.String,
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
        folders = sorted(Path(scratch).iterdir())
        meanings = _meanings(context, folders)
        for folder in folders:
            readings = pl.concat([pl.read_parquet(path) for path in sorted(folder.iterdir())])
            yield from in_slices(_binned(readings, meanings, counts))
    context.notes |= {"files": len(payloads), **counts}


def _batches(payload: Payload) -> tuple[str, ...]:
    times = pl.DataFrame({"time": list(_times(payload))}, schema={"time": pl.String})
    days = times.select(instant("time").dt.convert_time_zone(DUTCH_TIME).dt.date()).to_series().drop_nulls().unique().sort()
    if days.is_empty():
        raise PayloadError(payload.name, "holds no measurement with a readable time", "ask for the publication again")
    return tuple(f"{day.isoformat()}/datex" for day in days)


def _times(payload: Payload) -> set[str]:
    """Every measurement time in a payload, as text."""
    parser = datex.new_parser()
    found: set[str] = set()
    text: list[str] = []
    is_time = datex.ByLocalName(dict.fromkeys(_TIMES, True))

    def start(name: str, attributes: dict[str, str]) -> None:
        if is_time[name]:
            text.clear()
            parser.CharacterDataHandler = text.append
            parser.EndElementHandler = end

    def end(name: str) -> None:
        parser.CharacterDataHandler = None
        parser.EndElementHandler = None
        found.add("".join(text).strip())

    for _ in datex.feed(parser, payload, _PUBLICATION, start):
        pass
    return found


_DEFAULT_TIME, _OWN_TIME = "measurementTimeDefault", "measurementOrCalculationTime"
# Version 3 has the instant inside the other two.
_TIMES = (_DEFAULT_TIME, _OWN_TIME, "timeValue")
_VALUE, _ERROR, _TIME, _BASIC, _INDEXED, _SPEED, _SITE, _REFERENCE, _TABLE, _EXTENSION = range(1, 11)
_ELEMENTS = {
    "vehicleFlowRate": _VALUE,
    "speed": _VALUE,
    "dataError": _ERROR,
    **dict.fromkeys(_TIMES, _TIME),
    "basicData": _BASIC,
    "measuredValue": _INDEXED,
    "physicalQuantity": _INDEXED,
    "averageVehicleSpeed": _SPEED,
    "siteMeasurements": _SITE,
    "measurementSiteReference": _REFERENCE,
    "measurementSiteTableReference": _TABLE,
}


class _Elements(datex.ByLocalName):
    """Which of `_ELEMENTS` an element is; extensions have many names."""

    def known(self, local: str) -> Any:
        return _EXTENSION if local.endswith("Extension") else self.get(local)


def _readings(payload: Payload, counts: Counter[str]) -> Iterator[pl.DataFrame]:
    """Every reading of a payload as text, in frames of about 100,000; what is no reading is counted.

    Only the starts of elements are heard: of all that the parser does, calling Python costs most. So the text of an element is
    taken, and a reading is kept, when the next one begins.
    """
    parser = datex.new_parser()
    # Lists of texts: a tuple per reading would keep the collector of garbage busy.
    columns: dict[str, list[Any]] = {name: [] for name in _READING}
    sites, versions, tables, times, indexes, flows, values, errors, inputs = columns.values()
    elements, flow_kinds = _Elements(_ELEMENTS), datex.ByLocalName(TrafficFlow=True, TrafficSpeed=False)
    text: list[str] = []
    field = 0
    # Where the parser is: the reading, its index and its site; the first row of that site.
    kind = site = version = index = code = table = None
    value = error = used = own = default = None
    first = skipped = 0
    is_default = is_outer = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal field, kind, site, version, index, code, table, value, error, used, own, default, first, is_default, is_outer
        if field == _VALUE and len(text) == 1:
            value, field = text[0], 0
        elif field:
            take()
        element = elements[name]
        if element is None:
            return
        if element == _INDEXED:
            # The outer one of two has the index; where it lacks one, the reading has none.
            if "index" in attributes:
                index, is_outer = attributes["index"], True
            elif is_outer:
                is_outer = False
            else:
                index, is_outer = None, True
        elif element == _BASIC:
            if kind is not None:
                keep()
            kind = attributes.get("xsi:type") or datex.type_of(attributes)
            code, value, error, used, own = index, None, None, None, None
        elif element <= _TIME:
            field = element
            text.clear()
            if element == _TIME and not name.endswith("timeValue"):
                is_default = name.endswith(_DEFAULT_TIME)
        elif element == _SPEED:
            used = attributes.get("numberOfInputValuesUsed")
        elif element == _SITE:
            close()
            site = version = default = index = None
            is_outer = False
            first = len(times)
            counts["sites"] += 1
        elif element == _REFERENCE:
            site, version = attributes.get("id"), attributes.get("version")
        elif element == _TABLE:
            table = datex.table_key(attributes.get("id"), attributes.get("version"))
        else:
            parser.StartElementHandler, parser.EndElementHandler = start_skipped, end_skipped

    def take() -> None:
        nonlocal field, value, error, own, default
        said = text[0] if len(text) == 1 else "".join(text)
        if field == _VALUE:
            value = said
        elif field == _ERROR:
            error = said
        elif is_default:
            default = said
        else:
            own = said
        field = 0

    def start_skipped(name: str, attributes: dict[str, str]) -> None:
        nonlocal skipped
        skipped += 1
        if name.endswith("basicDataReferenceValue"):
            counts["reference_values"] += 1

    def end_skipped(name: str) -> None:
        nonlocal skipped
        if skipped:
            skipped -= 1
        else:
            parser.StartElementHandler, parser.EndElementHandler = start, None

    def keep() -> None:
        nonlocal kind
        is_flow, other, kind = flow_kinds[kind or ""], kind, None
        if is_flow is None:
            counts["other_types"] += 1
            counts[f"type_{datex.local_name(other or 'missing')}"] += 1
            return
        times.append(own)
        indexes.append(code)
        flows.append(is_flow)
        values.append(value)
        errors.append(error)
        inputs.append(used)

    def close() -> None:
        if kind is not None:
            keep()
        times[first:] = [default if time is None else time for time in times[first:]]
        for column, of_site in ((sites, site), (versions, version), (tables, table)):
            column.extend([of_site] * (len(times) - first))

    def taken(rows: int) -> pl.DataFrame:
        frame = pl.DataFrame({name: column[:rows] for name, column in columns.items()}, schema=_READING)
        for column in columns.values():
            del column[:rows]
        flow_values = int(frame["is_flow"].sum())
        counts.update(values_read=rows, flow_values=flow_values, speed_values=rows - flow_values)
        return frame

    parser.CharacterDataHandler = text.append
    for _ in datex.feed(parser, payload, _PUBLICATION, start):
        # Readings of the last site may still lack their default time; they wait for the next frame.
        if first >= _FRAME_ROWS:
            yield taken(first)
            first = 0
    if field:
        take()
    close()
    if times:
        yield taken(len(times))


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
    columns = ["site", "version", "index", "at", "is_flow", "value", "reason", "interval_start_at", "table"]
    for (start,), part in readings.select(columns).partition_by("interval_start_at", as_dict=True).items():
        folder = scratch / f"{start:%Y%m%dT%H%M}"
        folder.mkdir(exist_ok=True)
        set_aside(part, folder / f"{name}.parquet")


def _meanings(context: BuildContext, folders: Sequence[Path]) -> pl.DataFrame:
    """What the indexes of the site tables that the readings name measure; notes which of those tables were never delivered.

    Returns:
        Per `table`, `site`, `version`, `index` and `is_flow`: `vehicle_class`, `lane_code`, `period_minutes`, and `series`, the
        index in whose row a reading belongs: that of the flow of the same lane and class.
    """
    named = [pl.scan_parquet(folder / "*.parquet").select(pl.col("table").unique()) for folder in folders]
    tables = pl.concat(named).collect()["table"].drop_nulls().unique().sort() if named else pl.Series(dtype=pl.String)
    if tables.is_empty():
        return _NO_MEANINGS
    indexes = context.published(SITE_INDEXES)
    known = indexes.select(
        (pl.col("table_version") + "/" + pl.col("table_code")).alias("table"),
        pl.col("site_id").alias("site"),
        pl.col("site_version").alias("version"),
        pl.col("index_code").alias("index"),
        "quantity",
        "vehicle_class",
        "lane_code",
        (pl.col("period_s") / 60).clip(1, _BIN_MINUTES).fill_null(1.0).alias("period_minutes"),
    ).filter(pl.col("table").is_in(tables.implode()), pl.col("quantity").is_in(["flow", "speed"]))
    absent = [table for table in tables if table not in set(known["table"])]
    if absent:
        context.notes["site_tables_not_delivered"] = ", ".join(absent)
    return _paired(known.with_columns(is_flow=pl.col("quantity") == "flow").drop("quantity"))


_NO_MEANINGS = pl.DataFrame(
    schema={
        "table": pl.String,
        "site": pl.String,
        "version": pl.Int64,
        "index": pl.String,
        "is_flow": pl.Boolean,
        "vehicle_class": pl.String,
        "lane_code": pl.String,
        "period_minutes": pl.Float64,
        "series": pl.String,
    }
)


def _paired(known: pl.DataFrame) -> pl.DataFrame:
    """Indexes with the class under which their vehicles may be added up, and each speed with its flow."""
    site = ["table", "site", "version"]
    is_any = pl.col("vehicle_class") == datex.ANY_VEHICLE
    # Several lanes together are whole as well: each of them may have an index of its own.
    is_whole = ((pl.col("lane_code") == datex.WHOLE_CARRIAGEWAY) | pl.col("lane_code").str.contains("+", literal=True)).fill_null(
        True
    )
    lanes_are_apart = (is_any & ~is_whole & pl.col("is_flow")).any().over(site)
    same = [*site, "is_flow", "vehicle_class", "lane_code"]
    is_repeated = pl.col("index").cum_count().over(same) > 1
    known = known.sort(pl.col("index").cast(pl.Int64, strict=False), "index", maintain_order=True).with_columns(
        pl.when(is_any & is_whole & lanes_are_apart)
        .then(pl.lit("carriageway"))
        .when(is_any & is_repeated)
        .then(pl.lit("repeated"))
        .otherwise("vehicle_class")
        .alias("vehicle_class")
    )
    by_lane = [*site, "vehicle_class", "lane_code"]
    flows = known.filter("is_flow").unique(by_lane, keep="first", maintain_order=True)
    flows = flows.select(*by_lane, pl.col("index").alias("series"), pl.lit(False).alias("is_flow"))
    return known.join(flows, on=[*by_lane, "is_flow"], how="left", nulls_equal=True)


def _binned(readings: pl.DataFrame, meanings: pl.DataFrame, counts: Counter[str]) -> pl.DataFrame:
    """Readings of one interval of five minutes as rows of the contract."""
    # The same reading is published again in later files; the latest delivery counts.
    distinct = readings.unique(["site", "index", "is_flow", "at"], keep="last", maintain_order=True)
    counts["duplicates"] += readings.height - distinct.height
    # Indexes may mean something else in another version of a site, so one version per interval counts.
    newest = distinct.filter((pl.col("version") == pl.col("version").max().over("site")) | pl.col("version").is_null())
    counts["readings_of_superseded_version"] += distinct.height - newest.height
    known = newest.join(meanings, on=["table", "site", "version", "index", "is_flow"], how="left", maintain_order="left")
    counts["readings_of_known_meaning"] += int(known["vehicle_class"].is_not_null().sum())
    minute = pl.col("at").dt.truncate("1m").alias("minute")
    by_minute = (
        known.sort("at")
        .group_by("site", pl.coalesce("series", "index").alias("index"), "is_flow", minute, maintain_order=True)
        .agg(
            pl.col("value").mean(),
            pl.col("reason").drop_nulls().last(),
            pl.col("version").last(),
            pl.col("interval_start_at").first(),
            pl.col("vehicle_class").unique(),
            pl.col("lane_code").unique(),
            pl.col("period_minutes").first(),
        )
    )
    flow, speed = pl.col("value").filter(pl.col("is_flow")), pl.col("value").filter(~pl.col("is_flow"))
    rows = by_minute.group_by("site", "index", maintain_order=True).agg(
        pl.col("version").last(),
        pl.col("interval_start_at").first(),
        flow.mean().alias("flow_veh_h"),
        flow.count().alias("flow_readings"),
        speed.mean().alias("speed_km_h"),
        speed.count().alias("speed_readings"),
        pl.col("minute").n_unique().alias("readings"),
        pl.col("is_flow").any().alias("has_flow"),
        (~pl.col("is_flow")).any().alias("has_speed"),
        pl.col("reason").filter(pl.col("is_flow")).drop_nulls().last().alias("flow_reason"),
        pl.col("reason").filter(~pl.col("is_flow")).drop_nulls().last().alias("speed_reason"),
        _agreed("vehicle_class"),
        _agreed("lane_code"),
        pl.col("period_minutes").max().fill_null(1.0),
    )
    measured = pl.when(pl.col("has_flow")).then("flow_readings").otherwise("speed_readings")
    minutes = pl.when(measured > 0).then(measured).otherwise("readings") * pl.col("period_minutes")
    rows = rows.with_columns(*local_parts("interval_start_at"), minutes.round().clip(1, _BIN_MINUTES).alias("measured_minutes"))
    nothing_passed = (pl.col("flow_veh_h") == 0) & (pl.col("speed_reason") == "no_input")
    rows = rows.with_columns(pl.when(nothing_passed).then(pl.lit("no_vehicles")).otherwise("speed_reason").alias("speed_reason"))
    return rows.select(
        pl.lit("datex").alias("feed_code"),
        pl.col("site").alias("site_id"),
        pl.col("version").alias("site_version"),
        pl.col("index").alias("series_code"),
        "interval_start_at",
        "local_date",
        "local_hour",
        "weekday",
        pl.col("measured_minutes").cast(pl.Int64),
        (pl.col("flow_veh_h") * pl.col("measured_minutes") / 60).alias("vehicles"),
        "flow_veh_h",
        "speed_km_h",
        pl.lit(None, pl.Float64).alias("occupancy_pct"),
        _missing("flow_veh_h", "has_flow", "flow_reason").alias("flow_missing_reason"),
        _missing("speed_km_h", "has_speed", "speed_reason").alias("speed_missing_reason"),
        pl.col("vehicle_class").fill_null(datex.UNKNOWN_CLASS),
        "lane_code",
        pl.lit([], dtype=pl.List(pl.String)).alias(PROBLEMS),
        pl.lit(None, pl.String).alias(ORIGINAL),
    )


def _agreed(column: str) -> pl.Expr:
    """The one value that all minutes have; null where they differ, or where some have none."""
    values = pl.col(column).list.explode().unique()
    return pl.when(values.len() == 1).then(values.first()).alias(column)


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
        pl.lit(datex.UNKNOWN_CLASS).alias("vehicle_class"),
        pl.lit(None, pl.String).alias("lane_code"),
        PROBLEMS,
        ORIGINAL,
    )


def _pull(visit: Pull) -> None:
    """Land what the newest publication says of the sites in the area, each publication at a place of its own.

    Which sites those are is noted from the site table, which is asked when a publication names another one than before, and on
    another day.
    """
    ndw_area.follow_settings(visit)
    version = visit.settings.ndw_datex_version
    url = visit.client.url(ndw_area.SERVICE, ndw_area.FEEDS[version])
    with ndw_area.downloaded(visit, url) as found:
        if found is None:
            return
        answer, payload = found
        made = ndw_area.excerpt(payload, _PUBLICATION, visit.cursor.get("sites", ()))
        try:
            at = datetime.fromisoformat(made.published_at).astimezone(UTC)
        except ValueError:
            raise visit.problem(f"{answer.url} does not say when it was published", "report it to NDW") from None
        table = f"{' '.join(made.tables)} {at:%Y-%m-%d}"
        if visit.cursor.get("table") != table:
            _note_sites(visit, table)
            made = ndw_area.excerpt(payload, _PUBLICATION, visit.cursor["sites"])
        if not made.kept:
            raise visit.problem(
                f"{answer.url} has none of the {len(visit.cursor['sites'])} sites of the area",
                "ask again later; report it to NDW",
            )
        stem = url.rsplit("/", 1)[-1].removesuffix(".xml.gz")
        ndw_area.deliver(visit, f"{stem}_{at:%Y-%m-%dT%H%M%S}Z.xml.gz", answer, made, url)


def _note_sites(visit: Pull, table: str) -> None:
    url = visit.client.url(ndw_area.SERVICE, ndw_area.TABLES[visit.settings.ndw_datex_version])
    with ndw_area.downloaded(visit, url) as found:
        if found is not None:
            answer, payload = found
            visit.cursor["sites"] = ndw_area.sites_of_area(visit, payload)
            visit.cursor.setdefault("validators", {})[url] = dict(answer.validators)
    visit.cursor["table"] = table


def _recognises(head: Head) -> bool:
    return datex.is_message(head.text) and _PUBLICATION.kind in head.text


SOURCE = FileSource(
    name="ndw_datex",
    title="Measured traffic data (NDW, DATEX II)",
    patterns=tuple(
        f"{name}{packing}" for name in ("*trafficspeed*.xml", "*intensiteiten[-_]meetgegevens*.xml") for packing in ("", ".gz")
    ),
    recognises=_recognises,
    batches=_batches,
    connector=Connector((ndw_area.SERVICE,), _pull),
)
