"""What the readers of DATEX II share, version 2 and 3: the stream through expat with its refusals, and the names of lanes.

No publication is read here. Both versions say the same in other elements: version 2 in one namespace and often in a SOAP
envelope (`d2LogicalModel/payloadPublication`), version 3 in several (`messageContainer/payload`). Prefixes are chosen by the
sender, so elements are told by their local names. Specification: DATEX II v2.x and v3.x, NDW interface description.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from xml.parsers import expat

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.landing import Payload

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
        return PayloadError(payload.name, f"is XML, but not DATEX II {self.description}: {why}", self.way_out)


class ByLocalName(dict[str, Any]):
    """What is known of elements by local name, found by the name with whatever prefix a sender gives it; None for the others."""

    def __missing__(self, name: str) -> Any:
        known = self[name] = self.known(local_name(name))
        return known

    def known(self, local: str) -> Any:
        """What is known of a local name."""
        return self.get(local)


def local_name(name: str) -> str:
    """The name of an element or attribute, without its prefix."""
    return name.rpartition(":")[2]


def type_of(attributes: dict[str, str]) -> str:
    """The type that an element says it has (`xsi:type`), without prefix; empty when it says none."""
    said = attributes.get("xsi:type")
    if said is None:
        said = next((value for name, value in attributes.items() if local_name(name) == "type"), "")
    return local_name(said)


def is_message(beginning: str) -> bool:
    """Whether a text begins as a message of DATEX II does."""
    return any(name in beginning for name in ("d2LogicalModel", "datex2.eu/schema/3/messageContainer"))


def new_parser() -> expat.XMLParserType:
    """An expat parser that gives names as they are written."""
    made = expat.ParserCreate()
    made.buffer_text = True
    return made


def feed(
    parser: expat.XMLParserType,
    payload: Payload,
    publication: Publication,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    comes: Callable[[bytes], None] | None = None,
) -> Iterator[None]:
    """Feeds a payload to the parser, yielding between chunks; the handlers hear what stands inside the publication.

    Of a message with several publications they hear the one that is wanted, and what comes after it. `comes` is given the bytes
    of each chunk before they are parsed.

    Raises:
        PayloadError: The XML is cut off, malformed, declares a document type, or is something else.
    """
    others: list[str] = []
    depth = 0
    is_found = False

    def root(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, is_found
        tag = local_name(name)
        if tag in _PUBLICATIONS:
            if type_of(attributes) == publication.kind:
                is_found = True
                parser.StartElementHandler, parser.EndElementHandler = start, end
            else:
                others.append(type_of(attributes) or "something else")
        elif not depth and tag not in _OUTERMOST:
            raise publication.refuse(payload, f"its outermost element is {tag}")
        depth += 1

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
                if comes is not None:
                    comes(chunk)
                parser.Parse(chunk, False)
                yield
            parser.Parse(b"", True)
        except LookupError as error:
            if isinstance(error, KeyError | IndexError):
                raise
            raise PayloadError(payload.name, "names an encoding that nobody knows", "ask for the file again, in UTF-8") from error
        except expat.ExpatError as error:
            cut = error.code in _CUT_OFF
            raise PayloadError(
                payload.name,
                f"was cut off at line {error.lineno}" if cut else f"is not well-formed XML ({error})",
                "ask for the file again; it is damaged or of another type",
            ) from error
    if not is_found:
        raise publication.refuse(
            payload, f"it publishes {', '.join(others)}" if others else "it has no payloadPublication or payload"
        )


_OUTERMOST = ("Envelope", "d2LogicalModel", "messageContainer")
_PUBLICATIONS = ("payloadPublication", "payload")
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
