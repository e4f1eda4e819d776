"""A StatLine table put together from its parts, the same for every wire form: topics, regions, and cells of chosen topics.

Topics are found by title, unit and group (`data/reference/cbs_measures.csv`); the ids and numbers behind them differ per
year and are never used. Which rows become of a table is decided in `cbs_statline`.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.landing import Payload, last_at_each_place
from groningen_data.sources.cbs_parts import FIGURES, PERIOD, REGION, REGION_TITLE, Form, Part, portal_topic, read_parts
from groningen_data.sources.parsing import DUTCH_TIME, SENTINELS, reference_table, year_in

_NEEDED: dict[Form, tuple[str, ...]] = {
    "v3": ("TypedDataSet", "DataProperties", "TableInfos"),
    "v4": ("Observations", "MeasureCodes"),
    "portal": ("Csv",),
}
_ALL_PARTS: dict[Form, str] = {
    "v3": "TypedDataSet, DataProperties, WijkenEnBuurten and TableInfos (or Metadata)",
    "v4": "Properties, Dimensions, MeasureCodes, MeasureGroups, WijkenEnBuurtenCodes and all pages of Observations, or the zip",
    "portal": "the CSV",
}
_MONTHS = (
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
)
# What version 4 says beside a value that is no clean one; the list is open, so anything else counts as withheld.
_ATTRIBUTES = {"impossible": "not_delivered", "notapplicable": "not_delivered", "notyetavailable": "not_yet_released"}
_THOUSANDS = r"^-?\d{1,3}(\.\d{3})+(,\d+)?$"


@dataclass(frozen=True)
class Topic:
    """One measure of a table: its key in this table, title, unit, and the titles of the groups above it."""

    key: str
    title: str
    unit: str | None
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A complete table.

    Args:
        name: Its id.
        form: The wire form it was taken from.
        year: Year of the division into districts and neighbourhoods.
        released_at: When CBS changed it last (UTC).
        topics: Its measures.
        regions: `region_code`, `region_name`; one row per region.
        figures: Its figures: a page per payload for version 4, otherwise one part.
        notes: What was found out while putting it together.
    """

    name: str
    form: Form
    year: int
    released_at: datetime | None
    topics: tuple[Topic, ...]
    regions: pl.DataFrame
    figures: tuple[Part, ...]
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def has_periods(self) -> bool:
        return PERIOD in self.figures[0].columns

    def cells(self, topics: Sequence[Topic]) -> pl.DataFrame:
        """The cells of these topics: `region_code`, `period_code` (null without periods), `key`, `value`, `missing_reason`, `text`.

        Each region has a row per period and topic, whether the table holds a figure or not. `text` is what was delivered
        where it is no number; such a cell has neither value nor reason.
        """
        raw = _long_cells(self, topics) if self.form == "v4" else _wide_cells(self.figures[0], topics)
        return _judged(raw, thousands=self.form == "portal")


def read_table(payloads: Sequence[Payload], name: str) -> Table:
    """The table of one batch, from the last landed file of each part.

    Raises:
        PayloadError: The set of parts is incomplete, or the table names no year.
    """
    parts = _parts(payloads, name)
    form = _best_form(parts, name)
    found = {part.name: part for part in parts if part.form == form}
    figures = [part for part in parts if part.form == form and part.name in FIGURES]
    notes: dict[str, Any] = {"wire_form": form}
    info = _info(found)
    figures = _pages(figures, name, info.get("ObservationCount")) if form == "v4" else figures[-1:]
    if form == "v4":
        notes["pages_read"] = len(figures)
    title = str(info.get("Title") or "")
    year = year_in(title) or year_in(str(info.get("Period") or info.get("TemporalCoverage") or "")) or _other_year(found, name)
    if year is None:
        raise PayloadError(f"CBS table {name}", f"names no year in its title '{title}'", "check that it is the right table")
    return Table(
        name, form, year, _released(info.get("Modified")), topics_of(parts, form), _regions(found), tuple(figures), notes
    )


def read_topics(payloads: Sequence[Payload], name: str) -> tuple[Topic, ...]:
    """The topics of a table, whether its set is complete or not."""
    parts = _parts(payloads, name)
    return topics_of(parts, parts[-1].form)


def topics_of(parts: Sequence[Part], form: Form) -> tuple[Topic, ...]:
    """The topics that the parts of one wire form describe."""
    found = {part.name: part for part in parts if part.form == form}
    if form == "portal":
        read = [(column, portal_topic(column)) for column in found["Csv"].columns]
        return tuple(Topic(column, topic[1], topic[2], tuple(topic[0])) for column, topic in read if topic)
    if form == "v3":
        if "DataProperties" not in found:
            return ()
        rows = {
            row["ID"]: row for row in found["DataProperties"].frame(["ID", "ParentID", "Type", "Key", "Title", "Unit"]).to_dicts()
        }
        topics = [row for row in rows.values() if _text(row["Type"]) == "Topic" and _text(row["Key"])]
        return tuple(
            Topic(_text(r["Key"]), _text(r["Title"]), r["Unit"], _groups(rows, r["ParentID"], "ParentID")) for r in topics
        )
    if "MeasureCodes" not in found:
        return ()
    groups = {}
    if "MeasureGroups" in found:
        groups = {_text(row["Id"]): row for row in found["MeasureGroups"].frame(["Id", "Title", "ParentId"]).to_dicts()}
    codes = found["MeasureCodes"].frame(["Identifier", "Title", "Unit", "MeasureGroupId"]).to_dicts()
    return tuple(
        Topic(_text(r["Identifier"]), _text(r["Title"]), r["Unit"], _groups(groups, r["MeasureGroupId"], "ParentId"))
        for r in codes
    )


def _groups(rows: dict[Any, dict[str, Any]], parent: Any, link: str) -> tuple[str, ...]:
    titles: list[str] = []
    parent = parent.strip() if isinstance(parent, str) else parent
    while parent in rows and len(titles) < len(rows):
        titles.append(_text(rows[parent]["Title"]))
        above = rows[parent][link]
        parent = above.strip() if isinstance(above, str) else above
    return tuple(titles)


def matches(topics: Sequence[Topic], kind: str) -> dict[str, Topic | None]:
    """Per measure code of a kind (`key_figures`, `recipients`) the topic that means it; None when the table has none."""
    wanted = reference_table("cbs_measures").filter(pl.col("table") == kind)
    rows = wanted.select("measure_code", "title", "unit", "parent_title").iter_rows()
    return {code: _match(topics, titles, units, group) for code, titles, units, group in rows}


def _match(topics: Sequence[Topic], titles: str, units: str, group: str | None) -> Topic | None:
    """The one topic with this title and unit; a group's title decides between several, otherwise none is taken."""
    wanted, allowed = {_plain(t) for t in titles.split("|")}, {_plain(u) for u in units.split("|")}
    found = [t for t in topics if _plain(t.title) in wanted and _plain(t.unit) in allowed]
    if len(found) > 1 and group:
        found = [t for t in found if _plain(group) in map(_plain, t.groups)]
    return found[0] if len(found) == 1 else None


def refusal(table: Table, kind: str, code: str) -> PayloadError:
    """Why a table without the measure `code` is of no use, with the titles that come close."""
    wanted = reference_table("cbs_measures").filter(pl.col("table") == kind, pl.col("measure_code") == code)
    titles, units = wanted.select("title", "unit").row(0)
    names = [t.title for t in table.topics if t.title]
    close = difflib.get_close_matches(titles.split("|")[0], names, n=5, cutoff=0.4)
    return PayloadError(
        table.name,
        f"has no measure '{titles}' ({units}); close titles are: {'; '.join(close) or 'none'}",
        "add the new title to data/reference/cbs_measures.csv",
    )


def _plain(text: str | None) -> str:
    return re.sub(r"\s+", "", text or "").lower()


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _parts(payloads: Sequence[Payload], name: str) -> list[Part]:
    """The parts of one table, oldest first; what was delivered anew at the same place is left out."""
    current = {payload.sha256 for payload in last_at_each_place(payloads).values()}
    return [part for payload in payloads if payload.sha256 in current for part in read_parts(payload) if part.table == name]


def _best_form(parts: Sequence[Part], name: str) -> Form:
    """The complete wire form whose figures landed last.

    Raises:
        PayloadError: None is complete.
    """
    delivered: dict[Form, set[str]] = {}
    for part in parts:
        delivered.setdefault(part.form, set()).add(part.name)
    complete = {form for form, names in delivered.items() if set(_NEEDED[form]) <= names}
    for part in reversed(parts):
        if part.form in complete and part.name in FIGURES:
            return part.form

    def most(form: Form) -> tuple[bool, int]:
        return bool(delivered[form] & set(FIGURES)), len(delivered[form])

    form: Form = max(delivered, key=most) if delivered else "v3"
    names = delivered.get(form, set())
    missing = [p for p in _NEEDED[form] if p not in names]
    raise PayloadError(
        f"CBS table {name}",
        f"is an incomplete set: {', '.join(missing)} is missing, delivered are {', '.join(sorted(names)) or 'none'}",
        f"deliver all parts of the table: {_ALL_PARTS[form]}",
    )


def _pages(pages: Sequence[Part], name: str, announced: Any) -> list[Part]:
    """The pages of the newest set: pages of one set share no cell, so an older page that does was replaced.

    Args:
        pages: As landed, oldest first.
        name: Of the table.
        announced: How many observations the whole table has, where its properties tell.

    Raises:
        PayloadError: A page is missing.
    """
    if len(pages) > 1:
        cell = ["Measure", REGION, PERIOD]
        kept: list[Part] = []
        seen: pl.DataFrame | None = None
        for page in reversed(pages):
            cells = page.frame(cell).cast(pl.String)
            if seen is not None and cells.join(seen, on=cell, how="semi", nulls_equal=True).height:
                continue
            kept.append(page)
            seen = cells if seen is None else pl.concat([seen, cells])
        pages = kept[::-1]
    followed = [page for page in pages if page.rows_before_next is not None]
    before_last = max((page.rows_before_next or 0 for page in followed), default=0)
    is_whole = not any(page.is_filtered for page in followed)
    expected = int(announced) if is_whole and str(announced or "").isdigit() else 0
    is_short = before_last > sum(page.height for page in followed) or expected > sum(page.height for page in pages)
    if followed and (len(followed) == len(pages) or is_short):
        raise PayloadError(
            f"CBS table {name}",
            f"is an incomplete set: {len(pages)} page(s) of Observations are there, and they link to others that are not",
            "follow @odata.nextLink until a page has none, and deliver all pages",
        )
    return list(pages)


def _info(found: dict[str, Part]) -> dict[str, Any]:
    part = found.get("TableInfos") or found.get("Properties")
    return part.frame().row(0, named=True) if part else {}


def _other_year(found: dict[str, Part], name: str) -> int | None:
    """The year by other tokens than the title: of the map, in a download's own name, or of the known table."""
    if "Dimensions" in found:
        years = found["Dimensions"].frame(["MapYear"])["MapYear"].cast(pl.String).drop_nulls()
        if len(years) and (year := year_in(years[0])) is not None:
            return year
    known = reference_table("cbs_tables").filter(pl.col("source_table") == name)
    return year_in(name.rsplit("-", 1)[-1]) or (int(known["year"][0]) if known.height else None)


def _regions(found: dict[str, Part]) -> pl.DataFrame:
    for part, code, title in ((REGION, "Key", "Title"), (f"{REGION}Codes", "Identifier", "Title"), ("Csv", REGION, REGION_TITLE)):
        if part in found:
            columns = (pl.col(c).cast(pl.String).str.strip_chars() for c in (code, title))
            names = found[part].frame([code, title]).select(*columns).rename({code: "region_code", title: "region_name"})
            return names.with_columns(pl.col("region_name").str.replace(r"\s*\((BU\d{8}|WK\d{6}|GM\d{4}|NL\d{2})\)$", "")).unique(
                "region_code", keep="last", maintain_order=True
            )
    return pl.DataFrame(schema={"region_code": pl.String, "region_name": pl.String})


def _released(text: Any) -> datetime | None:
    try:
        released = datetime.fromisoformat(str(text).strip())
    except ValueError:
        return None
    return (released if released.tzinfo else released.replace(tzinfo=ZoneInfo(DUTCH_TIME))).astimezone(UTC)


def _wide_cells(part: Part, topics: Sequence[Topic]) -> pl.DataFrame:
    """A row per region (and period), a column per topic, turned into cells."""
    keys = list(dict.fromkeys(topic.key for topic in topics))
    found = part.frame([REGION, PERIOD, *keys])
    places = _places(found)
    cells = []
    for key in keys:
        number, text = _number_and_text(found[key])
        cells.append(places.with_columns(number.alias("value"), text.alias("text"), pl.lit(key).alias("key")))
    return pl.concat(cells, rechunk=False).with_columns(pl.lit(None, pl.String).alias("why"))


def _long_cells(table: Table, topics: Sequence[Topic]) -> pl.DataFrame:
    """A row per observation, put on a grid of all regions, periods and topics: version 4 leaves empty cells out."""
    keys = [topic.key for topic in topics]
    columns = ["Measure", REGION, PERIOD, "ValueAttribute", "Value", "StringValue"]
    pages, periods = [], []
    for page in table.figures:
        frame = page.frame(columns)
        periods.append(_places(frame).select("period_code").unique())
        frame = frame.filter(pl.col("Measure").cast(pl.String).str.strip_chars().is_in(keys))
        number, text = _number_and_text(frame["Value"])
        said = frame["StringValue"].cast(pl.String).str.strip_chars()
        said = said.set(said == "", None)
        pages.append(
            _places(frame).with_columns(
                frame["Measure"].cast(pl.String).str.strip_chars().alias("key"),
                frame["ValueAttribute"].cast(pl.String).str.strip_chars().alias("attribute"),
                number.alias("value"),
                pl.select(pl.coalesce(text, pl.when(number.is_null()).then(said))).to_series().alias("text"),
            )
        )
    observed = pl.concat(pages).unique(maintain_order=True)
    regions = pl.concat([table.regions.select("region_code"), observed.select("region_code")]).unique(maintain_order=True)
    grid = regions.join(pl.concat(periods).unique().sort("period_code"), how="cross").join(
        pl.DataFrame({"key": keys}, schema={"key": pl.String}), how="cross"
    )
    cells = grid.join(observed, on=["region_code", "period_code", "key"], how="left", nulls_equal=True, maintain_order="left")
    attribute = pl.when(~pl.col("attribute").str.to_lowercase().is_in(["none", ""])).then(
        pl.col("attribute").str.to_lowercase().str.replace_all(r"[^a-z]", "")
    )
    why = attribute.replace_strict(_ATTRIBUTES, default="withheld", return_dtype=pl.String)
    why = pl.when(attribute.is_not_null()).then(why)
    others = cells.filter(attribute.is_not_null())["attribute"].value_counts(sort=True)
    table.notes["value_attributes"] = ", ".join(f"{name} {count}x" for name, count in others.iter_rows())
    return cells.with_columns(why.alias("why")).drop("attribute")


def _places(frame: pl.DataFrame) -> pl.DataFrame:
    region, period = (pl.col(c).cast(pl.String).str.strip_chars() for c in (REGION, PERIOD))
    return frame.select(region.alias("region_code"), _period_code(period).alias("period_code"))


def _period_code(period: pl.Expr) -> pl.Expr:
    """CBS's own code of a period (`2024MM03`); the portal writes words instead (`2024 maart`, `2024 1e kwartaal`, `2024*`)."""
    words = period.str.strip_chars("* ").str.to_lowercase()
    month = words.str.extract(r"^\d{4}\s+([a-z]+)$").replace_strict(
        {name: f"MM{number:02}" for number, name in enumerate(_MONTHS, start=1)}, default=None, return_dtype=pl.String
    )
    quarter = words.str.extract(r"^\d{4}\s+([1-4])e kwartaal$")
    suffix = (
        pl.when(month.is_not_null())
        .then(month)
        .when(quarter.is_not_null())
        .then(pl.concat_str(pl.lit("KW0"), quarter))
        .when(words.str.contains(r"^\d{4}$"))
        .then(pl.lit("JJ00"))
    )
    return pl.when(suffix.is_not_null()).then(pl.concat_str(words.str.slice(0, 4), suffix)).otherwise(period)


def _number_and_text(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """A column as numbers and as texts: one of the two is null."""
    if column.dtype == pl.String:
        text = column.str.strip_chars()
        return pl.Series("value", [None], pl.Float64).new_from_index(0, len(column)), text
    return column.cast(pl.Float64), pl.Series("text", [None], pl.String).new_from_index(0, len(column))


def _judged(cells: pl.DataFrame, thousands: bool) -> pl.DataFrame:
    """Cells with numbers read from text, sentinels as reasons, and a reason wherever nothing was delivered."""
    text = pl.col("text").str.replace(r"\*+$", "")
    blank = text.is_null() | text.is_in(["", ".", "x"])
    written = (
        pl.when(text.str.contains(_THOUSANDS)).then(text.str.replace_all(".", "", literal=True)).otherwise(text)
        if thousands
        else text
    )
    number = pl.coalesce("value", written.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False))
    said = number.replace_strict(SENTINELS, default=None, return_dtype=pl.String)
    cells = cells.with_columns(
        pl.when(pl.col("why").is_null() & said.is_null()).then(number).alias("value"),
        pl.coalesce("why", said).alias("why"),
        pl.when(~blank & number.is_null()).then("text").alias("text"),
    )
    # A topic without any figure in a whole period is still to come; a single empty cell is kept back.
    nothing = (pl.col("value").is_null() & pl.col("why").is_null() & pl.col("text").is_null()).all().over("period_code", "key")
    empty = pl.when(nothing).then(pl.lit("not_yet_released")).otherwise(pl.lit("withheld"))
    is_missing = pl.col("value").is_null() & pl.col("text").is_null()
    return cells.select(
        "region_code",
        "period_code",
        "key",
        "value",
        pl.when(is_missing).then(pl.coalesce("why", empty)).alias("missing_reason"),
        pl.when(pl.col("why").is_null()).then("text").alias("text"),
    )
