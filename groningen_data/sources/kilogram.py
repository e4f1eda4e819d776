"""Weighings of collection vehicles as the Kilogram system answers: `{"Fields": […], "Records": [[…]], "Status", "Message"}`.

Every value is a text, '' where there is none; date and time are the local clock. One weighing of several containers is listed
once per container, with the same weight. Customers, addresses and districts are not read.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import Locator
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.delivered import (
    OWN_DAY,
    completed,
    day_keys,
    fraction,
    local_instant,
    of_day,
    trimmed,
    unknown_fractions,
    with_point,
)
from groningen_data.sources.parsing import (
    ORIGINAL,
    PROBLEMS,
    check_columns,
    coordinate,
    in_slices,
    iso_day,
    local_parts,
    marked,
    not_a_coordinate,
    read_json,
)

_SOURCE_CODE = "kilogram"
# A number of containers beyond this is a slip, as of a cell that moved.
_MOST_CONTAINERS = 100_000
_REQUIRED = ("SystemId", "Seq", "Date", "Time", "FirstWeight", "SecondWeight", "NettWeight", "Latitude", "Longitude")
_OTHER_NAMES = {"ContNr": "ContIds", "AfvalNaam": "FractionId"}
"""Names in an earlier form of the answer, and the names they have now."""
_FIELDS = (*_REQUIRED, "ContIds", "NoOfCont", "FractionId")
_WEIGHING = ("SystemId", "Seq", "Date", "Time", "FirstWeight", "SecondWeight", "NettWeight")


def parse_emptyings(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_emptyings` for one local day; a later delivery of the same weighing counts."""
    notes = context.notes
    rows = of_day(payloads, batch_key, _weighings, ["SystemId", "Seq", "emptied_at"], notes)
    notes["rows_of_weighings_listed_before"] = int(rows["listed"].sum()) - rows.height
    notes["fractions_not_known"] = ", ".join(unknown_fractions(rows["FractionId"]))
    for reason, count in rows["weight_missing_reason"].drop_nulls().value_counts(sort=True).iter_rows():
        notes[f"weight_{reason}"] = count
    several = pl.col("container_codes").str.contains(",", literal=True)
    placed = with_point(rows, "Longitude", "Latitude", notes).with_columns(*local_parts("emptied_at"), *fraction("FractionId"))
    found = placed.select(
        pl.lit(_SOURCE_CODE).alias("source_code"),
        pl.col("SystemId").alias("system_code"),
        pl.col("Seq").alias("emptying_id"),
        pl.col("SystemId").alias("vehicle_code"),
        pl.when(~several).then("container_codes").alias("container_code"),
        "container_codes",
        "containers",
        "emptied_at",
        "local_date",
        "local_hour",
        "weekday",
        "weight_kg",
        "first_weight_kg",
        "second_weight_kg",
        "weight_missing_reason",
        "fraction_code",
        "fraction_name",
        "fraction_missing_reason",
        "longitude",
        "latitude",
        PROBLEMS,
        ORIGINAL,
    )
    yield from in_slices(Locator(context.published("core.reference_neighbourhoods")).locate(found))


def _batches(payload: Payload) -> tuple[str, ...]:
    return day_keys(payload, _weighings(payload), _SOURCE_CODE)


def _weighings(payload: Payload) -> pl.DataFrame:
    """A row per weighing, with the codes of all its containers and how many records listed it."""
    at, clock = local_instant("_clock")
    frame = _records(payload).with_columns(_clock=pl.format("{}T{}", "Date", "Time")).with_columns(emptied_at=at, _read=clock)
    rules = {
        "emptied_at.type": pl.col("_read").is_null(),
        "emptied_at.nonexistent": pl.col("_read").is_not_null() & pl.col("emptied_at").is_null(),
        "weight_kg.type": not_a_coordinate("NettWeight"),
        "first_weight_kg.type": not_a_coordinate("FirstWeight"),
        "second_weight_kg.type": not_a_coordinate("SecondWeight"),
        "containers.type": not_a_coordinate("NoOfCont"),
        "longitude.type": not_a_coordinate("Longitude"),
        "latitude.type": not_a_coordinate("Latitude"),
    }
    day = pl.coalesce(iso_day("Date"), iso_day("Date").drop_nulls().mode().min()).alias(OWN_DAY)
    frame = marked(frame, rules, _FIELDS).with_columns(day)
    codes = pl.col("ContIds").str.replace_all(r"[^\w-]+", ",").str.strip_chars(",").str.split(",").list.explode()
    # What cannot be read must not be taken together with anything else.
    apart = pl.when(pl.col(PROBLEMS).list.len() > 0).then(pl.int_range(pl.len())).otherwise(-1).alias("_apart")
    weighings = frame.group_by(*_WEIGHING, apart, maintain_order=True).agg(
        pl.first("FractionId", "Latitude", "Longitude", "emptied_at", OWN_DAY, PROBLEMS),
        codes.drop_nulls().unique().sort().str.join(",").alias("container_codes"),
        coordinate("NoOfCont").max().alias("_stated"),
        pl.len().cast(pl.Int64).alias("listed"),
        pl.col(ORIGINAL).str.join(",").alias("_originals"),
    )
    containers = pl.when(pl.col("container_codes") != "").then(pl.col("container_codes").str.count_matches(",") + 1)
    stated = pl.when(pl.col("_stated").is_between(1, _MOST_CONTAINERS)).then(pl.col("_stated"))
    original = pl.when(pl.col("listed") == 1).then("_originals").otherwise(pl.format("[{}]", "_originals"))
    net, first, second = coordinate("NettWeight"), coordinate("FirstWeight"), coordinate("SecondWeight")
    reason = (
        pl.when(net.is_null())
        .then(pl.lit("not_delivered"))
        .when(net == 0)
        .then(pl.lit("zero"))
        .when(net < 0)
        .then(pl.lit("negative"))
        .when((first - second - net).abs() > 1)
        .then(pl.lit("weights_disagree"))
    )
    return weighings.with_columns(
        trimmed("container_codes"),
        pl.max_horizontal(containers.cast(pl.Float64), stated).cast(pl.Int64).alias("containers"),
        original.alias(ORIGINAL),
        pl.when(reason.is_null()).then(net).alias("weight_kg"),
        first.alias("first_weight_kg"),
        second.alias("second_weight_kg"),
        reason.alias("weight_missing_reason"),
    ).drop("_originals", "_stated", "_apart")


def _records(payload: Payload) -> pl.DataFrame:
    answer = read_json(payload)
    if not isinstance(answer, dict) or "Status" not in answer:
        raise PayloadError(
            payload.name, "is JSON, but no answer of Kilogram", "deliver the answer with Fields and Records itself"
        )
    if str(answer["Status"]).strip().upper() != "SUCCESSFUL":
        said = str(answer.get("Message") or "").strip()[:200] or "no reason given"
        raise PayloadError(payload.name, f"is an answer of Kilogram with status {answer['Status']}: {said}", "ask for it again")
    fields, records = answer.get("Fields"), answer.get("Records")
    if not isinstance(fields, list) or not isinstance(records, list):
        raise PayloadError(payload.name, "has no Fields and Records", "deliver the answer for weighings, not for systems")
    names = [_OTHER_NAMES.get(str(f).strip(), str(f).strip()) for f in fields]
    check_columns(payload.name, names, (*_REQUIRED, "ContIds", "FractionId"), _FIELDS)
    if not records:
        raise PayloadError(payload.name, "lists no weighings", "ask for a period in which was weighed; no rows is never data")
    broken = sum(not isinstance(r, list) or len(r) != len(names) for r in records)
    if broken:
        problem = f"has {broken:,} of {len(records):,} records that do not fit its {len(names)} fields"
        raise PayloadError(payload.name, problem, "ask for it again; values would be taken for others")
    frame = pl.DataFrame(
        {name: [None if r[i] is None else str(r[i]) for r in records] for i, name in enumerate(names) if name in _FIELDS},
        schema_overrides=dict.fromkeys((n for n in names if n in _FIELDS), pl.String),
    )
    return completed(frame, ("NoOfCont",)).select(trimmed(name) for name in _FIELDS)


def _recognises(head: Head) -> bool:
    return head.text.lstrip().startswith("{") and all(f'"{name}"' in head.text for name in ("Fields", "SystemId", "NettWeight"))


SOURCE = FileSource(
    name="kilogram",
    title="Weighings of collection vehicles (Kilogram)",
    patterns=("*kilogram*weigh*.json", "*kilogram*weigh*.json.gz", "*weighings*.json", "*weighings*.json.gz"),
    recognises=_recognises,
    batches=_batches,
    extent="GM0014",
)
