"""CBS StatLine, tables per district and neighbourhood: *Kerncijfers wijken en buurten* (a year) and *Personen met een
uitkering; soort uitkering, wijken en buurten* (four quarters), in every wire form that `cbs_parts` reads.

One batch is one CBS table, whichever form its parts came in; codes of its year are carried over to the current ones here.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from groningen_data.contracts.codes import REGION_CODE
from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload
from groningen_data.places import carried_over
from groningen_data.settings import Settings
from groningen_data.sources import cbs_odata, cbs_parts
from groningen_data.sources.base import FileSource
from groningen_data.sources.cbs_tables import Table, Topic, matches, read_table, refusal
from groningen_data.sources.parsing import ORIGINAL, PROBLEMS, in_slices, reference_table

_LEVELS = {"NL": "country", "GM": "municipality", "WK": "district", "BU": "neighbourhood"}
# Parts of the country, and totals, that stand between the regions of some tables; other odd codes are quarantined.
_NO_AREA = r"^([A-Z]?\d{4,7}|(LD|PV|CR|AM|GG|VR|PO|RU)\w{1,4})$"


def parse_key_figures(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.reference_key_figures`: all regions of one table times the measures of the reference table."""
    table = read_table(payloads, batch_key)
    if table.has_periods:
        raise PayloadError(
            f"CBS table {table.name}",
            "has periods within the year: it is about recipients",
            "add its id with kind `recipients` to data/reference/cbs_tables.csv",
        )
    rows = _rows(table, "key_figures", "inhabitants", context)
    broken = pl.when(pl.col("text").is_not_null()).then(pl.lit("value.type"))
    yield from in_slices(
        rows.select(
            "region_code",
            "region_level",
            "region_name",
            "year",
            "measure_code",
            "measure_title",
            "unit",
            "value",
            "missing_reason",
            "current_code",
            "code_status",
            "source_table",
            "released_at",
            pl.concat_list(broken).list.drop_nulls().alias(PROBLEMS),
            ORIGINAL,
        )
    )


def parse_recipients(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.welfare_recipients`: all regions of one table times its periods times the kinds of benefit.

    A table without periods is about the end of its year.
    """
    table = read_table(payloads, batch_key)
    rows = _rows(table, "recipients", "social_assistance", context)
    whole = pl.col("value").cast(pl.Int64, strict=False)
    broken = pl.col("text").is_not_null() | (pl.col("value").is_not_null() & whole.ne_missing(pl.col("value")))
    ends = _end_of(pl.col("period_code"))
    problems = [
        pl.when(broken).then(pl.lit("recipients.type")),
        pl.when(ends.is_null()).then(pl.lit("period_code.type")),
    ]
    yield from in_slices(
        rows.select(
            "region_code",
            "region_level",
            "year",
            "period_code",
            ends.alias("period_end_on"),
            pl.col("measure_code").alias("benefit_code"),
            pl.when(~broken).then(whole).alias("recipients"),
            "missing_reason",
            "current_code",
            "code_status",
            "source_table",
            "released_at",
            pl.concat_list(problems).list.drop_nulls().alias(PROBLEMS),
            ORIGINAL,
        )
    )


def about_key_figures(batch_key: str) -> bool:
    """Whether a batch may hold key figures: not when the table is known to be about recipients per quarter."""
    return cbs_parts.known_tables().get(batch_key) != "recipients" and not batch_key.startswith("uitkeringen-")


def _rows(table: Table, kind: str, required: str, context: BuildContext) -> pl.DataFrame:
    """One row per region, period and measure, with what is known of the region."""
    found = _found(table, kind, required, context)
    names = {topic.key: code for code, topic in found.items()}
    topics = list({topic.key: topic for topic in found.values()}.values())
    cells = table.cells(topics)
    no_area = pl.col("region_code").str.contains(_NO_AREA) & ~pl.col("region_code").str.contains(REGION_CODE)
    left_out = cells.filter(no_area)["region_code"].unique().sort()
    cells = cells.filter(~no_area | pl.col("region_code").is_null())
    context.notes |= table.notes | {
        "regions_read": cells["region_code"].n_unique(),
        "periods_read": ", ".join(cells["period_code"].drop_nulls().unique().sort()),
        "regions_that_are_no_area": ", ".join(left_out),
    }
    period = pl.col("period_code").fill_null(f"{table.year}JJ00")
    measures = pl.DataFrame(
        [(t.key, names[t.key], t.title, t.unit) for t in topics],
        schema={"key": pl.String, "measure_code": pl.String, "measure_title": pl.String, "unit": pl.String},
        orient="row",
    )
    delivered = pl.col("text").fill_null(pl.col("value").cast(pl.String))
    return (
        cells.with_columns(period)
        .join(_regions(table, cells, context), on="region_code", how="left", nulls_equal=True, maintain_order="left")
        .join(measures, on="key", how="left", maintain_order="left")
        .with_columns(
            pl.col("period_code").str.slice(0, 4).cast(pl.Int64, strict=False).alias("year"),
            pl.lit(table.name).alias("source_table"),
            pl.lit(table.released_at, pl.Datetime("us", "UTC")).alias("released_at"),
            pl.struct("region_code", "period_code", "measure_code", delivered.alias("value"))
            .struct.json_encode()
            .alias(ORIGINAL),
        )
    )


def _found(table: Table, kind: str, required: str, context: BuildContext) -> dict[str, Topic]:
    """Measures of one kind that the table has figures of, by measure code."""
    columns = None if table.form == "v4" else set(table.figures[0].columns)
    known = {
        c: t if t is not None and (columns is None or t.key in columns) else None for c, t in matches(table.topics, kind).items()
    }
    if known[required] is None:
        raise refusal(table, kind, required)
    missing = [code for code, topic in known.items() if topic is None]
    context.notes |= {
        "measures_found": len(known) - len(missing),
        "measures_not_found": len(missing),
        "measures_not_found_names": ", ".join(missing),
    }
    return {code: topic for code, topic in known.items() if topic is not None}


def _regions(table: Table, cells: pl.DataFrame, context: BuildContext) -> pl.DataFrame:
    regions = cells.select("region_code").unique(maintain_order=True)
    regions = regions.join(table.regions, on="region_code", how="left", maintain_order="left")
    return carried_over(
        regions,
        table.year,
        context.published("core.reference_neighbourhoods"),
        reference_table("neighbourhood_successions"),
        context.settings.municipality_code,
    ).with_columns(
        pl.col("region_code").str.slice(0, 2).replace_strict(_LEVELS, default=None, return_dtype=pl.String).alias("region_level")
    )


def _end_of(code: pl.Expr) -> pl.Expr:
    """The last day of a period of CBS: `2024JJ00` (year), `2024HJ01`, `2024KW03`, `2024MM03`; null for another code."""
    parts = code.str.extract_groups(r"^(\d{4})(JJ|HJ|KW|MM)(\d{2})$")
    year, kind, number = (parts.struct.field(str(n)) for n in (1, 2, 3))
    count = number.cast(pl.Int32, strict=False)
    month = (
        pl.when((kind == "JJ") & (count == 0))
        .then(12)
        .when((kind == "HJ") & count.is_between(1, 2))
        .then(count * 6)
        .when((kind == "KW") & count.is_between(1, 4))
        .then(count * 3)
        .when((kind == "MM") & count.is_between(1, 12))
        .then(count)
    )
    text = pl.concat_str(year, pl.lit("-"), month.cast(pl.String).str.zfill(2), pl.lit("-01"))
    return text.str.to_date("%Y-%m-%d", strict=False).dt.month_end()


def _regions_wanted(settings: Settings) -> tuple[str, ...]:
    """The country, all municipalities, and the districts and neighbourhoods of ours."""
    number = settings.municipality_code.removeprefix("GM")
    return "NL", "GM", f"WK{number}", f"BU{number}"


def _batches(payload: Payload) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.table for part in cbs_parts.read_parts(payload)))


SOURCE = FileSource(
    name="cbs_statline",
    title="Kerncijfers en uitkeringen per wijk en buurt (CBS StatLine)",
    patterns=cbs_parts.PATTERNS,
    recognises=cbs_parts.recognises,
    batches=_batches,
    connector=cbs_odata.connector(cbs_parts.KINDS, _regions_wanted, _batches),
)
