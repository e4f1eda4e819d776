"""The wire forms in which CBS StatLine delivers a table, read into parts: one payload, one part of a table (a zip: several).

Version 3 of the service (and its parquet dumps and dataset CSV), version 4 (JSON pages, parquet dumps, bulk zip of CSV) and
the CSV of the StatLine portal. What the parts mean together is not known here.
"""

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import unquote

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.landing import Payload
from groningen_data.sources.base import Head
from groningen_data.sources.parsing import BROKEN_ZIP, check_columns, read_json, read_parquet, reference_table, year_in

Form = Literal["v3", "v4", "portal"]

REGION, PERIOD = "WijkenEnBuurten", "Perioden"
REGION_TITLE = "Wijken en buurten"
PARTS: dict[Form, tuple[str, ...]] = {
    "v3": ("TypedDataSet", "DataProperties", REGION, "TableInfos", PERIOD),
    "v4": (
        "Observations",
        "MeasureCodes",
        "MeasureGroups",
        "Dimensions",
        "Properties",
        f"{REGION}Codes",
        f"{REGION}Groups",
        f"{PERIOD}Codes",
        f"{PERIOD}Groups",
    ),
    "portal": ("Csv",),
}
KINDS = ("key_figures", "recipients")
FIGURES = ("TypedDataSet", "Observations", "Csv")
"""The parts that hold figures; one per form."""

_COLUMNS = {
    "TypedDataSet": (REGION,),
    "DataProperties": ("ID", "ParentID", "Type", "Key", "Title", "Unit"),
    REGION: ("Key", "Title"),
    PERIOD: ("Key", "Title"),
    "TableInfos": ("Identifier", "Title"),
    "Observations": ("Measure", "ValueAttribute", "Value", REGION),
    "MeasureCodes": ("Identifier", "Title", "Unit", "MeasureGroupId"),
    "MeasureGroups": ("Id", "Title", "ParentId"),
    "Dimensions": ("Identifier", "Title"),
    "Properties": ("Identifier", "Title"),
    f"{REGION}Codes": ("Identifier", "Title"),
    f"{PERIOD}Codes": ("Identifier", "Title"),
}
_ALIASES = {"UntypedDataSet": "TypedDataSet", "Metadata": "Properties"}
_OBSERVATION = {"Id", "Measure", "ValueAttribute", "Value", "StringValue", REGION, PERIOD}
_TITLES = re.compile(r"kerncijfers wijken en buurten|soort uitkering, wijken en buurten", re.IGNORECASE)
_TABLE = re.compile(r"(?<!\d)(\d{5}[a-z]{3})(?![a-z])", re.IGNORECASE)
_CONTEXT_V3 = re.compile(r'"odata\.metadata"\s*:\s*"[^"]*/(\d{5}[A-Za-z]{3})/\$metadata(?:#(?:[\w.]*\.)?(\w+))?')
_CONTEXT_V4 = re.compile(r'"@odata\.context"\s*:\s*"[^"]*/(\d{5}[A-Za-z]{3})/\$metadata#(\w+)')
_BENEFIT = re.compile(r"uitkering|bijstand", re.IGNORECASE)
_TOPIC = re.compile(r"^(?P<path>.*\S)\s*\((?P<unit>(?:[^()]|\([^()]*\))*)\)\s*$", re.DOTALL)
_DOWNLOADS = {
    "kerncijfers": "kerncijfers_wijken_en_buurten",
    "uitkeringen": "personen_met_een_uitkering__soort_uitkering__wijken_en_buurten",
}
_CODE_IN_NAME = r"\((BU\d{8}|WK\d{6}|GM\d{4}|NL\d{2})\)\s*$"

PATTERNS = (
    *(
        f"cbs.{form}.*_{part}{page}.{suffix}"
        for form in ("v3", "v4")
        for part in PARTS[form]  # type: ignore[index]
        # A file of another table's facts bears the same name: those are told by what they say.
        if part not in ("TableInfos", "Properties")
        for page in (("", "_*") if part == "Observations" else ("",))
        for suffix in ("parquet", "json", "json.gz")
    ),
    *(f"{name}*.{suffix}" for name in _DOWNLOADS.values() for suffix in ("csv", "csv.gz")),
)


@dataclass(frozen=True)
class Part:
    """One part of a table, as one payload delivers it.

    Args:
        table: Id of the table; of a portal download, which does not say it: its subject and year.
        form: Wire form it belongs to.
        name: CBS's name of the part, such as `Observations`.
        rows: Its rows; records until their columns are asked for.
        rows_before_next: With a page that is followed by another: the rows up to there, -1 when the link does not tell.
        is_filtered: Whether that page is of a question for some rows only.
    """

    table: str
    form: Form
    name: str
    rows: pl.DataFrame | Sequence[dict[str, Any]]
    rows_before_next: int | None = None
    is_filtered: bool = False

    @property
    def height(self) -> int:
        return len(self.rows)

    @property
    def columns(self) -> list[str]:
        if isinstance(self.rows, pl.DataFrame):
            return self.rows.columns
        return list(dict.fromkeys(key for row in self.rows for key in row))

    def frame(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The rows with these columns (all by default); columns that were not delivered are null."""
        wanted = list(self.columns if columns is None else columns)
        if isinstance(self.rows, pl.DataFrame):
            found = self.rows.columns
            return self.rows.select(pl.col(c) if c in found else pl.lit(None, pl.String).alias(c) for c in wanted)
        return _frame(self.rows, wanted)


def read_parts(payload: Payload) -> list[Part]:
    """The parts that a payload holds: one, or those of a zip.

    Raises:
        PayloadError: It is no part of a StatLine table about districts and neighbourhoods, or it was cut off.
    """
    with payload.open() as stream:
        magic = stream.read(4)
    if magic == b"PK\x03\x04":
        return _read_zip(payload)
    name = payload.name.lower().removesuffix(".gz")
    if magic == b"PAR1" or name.endswith(".parquet"):
        part = _read_parquet(payload)
    elif magic.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b"[") or name.endswith(".json"):
        part = _read_json(payload)
    else:
        part = _read_csv(payload)
    return [_checked(part, payload.name)]


def recognises(head: Head) -> bool:
    """Whether a file is a part of such a table, whatever its name."""
    if head.data.startswith(b"PAR1"):
        parts = "|".join(p for names in PARTS.values() for p in names)
        return re.search(rf"\d{{5}}[a-z]{{3}}_({parts})\.", head.name, re.IGNORECASE) is not None
    if head.data.startswith(b"PK\x03\x04"):
        return _recognises_zip(head)
    text = head.text.lstrip()
    if text.startswith("{"):
        return _recognises_v4(text) if "@odata.context" in text else _recognises_v3(text)
    line = text.split("\n", 1)[0]
    return (REGION in line or REGION_TITLE in line) and _form_of(_fields(line)) is not None


def known_tables() -> dict[str, str]:
    """Kind (`key_figures`, `recipients`) per id of a table about neighbourhoods, from `data/reference/cbs_tables.csv`."""
    kinds = reference_table("cbs_tables").filter(pl.col("kind").is_in(KINDS))
    return dict(kinds.select("source_table", "kind").iter_rows())


def _recognises_v3(text: str) -> bool:
    if '"Identifier"' in text:
        return any(_TITLES.search(title) for title in re.findall(r'"Title"\s*:\s*"([^"]*)"', text)[:1])
    context = _CONTEXT_V3.search(text)
    if context is None:
        return False
    if f'"{PERIOD}"' in text and f'"{REGION}"' in text and '"ParentID"' not in text:
        return _BENEFIT.search(text) is not None
    is_of_known = context.group(1).upper() in known_tables() and context.group(2) in PARTS["v3"]
    return is_of_known or f'"{REGION}"' in text or '"DetailRegionCode"' in text


def _recognises_v4(text: str) -> bool:
    context = _CONTEXT_V4.search(text)
    if context is None:
        return False
    table, part = context.group(1).upper(), context.group(2)
    if part == "Properties":
        return any(_TITLES.search(title) for title in re.findall(r'"Title"\s*:\s*"([^"]*)"', text)[:1])
    if part not in PARTS["v4"]:
        return False
    if part == "Observations":
        first = re.search(r"\{([^{}]*)\}", text[text.find("[") :])
        keys = set(re.findall(r'"(\w+)"\s*:', first.group(1))) if first else set()
        return REGION in keys and keys <= _OBSERVATION
    if table in known_tables():
        return True
    typical = {
        "MeasureCodes": ("Aantal inwoners", "Bijstandsuitkering"),
        "MeasureGroups": ("Particuliere huishoudens", "Personen per soort uitkering"),
        "Dimensions": (f'"{REGION}"',),
        f"{REGION}Codes": ("DetailRegionCode",),
    }
    return any(phrase in text for phrase in typical.get(part, ()))


def _recognises_zip(head: Head) -> bool:
    """By the table's id, by a member's name, or by the first member's first line."""
    name = _TABLE.search(head.name)
    if name is not None and name.group(1).upper() in known_tables():
        return True
    if f"{REGION}Codes.csv".encode() in head.data:
        return True
    name_length, extra_length = (int.from_bytes(head.data[at : at + 2], "little") for at in (26, 28))
    packed = head.data[30 + name_length + extra_length :]
    try:
        first = zlib.decompressobj(-15).decompress(packed, 4096) if head.data[8:10] == b"\x08\x00" else packed[:4096]
    except zlib.error:
        return False
    line = first.decode("utf-8", errors="replace").lstrip("\ufeff").split("\n", 1)[0]
    return _form_of(_fields(line)) == "v4"


def _fields(line: str) -> list[str]:
    """The fields of a header line; the separator is the one of `;` and `,` that it holds more of."""
    line = line.strip("\r\n")
    separator = ";" if line.count(";") >= line.count(",") else ","
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        return []


def _form_of(fields: Sequence[str]) -> Form | None:
    """The wire form of a CSV with figures by its header; None when it is none of them."""
    found = set(fields)
    if {"Measure", "ValueAttribute", "Value", REGION} <= found:
        return "v4" if found <= _OBSERVATION else None
    if REGION in found and any(f.startswith("AantalInwoners_") or _BENEFIT.search(f) for f in found):
        return "v3"
    if REGION_TITLE in found and any(
        re.search(r"Aantal inwoners\s*\(aantal\)$", f) or (_BENEFIT.search(f) and f.endswith("(aantal)")) for f in found
    ):
        return "portal"
    return None


def _checked(part: Part, name: str) -> Part:
    if not part.height:
        raise PayloadError(name, "holds no rows", "ask for the file again; no rows is never data")
    check_columns(name, part.columns, _COLUMNS.get(part.name, ()))
    if part.name in ("TableInfos", "Properties"):
        title = str(part.frame(["Title"])["Title"][0])
        if not _TITLES.search(title):
            raise PayloadError(name, f"describes another table: {title}", "deliver Kerncijfers wijken en buurten, or recipients")
    if part.name == "TypedDataSet" and PERIOD in part.columns and not any(_BENEFIT.search(c) for c in part.columns):
        raise PayloadError(name, "is another table with periods", "deliver Kerncijfers wijken en buurten, or recipients")
    return part


def _read_parquet(payload: Payload) -> Part:
    rows = read_parquet(payload, "parquet")
    form, part = _part_of(payload.name, rows.columns)
    return Part(_table_name(payload), form, part, rows)


def _read_json(payload: Payload) -> Part:
    part = _of_answer(read_json(payload), payload.name, lambda: _table_name(payload))
    if part.rows_before_next is not None and part.name != "Observations":
        raise PayloadError(payload.name, "is one page of several (odata.nextLink)", "follow the links and join the pages")
    return part


def _of_answer(answer: Any, name: str, table_name: Callable[[], str]) -> Part:
    """One answer of the OData service.

    Args:
        answer: As read from JSON.
        name: Of the file.
        table_name: Tells the id of the table where the answer does not.
    """
    if not isinstance(answer, dict):
        raise PayloadError(name, "is JSON, but no answer of StatLine", "deliver the answer of the OData service")
    if "Identifier" in answer and "Title" in answer:
        form: Form = "v4" if "@odata.context" in answer else "v3"
        info = "Properties" if form == "v4" else "TableInfos"
        return Part(str(answer["Identifier"]).strip().upper(), form, info, [answer])
    rows = answer.get("value")
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
        raise PayloadError(name, "misses column(s) value", "deliver the answer of the OData service of CBS")
    if not rows:
        raise PayloadError(name, "holds no rows", "ask for the file again; no rows is never data")
    is_v4 = "@odata.context" in answer
    url = str(answer.get("@odata.context" if is_v4 else "odata.metadata", ""))
    named = re.search(r"/(\d{5}[A-Za-z]{3})/\$metadata(?:#(?:[\w.]*\.)?(\w+))?", url)
    keys = list(dict.fromkeys(key for row in (rows[:50] if is_v4 else rows) for key in row))
    form, part = _part_of(name, keys, named.group(2) if named and is_v4 else None)
    link = answer.get("@odata.nextLink", answer.get("odata.nextLink"))
    table = named.group(1).upper() if named else table_name()
    if part == "Observations":
        # Records of a page take ten times the room of their frame, and a national table has some twenty pages.
        rows = _frame(rows, [column for column in keys if column in _OBSERVATION])
    if link is None:
        return Part(table, form, part, rows)
    query = unquote(str(link))
    skip = re.search(r"[?&]\$skip(?:token)?=(\d+)(?:&|$)", query)
    return Part(table, form, part, rows, int(skip.group(1)) if skip else -1, "$filter" in query)


def _read_csv(payload: Payload) -> Part:
    text = payload.text()
    fields = _fields(text.split("\n", 1)[0])
    form = _form_of(fields)
    if form is None:
        raise PayloadError(
            payload.name,
            f"misses column(s) {REGION_TITLE} with figures beside them; its header is {'; '.join(fields)[:120]}",
            "download it as 'CSV zonder statistische symbolen', with the topics Codering and Aantal inwoners or the benefits",
        )
    if form == "portal":
        return _read_portal(payload, text)
    name = "Observations" if form == "v4" else "TypedDataSet"
    return Part(_table_name(payload), form, name, _csv_frame(payload.name, text))


def _read_portal(payload: Payload, text: str) -> Part:
    """A download of the portal: titles as columns, sometimes with a last line that names the source."""
    rows = _csv_frame(payload.name, text)
    code = next((c for c in rows.columns if re.search(r"(^|/)Codering\b", c)), None)
    in_name = pl.col(REGION_TITLE).str.extract(_CODE_IN_NAME)
    codes = pl.col(code).str.strip_chars() if code else in_name
    footer = pl.all_horizontal(pl.exclude(REGION_TITLE).is_null())
    rows = rows.filter(~footer | in_name.is_not_null()).with_columns(codes.alias(REGION))
    if rows[REGION].null_count() == rows.height:
        raise PayloadError(
            payload.name, "has no column with region codes", "choose Regioaanduiding/Codering as well when downloading"
        )
    found = _TABLE.search(payload.name)
    subject = "uitkeringen" if PERIOD in rows.columns else "kerncijfers"
    # The time of the download is in the name as well, without separators.
    year = year_in(payload.name) or (year_in(rows[PERIOD].drop_nulls().max()) if PERIOD in rows.columns else None)  # type: ignore[arg-type]
    if found is None and year is None:
        raise PayloadError(
            payload.name,
            "does not say of which year it is",
            "keep the name the portal gave it, such as Kerncijfers_wijken_en_buurten_2024_15112026_101500.csv",
        )
    return Part(found.group(1).upper() if found else f"{subject}-{year}", "portal", "Csv", rows)


def portal_topic(column: str) -> tuple[list[str], str, str] | None:
    """Groups, title and unit of a portal column such as `Bevolking/Aantal inwoners (aantal)`; None when it is no topic."""
    topic = _TOPIC.match(column)
    if topic is None:
        return None
    *groups, title = topic["path"].split("/")
    return groups, title.strip(), topic["unit"].strip()


def _read_zip(payload: Payload) -> list[Part]:
    """A whole table: the bulk download, a CSV per part of version 4; or the answers of either version, all pages among them."""
    parts: list[tuple[str, Part]] = []
    try:
        with zipfile.ZipFile(io.BytesIO(payload.read())) as archive:
            if sum(member.file_size for member in archive.infolist()) > payload.size_limit:
                limit = f"{payload.size_limit / 1e6:,.0f} MB"
                raise PayloadError(
                    payload.name, f"unpacks to more than {limit}", "if it is genuine, raise GRONINGEN_PAYLOAD_LIMIT_MB"
                )
            for member in archive.namelist():
                name = _ALIASES.get(stem := member.rsplit("/", 1)[-1].removesuffix(".csv"), stem)
                where = f"{payload.name}/{member}"
                if member.endswith(".csv") and name in PARTS["v4"]:
                    frame = _csv_frame(where, archive.read(member).decode("utf-8-sig"))
                    if frame.height:
                        parts.append((where, Part("", "v4", name, frame)))
                elif member.endswith(".json"):
                    data = archive.read(member)
                    answer = json.loads(data.decode("utf-8-sig"))
                    if b"\\ud" in data.lower():
                        json.dumps(answer, ensure_ascii=False).encode()
                    if isinstance(answer, dict) and answer.get("value") == []:
                        continue
                    # The id before the member's name makes it a name as a part bears it by itself.
                    named = f"{_table_name(payload)}_{member}"
                    parts.append((where, _of_answer(answer, named, lambda: _table_name(payload))))
    except UnicodeDecodeError as error:
        raise PayloadError(payload.name, "holds a part that is not UTF-8 text", "download it from CBS again") from error
    except (json.JSONDecodeError, UnicodeEncodeError) as error:
        raise PayloadError(payload.name, "holds an answer that is no JSON in Unicode", "ask CBS for the table again") from error
    except BROKEN_ZIP as error:
        raise PayloadError(payload.name, "is not a complete zip", "ask for the file again; it was cut off or damaged") from error
    if not parts:
        raise PayloadError(payload.name, "holds no part of a StatLine table", f"deliver one with {', '.join(PARTS['v4'][:2])}")
    info = next((p.frame(["Identifier"]) for _, p in parts if p.name == "Properties" and "Identifier" in p.columns), None)
    table = str(info["Identifier"][0]).strip().upper() if info is not None else _table_name(payload)
    return _joined([_checked(replace(part, table=table), where) for where, part in parts])


def _joined(parts: Sequence[Part]) -> list[Part]:
    """Parts whose pages are all there, each as one; a row that several pages repeat counts once."""
    pages: dict[str, list[Part]] = {}
    for part in parts:
        pages.setdefault(part.name, []).append(part)
    found = []
    for several in pages.values():
        columns = list(dict.fromkeys(column for page in several for column in page.columns))
        rows = pl.concat([page.frame(columns) for page in several], how="vertical_relaxed").unique(maintain_order=True)
        found.append(replace(several[0], rows=rows, rows_before_next=None))
    return found


def _csv_frame(name: str, text: str) -> pl.DataFrame:
    """A CSV as a frame of texts; columns of other separators than `;` are read as well."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    header = text.split("\n", 1)[0]
    if '"' in text and text.count('"') % 2:
        raise PayloadError(name, "was cut off in a quoted text", "ask for the file again")
    try:
        frame = pl.read_csv(
            io.StringIO(text), separator=";" if header.count(";") >= header.count(",") else ",", infer_schema=False
        )
    except pl.exceptions.PolarsError as error:
        raise PayloadError(name, f"is not readable as CSV ({str(error).splitlines()[0]})", "ask for the file again") from error
    return frame.rename({c: c.strip() for c in frame.columns})


def _frame(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> pl.DataFrame:
    """Records as a frame; a column of mixed types becomes text."""
    series = []
    for name in columns:
        values = [row.get(name) for row in rows]
        kinds = {type(v) for v in values} - {type(None)}
        if kinds == {int} and all(v is None or abs(v) < 2**63 for v in values):
            series.append(pl.Series(name, values, pl.Int64))
        elif kinds <= {int, float}:
            series.append(pl.Series(name, [None if v is None else float(v) for v in values], pl.Float64))
        elif kinds == {str}:
            series.append(pl.Series(name, values, pl.String))
        else:
            series.append(pl.Series(name, [None if v is None else str(v) for v in values], pl.String))
    return pl.DataFrame(series)


_Test = Callable[[set[str]], bool]
_TELLING: tuple[tuple[Form, str, _Test], ...] = (
    ("v4", "Observations", lambda c: {"Measure", "Value"} <= c),
    ("v3", "TypedDataSet", lambda c: REGION in c),
    ("v3", "DataProperties", lambda c: {"ParentID", "Key", "Title"} <= c),
    ("v4", "MeasureCodes", lambda c: {"Identifier", "MeasureGroupId", "Title"} <= c),
    ("v4", f"{REGION}Codes", lambda c: {"Identifier", "Title", "DetailRegionCode"} <= c),
    ("v3", "TableInfos", lambda c: {"Identifier", "Title", "Modified"} <= c),
    ("v3", "TableInfos", lambda c: c == {"Identifier", "Title"}),
    ("v3", REGION, lambda c: {"Key", "Title"} <= c),
)


def _part_of(name: str, columns: Sequence[str], context: str | None = None) -> tuple[Form, str]:
    """Form and part: as the service names it, by the file's name, or else by its columns."""
    found = set(columns)
    pages = re.search(r"\d{5}[a-z]{3}_([a-z]+)", name, re.IGNORECASE)
    for said in (context, pages.group(1) if pages else None):
        for form, parts in PARTS.items():
            part = next((p for p in parts if said and p.lower() == said.lower()), None)
            # A name may be mistaken: what the columns tell goes before it.
            if part is not None and (form == "v4" or part == PERIOD) and set(_COLUMNS.get(part, ())) <= found:
                return form, part
    telling = next(((form, part) for form, part, test in _TELLING if test(found)), None)
    if telling is not None:
        return telling
    named = next((p for names in PARTS.values() for p in names if p.lower() in name.lower()), "TypedDataSet")
    check_columns(name, columns, _COLUMNS.get(named, ()))
    raise PayloadError(name, "is no known part of a table", f"deliver one of {', '.join((*PARTS['v3'], *PARTS['v4']))}")


def _table_name(payload: Payload) -> str:
    for text in (payload.name, payload.headers.get("path", "")):
        match = _TABLE.search(text)
        if match is not None:
            return match.group(1).upper()
    raise PayloadError(
        payload.name,
        "does not say of which table it is",
        "put the table id in its name, such as cbs.v3.84799NED_TypedDataSet.parquet",
    )
