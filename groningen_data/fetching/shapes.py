"""Schema drift: which fields a payload has, against those that earlier payloads of the same kind had.

A shape is read from the beginning of a payload only, so that it costs the same for every size. A field counts as vanished when
every earlier payload had it in every record; whether a table can do without it, its contract decides.
"""

import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any
from xml.parsers import expat

import ijson
import pyarrow as pa
import pyarrow.parquet as pq

SHAPE_BYTES = 16_384
# The one written in C breaks the process on a number of more than 4,300 digits.
_JSON = ijson.get_backend("python")
_MOST_FIELDS = 600
_MOST_MEMBERS = 50
_FURTHER_PAGE = re.compile(r"_\d+$")
_NAME = re.compile(r"[^\W\d_][\w .()/%°²³-]{0,79}")
_NUMBER = re.compile(r"\d+(?![\da-zA-JL-PR-SU-Y])")  # 2025K4, 2025Q4, 20260315T0742Z
_ALIKE = 0.6
_OR = " or "


@dataclass(frozen=True)
class Field:
    """One field: the kind of its values (None when only nulls were seen), and whether every record has it."""

    kind: str | None
    always: bool


Shape = Mapping[str, Field]


@dataclass(frozen=True)
class Drift:
    """How a payload's shape differs from those before it."""

    place: str
    added: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    changed: tuple[tuple[str, str, str], ...] = ()

    def __str__(self) -> str:
        parts = [
            *(f"{old} is now {new}" for old, new in self.renamed),
            *(f"{name} vanished" for name in self.vanished),
            *(f"{name} is new" for name in self.added),
            *(f"{name} was {before} and is {after}" for name, before, after in self.changed),
        ]
        shown = parts[:8] + ([f"and {len(parts) - 8} more"] if len(parts) > 8 else [])
        return f"{self.place}: {'; '.join(shown)}"


def family(place: str) -> str:
    """What payloads at such places have in common: the place without its numbers and dates; `85984NED` is a name, no number."""
    return _NUMBER.sub("#", PurePosixPath(place).as_posix())


def shape_of(payload: Path | bytes) -> dict[str, Field]:
    """Fields of a payload by path, read from its beginning (plain or gzip), or from the directory of Parquet or a zip; empty when
    it has none.

    The fields of a zip are those of its members, each below the member's name; pages of one list count once.

    Args:
        payload: Where it is, or its bytes; of what has no directory the first `SHAPE_BYTES` do.
    """
    if isinstance(payload, Path):
        with payload.open("rb") as stream:
            head = stream.read(SHAPE_BYTES)
    else:
        head = payload
    source = payload if isinstance(payload, Path) else BytesIO(payload)
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, SHAPE_BYTES)
        except zlib.error:
            return {}
    if head.startswith(b"PAR1"):
        return _of_parquet(source)
    if head.startswith(b"PK\x03\x04"):
        return _of_zip(source)
    text = head[:SHAPE_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] in (b"{", b"["):
        found = _of_json(text)
    elif text[:1] == b"<":
        found = _of_xml(text)
    else:
        found = _of_lines(text)
    return found if len(found) <= _MOST_FIELDS else {}


def compare(place: str, known: Mapping[str, Any], shape: Shape) -> Drift | None:
    """What differs from the shape known of this family; None when nothing does."""
    if not known or not shape:
        return None
    added = [name for name in shape if name not in known]
    # Where there is no record, its fields are not missing.
    records = {"", *(_leaf(name)[0] for name in shape)}
    vanished = [name for name, f in known.items() if f["always"] and name not in shape and _leaf(name)[0] in records]
    changed = [
        (name, known[name]["kind"], f.kind)
        for name, f in shape.items()
        if name in known and f.kind and known[name]["kind"] and f.kind not in known[name]["kind"].split(_OR)
    ]
    renamed = []
    for old in list(vanished):
        alike = [(SequenceMatcher(None, old, new).ratio(), new) for new in added if _leaf(old)[0] == _leaf(new)[0]]
        best = max(alike, default=(0.0, ""))
        if best[0] >= _ALIKE:
            renamed.append((old, best[1]))
            vanished.remove(old)
            added.remove(best[1])
    if not (added or vanished or renamed or changed):
        return None
    return Drift(place, tuple(added), tuple(vanished), tuple(renamed), tuple(changed))


def merged(known: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """What is known of the family after this payload as well."""
    if not shape:
        return dict(known)
    found = {name: asdict(f) for name, f in shape.items()}
    for name, before in known.items():
        now = found.get(name)
        if now is None:
            # What went away is no longer asked for; it stays known, so that its return is no news.
            found[name] = {"kind": before["kind"], "always": False}
        else:
            now["always"] = now["always"] and before["always"]
            # A field that was of two kinds may be of either: to come back to one is no news.
            kinds = dict.fromkeys([*(before["kind"] or "").split(_OR), now["kind"] or ""])
            now["kind"] = _OR.join(kind for kind in kinds if kind) or None
    for name in found.keys() - known.keys() if known else ():
        found[name]["always"] = False
    return found


def _leaf(name: str) -> tuple[str, str]:
    parent, _, leaf = name.rpartition(".")
    return parent, leaf


def _of_json(text: bytes) -> dict[str, Field]:
    kinds: dict[str, str | None] = {}
    counts: Counter[str] = Counter()
    objects: Counter[str] = Counter()
    open_objects: list[str] = []
    try:
        for prefix, event, _ in _JSON.parse(BytesIO(text)):
            path = _path(prefix)
            if event == "map_key":
                continue
            if event in ("end_map", "end_array"):
                if event == "end_map":
                    open_objects.pop()
                continue
            if path and not path.endswith("[]"):
                counts[path] += 1
                kinds[path] = kinds.get(path) or {"start_map": "object", "start_array": "list", "null": None}.get(event, event)
            if event == "start_map":
                objects[path] += 1
                open_objects.append(path)
    except (ijson.JSONError, ValueError):
        # Cut off here, not at the source: the objects that are still open have not shown all their fields.
        for path in open_objects:
            objects[path] -= 1
    return {path: Field(kinds[path], counts[path] >= objects[_leaf(path)[0]] > 0) for path in counts}


def _path(prefix: str) -> str:
    parts = prefix.split(".") if prefix else []
    named = ["[]" if part == "item" else "#" if any(c.isdigit() for c in part) and len(part) > 8 else part for part in parts]
    return ".".join(named).replace(".[]", "[]")


def _of_xml(text: bytes) -> dict[str, Field]:
    found: dict[str, Field] = {}
    stack: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        stack.append(name)
        path = f"{stack[-2]}.{name}" if len(stack) > 1 else name
        found[path] = Field("element", False)
        for attribute in attributes:
            if not attribute.startswith("xmlns"):
                found[f"{path}@{attribute.rpartition(':')[2]}"] = Field("attribute", False)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: stack.pop()
    try:
        parser.Parse(text, False)
    except (expat.ExpatError, LookupError, ValueError):
        # Besides what is malformed: an encoding that nobody knows.
        return {}
    return found


def _of_lines(text: bytes) -> dict[str, Field]:
    best: list[str] = []
    for line in text.decode("utf-8", errors="replace").splitlines()[:120]:
        for separator in ";,\t":
            names = [n.strip().strip('"') for n in line.lstrip("# ").rstrip(f"{separator}\r\n ").split(separator)]
            if len(names) > max(1, len(best)) and sum(bool(_NAME.fullmatch(n)) for n in names) == len(names):
                best = names
    return {name: Field("column", True) for name in best}


def _of_zip(source: Path | BytesIO) -> dict[str, Field]:
    found: dict[str, Field] = {}
    try:
        with zipfile.ZipFile(source) as archive:
            for name in archive.namelist()[:_MOST_MEMBERS]:
                stem = PurePosixPath(name).stem
                if _FURTHER_PAGE.search(stem) is None:
                    with archive.open(name) as member:
                        fields = shape_of(member.read(SHAPE_BYTES))
                    found |= {f"{stem}.{path}": field for path, field in fields.items()}
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError):
        return {}
    return found if len(found) <= _MOST_FIELDS else {}


def _of_parquet(source: Path | BytesIO) -> dict[str, Field]:
    try:
        schema = pq.read_schema(source)
    except (pa.ArrowException, OSError):
        return {}
    return {f.name: Field(str(f.type), True) for f in schema}
