"""What the readers of DATEX II version 2 share: the stream through expat with its refusals, and the names of lanes.

No publication is read here. Specification: DATEX II v2.x, NDW interface description.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.landing import Payload

TYPE: Final = "http://www.w3.org/2001/XMLSchema-instance type"
WHOLE_CARRIAGEWAY: Final = "allLanesCompleteCarriageway"
ANY_VEHICLE: Final = "any"
UNKNOWN_CLASS: Final = "unknown"

_CHUNK = 1 << 18
_LANES = (
    WHOLE_CARRIAGEWAY,
    "hardShoulder",
    "busLane",
    "carPoolLane",
    "crawlerLane",
    "emergencyLane",
    "rushHourLane",
    "tidalFlowLane",
)


@dataclass(frozen=True)
class Publication:
    """A kind of publication.

    Args:
        kind: How its type ends: `MeasuredDataPublication`.
        description: What it is, in words.
        way_out: What to deliver instead of something else.
    """

    kind: str
    description: str
    way_out: str

    def refuse(self, payload: Payload, why: str) -> PayloadError:
        """The error for a payload that is something else."""
        return PayloadError(payload.name, f"is XML, but not DATEX II v2 {self.description}: {why}", self.way_out)


def new_parser() -> expat.XMLParserType:
    """An expat parser whose names are `namespace name`."""
    made = expat.ParserCreate(namespace_separator=" ")
    made.buffer_text = True
    return made


def feed(
    parser: expat.XMLParserType,
    payload: Payload,
    publication: Publication,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Feeds a payload to the parser, yielding between chunks; the handlers hear what stands inside the publication.

    Raises:
        PayloadError: The XML is cut off, malformed, declares a document type, or is something else.
    """
    seen: set[str] = set()

    def root(name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "payloadPublication":
            if not attributes.get(TYPE, "").endswith(publication.kind):
                raise publication.refuse(payload, f"publishes {attributes.get(TYPE, 'something else')}")
            seen.add(tag)
            parser.StartElementHandler, parser.EndElementHandler = start, end
        elif not seen and tag not in ("Envelope", "d2LogicalModel"):
            raise publication.refuse(payload, f"its outermost element is {tag}")
        seen.add(tag)

    def doctype(*_: object) -> None:
        raise PayloadError(
            payload.name,
            f"declares a document type, which {publication.description} never does",
            "refuse the file; ask where it comes from",
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
        raise publication.refuse(payload, "it has no payloadPublication")


_CUT_OFF = {
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
    )
}


def table_key(code: str | None, version: str | None) -> str | None:
    """How a version of a measurement site table is named: `<version>/<code>`; None when either is missing."""
    code, version = (code or "").strip(), (version or "").strip()
    return f"{version}/{code}" if code and version and "/" not in version else None


def lane(column: str) -> pl.Expr:
    """A lane as DATEX II spells it, whatever its capitals and spaces; null where there is none."""
    text = pl.col(column).str.strip_chars()
    plain = text.str.to_lowercase().str.replace_all(r"[\s_]", "")
    known = plain.replace_strict({name.lower(): name for name in _LANES}, default=None, return_dtype=pl.String)
    numbered = pl.when(plain.str.contains(r"^lane\d+$")).then(plain)
    return pl.when(text != "").then(pl.coalesce(known, numbered, text))
