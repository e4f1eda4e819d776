"""The tables of CBS StatLine that the sample city has, as records by part, each in the version of its file."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from groningen_data.replica.world import World
from groningen_data.sources import cbs_household_waste, cbs_statline

Rows = list[dict[str, Any]]

_NAME = re.compile(r"cbs\.(v3|v4)\.(\d{5}[A-Z]{3})_([A-Za-z]+?)(?:_\d+)?\.json$")
_BULK = re.compile(r"(\d{5}[A-Z]{3})\.zip$")
_WHOLE = ("Id", "Index", "Decimals", "ObservationCount")
_YES_OR_NO = ("ContainsCodes", "ContainsGroups")


@dataclass(frozen=True)
class Table:
    """One table.

    Args:
        name: Its id.
        version: The version of OData that has its figures.
        parts: Rows by the name of the part in that version; facts about the table are one row of `Properties` or `TableInfos`.
        bulk: Its bulk download, if it has one.
    """

    name: str
    version: Literal["v3", "v4"]
    parts: Mapping[str, Rows]
    bulk: Path | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What it says of itself."""
        return self.parts["Properties" if self.version == "v4" else "TableInfos"][0]


class Tables:
    """All tables, read again when a file of theirs changes: that is a new release."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stamp: tuple[object, ...] = ()
        self._tables: dict[str, Table] = {}

    def all(self) -> dict[str, Table]:
        """Tables by id."""
        paths = [*self._world.files(cbs_statline.SOURCE), *self._world.files(cbs_household_waste.SOURCE)]
        stamp = tuple((path, path.stat().st_mtime_ns) for path in paths)
        if stamp != self._stamp:
            self._tables = _read(paths)
            self._stamp = stamp
        return self._tables


def _read(paths: list[Path]) -> dict[str, Table]:
    found: dict[str, tuple[Any, dict[str, Rows]]] = {}
    bulks: dict[str, Path] = {}
    for path in paths:
        if named := _NAME.search(path.name):
            version, table, part = named.groups()
            answer = json.loads(path.read_bytes())
            rows = answer.get("value") or [{k: v for k, v in answer.items() if not k.startswith(("@odata.", "odata."))}]
            part = "TableInfos" if (version, part) == ("v3", "Metadata") else part
            found.setdefault(table, (version, {}))[1].setdefault(part, []).extend(rows)
        elif named := _BULK.search(path.name):
            bulks[named.group(1)] = path
            found[named.group(1)] = "v4", _unzipped(path)
    return {name: Table(name, version, parts, bulks.get(name)) for name, (version, parts) in sorted(found.items())}


def _unzipped(path: Path) -> dict[str, Rows]:
    with zipfile.ZipFile(path) as archive:
        texts = {name.removesuffix(".csv"): archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    return {part: [_typed(row) for row in csv.DictReader(io.StringIO(text), delimiter=";")] for part, text in texts.items()}


def _typed(row: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, text in row.items():
        if name in _WHOLE:
            found[name] = int(text)
        elif name in _YES_OR_NO:
            found[name] = text == "true"
        elif name == "Value":
            found[name] = float(text.replace(",", ".")) if text else None
        else:
            found[name] = text if text or name != "StringValue" else None
    return found
