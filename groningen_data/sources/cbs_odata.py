"""How a table of CBS StatLine is pulled over OData: version 4 where that has its observations, otherwise version 3.

A release of a table lands as one zip of the answers as they came, at the same place as the release before: parts of two releases
never meet. Nothing lands of a release that is not complete, that changes while it is read, or that its source cannot read.
What the figures mean is for the source to say.

Facts of the services (observed in 2026): version 4 answers 100,000 observations at a time and links to the next; some tables have
metadata but no observations (404). Version 3 refuses more than 10,000 rows with status 500, except on its feed, which has pages.
Keys of regions are padded to a width that differs per dimension, and a range is not kept to, so regions are asked for by the
beginning of their keys. Where a service refuses that question or does not keep to it, the whole table is asked for.
"""

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.fetching.client import Answer
from groningen_data.fetching.connector import Connector, Pull
from groningen_data.landing import Payload
from groningen_data.settings import Settings
from groningen_data.sources.parsing import reference_table

V4, V3, V3_FEED = "statline_v4", "statline_v3", "statline_v3_feed"
"""The services: OData version 4, version 3, and the feed of version 3."""

Batches = Callable[[Payload], tuple[str, ...]]
Beginnings = Callable[[Settings], tuple[str, ...]]
"""With what the codes of the wanted regions begin, given the municipality; the last ones are of the municipality itself."""

_JSON = ("application/json",)
_TOO_MANY = re.compile(rb"more than \d+ records")
_REGIONAL = ("GeoDetail", "GeoDimension")
_DIMENSIONS = ("Dimension", "TimeDimension", *_REGIONAL)
_REFUSALS = (400, 501)
_DISCONTINUED = "Gediscontinueerd"
_MIDNIGHT = (1980, 1, 1, 0, 0, 0)


def connector(kinds: Sequence[str], beginnings: Beginnings, batches: Batches) -> Connector:
    """How the tables of some kinds (in `data/reference/cbs_tables.csv`) are pulled.

    Args:
        kinds: Which tables; the setting `statline_tables` may narrow them.
        beginnings: Of the regions that are wanted.
        batches: The reading of the source, to try a release before it lands.
    """

    def pull(visit: Pull) -> None:
        problems = []
        for name in _tables(kinds, visit.settings):
            table = _Table(visit, name, beginnings(visit.settings), batches)
            try:
                table.refresh()
                visit.untell(name)
            except _GoneError as error:
                if table.is_withdrawn():
                    visit.tell_once(name, f"CBS has withdrawn table {name}: it {error}; what landed of it before stays")
                else:
                    problems.append(f"table {name} {error}")
            except _TableError as error:
                problems.append(f"table {name} {error}")
        if problems:
            raise visit.problem("; ".join(problems), "the other tables are up to date; look at these at opendata.cbs.nl")

    return Connector((V4, V3, V3_FEED), pull)


def _tables(kinds: Sequence[str], settings: Settings) -> list[str]:
    known = reference_table("cbs_tables").filter(pl.col("kind").is_in(kinds))["source_table"].to_list()
    return [table for table in known if not settings.statline_tables or table in settings.statline_tables]


class _TableError(Exception):
    """What is wrong with one table; the others may be all right."""


class _GoneError(_TableError):
    """A table is not there any more, or never was."""


class _NotNarrowedError(Exception):
    """The service does not answer for some regions only."""


@dataclass
class _Table:
    """One table at one visit.

    Args:
        visit: The visit.
        name: Id of the table.
        beginnings: Of the codes of the wanted regions.
        batches: The reading of the source.
    """

    visit: Pull
    name: str
    beginnings: tuple[str, ...]
    batches: Batches

    def refresh(self) -> None:
        """Deliver the table if it was released since it was delivered last.

        Raises:
            _TableError: It is not there, or not what the service promises.
            SourceError: A service cannot be asked.
        """
        seen: Mapping[str, Any] = self.visit.cursor.get("tables", {}).get(self.name, {})
        if seen.get("regions") != list(self.beginnings):
            seen = {}
        newest = self._released(V4)
        if newest and newest == seen.get("v4"):
            return
        if newest and newest != seen.get("v4_without_figures") and self._collect(V4, {"v4": newest}):
            return
        released = self._released(V3)
        if released is None:
            raise _GoneError("has no figures in version 4 and is not there in version 3")
        if released != seen.get("v3"):
            self._collect(V3, {"v3": released} | ({"v4_without_figures": newest} if newest else {}))

    def is_withdrawn(self) -> bool:
        """Whether a table that is not there was withdrawn: CBS says that it is discontinued, or it was there before, or only our own
        list names it; and the catalogue is where it was, so that it is not the service that is gone."""
        if self.name in self.visit.cursor.get("told", {}):
            return True
        catalogue = self.visit.client.get(
            self.visit.client.url(V4, "Datasets"), params={"$top": 1}, accept=_JSON, recognise=lambda status, _: status < 500
        )
        listed = catalogue.json(self.visit.client.source) if catalogue is not None and catalogue.status < 400 else None
        if not isinstance(listed, dict) or not listed.get("value"):
            return False
        was_there = self.name in self.visit.cursor.get("tables", {})
        return was_there or not self.visit.settings.statline_tables or self._status() == _DISCONTINUED

    def _status(self) -> str:
        answer = self._get(V4, "Properties")
        found = answer.json(self.visit.client.source) if answer is not None else {}
        return str(found.get("Status", "")) if isinstance(found, dict) else ""

    def _released(self, service: str) -> str | None:
        """When the table was changed last, as the service says it; None when it has no such table."""
        part = "Properties" if service == V4 else "TableInfos"
        answer = self._get(service, part)
        if answer is None:
            return None
        found = answer.json(self.visit.client.source)
        rows = found.get("value") if isinstance(found, dict) and service == V3 else [found]
        modified = rows[0].get("Modified") if isinstance(rows, list) and rows and isinstance(rows[0], dict) else None
        if not isinstance(modified, str) or not modified:
            raise _TableError(f"does not say in {part} when it was changed (Modified)")
        return modified

    def _collect(self, service: str, noted: Mapping[str, str]) -> bool:
        """Put a release together and deliver it, of the wanted regions if that can be; False when it has no figures.

        Args:
            service: Which version.
            noted: What to remember of it: when it was changed, by version.
        """
        ask = self._version_4 if service == V4 else self._version_3
        folder = self.visit.settings.scratch_dir / "pulled" / self.visit.client.source
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.zip"
        try:
            for is_narrow in (True, False):
                try:
                    with _Archive(path, self.beginnings if is_narrow else ()) as archive:
                        if not ask(archive):
                            return False
                    break
                except _NotNarrowedError:
                    continue
            if self._released(service) != noted[service.removeprefix("statline_")]:
                raise _TableError("was released anew while it was read; the next refresh reads the new release")
            self._try(path)
            self.visit.cursor.setdefault("tables", {})[self.name] = {**noted, "regions": list(self.beginnings)}
            url = self.visit.client.url(service, self.name)
            self.visit.deliver(f"{self.name}.zip", Answer(url, 200, dict(noted), path=path))
        finally:
            path.unlink(missing_ok=True)
        return True

    def _try(self, path: Path) -> None:
        """What cannot be read does not land, and is asked for again."""
        payload = Payload(self.visit.client.source, "", f"{self.name}.zip", path.stat().st_size, datetime.now(UTC), path=path)
        try:
            self.batches(payload)
        except PayloadError as error:
            raise _TableError(error.problem) from None

    def _version_4(self, archive: "_Archive") -> bool:
        dimensions = {str(d.get("Identifier")): d for d in self._rows(archive, V4, "Dimensions") or []}
        region = next((name for name, d in dimensions.items() if str(d.get("Kind")).startswith("Geo")), "")
        narrow = _filter(region, archive.beginnings)
        announced = self._count(narrow)
        if announced is None:
            return False
        if not announced and narrow:
            raise _NotNarrowedError
        facts = self._rows(archive, V4, "Properties") or [{}]
        for part in ("MeasureCodes", "MeasureGroups"):
            self._rows(archive, V4, part)
        for name, dimension in dimensions.items():
            where = _filter("Identifier", archive.beginnings) if name == region else {}
            codes = self._rows(archive, V4, f"{name}Codes", where) or []
            if where:
                _is_about_us(codes, "Identifier", archive.beginnings)
            if dimension.get("ContainsGroups"):
                self._rows(archive, V4, f"{name}Groups")
        ids: set[Any] = set()
        has_own = not narrow
        for rows in self._pages(archive, V4, "Observations", narrow):
            has_own |= bool(narrow) and _is_about_us(rows, region, archive.beginnings)
            ids |= {row.get("Id", (len(ids), n)) for n, row in enumerate(rows)}
        if not has_own or (narrow and len(ids) < announced == facts[0].get("ObservationCount")):
            # The number of the whole table was answered: then only the whole table can be counted.
            raise _NotNarrowedError
        if len(ids) != announced:
            raise _TableError(
                f"announces {announced:,} observations and its pages hold {len(ids):,}; the next refresh asks again"
            )
        return True

    def _version_3(self, archive: "_Archive") -> bool:
        self._rows(archive, V3, "TableInfos")
        properties = self._rows(archive, V3, "DataProperties") or []
        dimensions = {str(p.get("Key")).strip(): p.get("Type") for p in properties if p.get("Type") in _DIMENSIONS}
        region = next((key for key, kind in dimensions.items() if kind in _REGIONAL), "")
        narrow = _filter(region, archive.beginnings)
        for name in dimensions:
            # Names of regions; some more do no harm.
            where = _filter("Key", archive.beginnings) if name == region else {}
            if self._rows(archive, V3, name, where, (*_REFUSALS, 500) if where else ()) is None:
                self._rows(archive, V3, name)
        has_own = not narrow
        for rows in self._pages(archive, V3, "TypedDataSet", narrow):
            has_own |= bool(narrow) and _is_about_us(rows, region, archive.beginnings)
        if not has_own:
            raise _NotNarrowedError
        return True

    def _count(self, where: Mapping[str, str]) -> int | None:
        """How many observations there are; None when there are none to be asked for."""
        answer = self._get(V4, "Observations/$count", where, accept=())
        if answer is None:
            return None
        text = answer.body.decode("utf-8-sig", errors="replace").strip()
        if not text.isdecimal():
            raise _TableError("does not answer Observations/$count with a number")
        return int(text)

    def _rows(
        self,
        archive: "_Archive",
        service: str,
        part: str,
        where: Mapping[str, str] | None = None,
        none_at: Sequence[int] = (),
    ) -> list[dict[str, Any]] | None:
        """All rows of a part, which are put in the archive; None when it is not there."""
        pages = list(self._pages(archive, service, part, where or {}, none_at))
        return [row for page in pages for row in page] if pages else None

    def _pages(
        self,
        archive: "_Archive",
        service: str,
        part: str,
        where: Mapping[str, str],
        none_at: Sequence[int] = (),
    ) -> Iterator[list[dict[str, Any]]]:
        answer = self._get(service, part, where, none_at)
        if answer is not None and answer.status == 500:
            service = V3_FEED
            answer = self._get(service, part, where, none_at)
        if answer is None:
            return
        yield self._kept(archive, part, 1, answer)
        link = self._next(answer)
        if link is None:
            return
        for number, page in enumerate(self.visit.client.pages(link, self._next, accept=_JSON), start=2):
            yield self._kept(archive, part, number, page)

    def _kept(self, archive: "_Archive", part: str, number: int, answer: Answer) -> list[dict[str, Any]]:
        found = answer.json(self.visit.client.source)
        rows = found.get("value", [found]) if isinstance(found, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise _TableError(f"answers {part} without a list of rows (value)")
        archive.add(f"{part}.json" if number == 1 else f"{part}_{number}.json", answer.body)
        return rows

    def _next(self, answer: Answer) -> str | None:
        found = answer.json(self.visit.client.source)
        link = found.get("@odata.nextLink", found.get("odata.nextLink")) if isinstance(found, dict) else None
        return link if isinstance(link, str) else None

    def _get(
        self,
        service: str,
        part: str,
        where: Mapping[str, str] | None = None,
        none_at: Sequence[int] = (),
        accept: Sequence[str] = _JSON,
    ) -> Answer | None:
        """One answer; None when there is no such thing, or at one of the statuses `none_at`.

        Raises:
            _NotNarrowedError: The question for some regions is refused.
        """
        url = self.visit.client.url(service, f"{self.name}/{part}")
        params = {**(where or {}), **({} if service == V4 else {"$format": "json"})}

        def recognise(status: int, body: bytes) -> bool:
            is_refusal = bool(where) and status in _REFUSALS
            return status == 404 or status in none_at or is_refusal or _is_too_many(status, body)

        answer = self.visit.client.get(url, params=params or None, accept=accept, recognise=recognise)
        if answer is None or answer.status < 400 or _is_too_many(answer.status, answer.body):
            return answer
        if answer.status in _REFUSALS and answer.status not in none_at:
            raise _NotNarrowedError
        return None


class _Archive:
    """The zip in which a release is put together: the same bytes for the same answers.

    Args:
        path: Where it is written.
        beginnings: Of the codes of the wanted regions; none when the whole table is wanted.
    """

    def __init__(self, path: Path, beginnings: tuple[str, ...]) -> None:
        self.beginnings = beginnings
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)

    def __enter__(self) -> "_Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def add(self, name: str, body: bytes) -> None:
        """An answer as it came."""
        self._zip.writestr(zipfile.ZipInfo(name, _MIDNIGHT), body, zipfile.ZIP_DEFLATED)


def _is_too_many(status: int, body: bytes) -> bool:
    return status == 500 and _TOO_MANY.search(body) is not None


def _is_about_us(rows: Iterable[Mapping[str, Any]], column: str, beginnings: tuple[str, ...]) -> bool:
    """Whether the municipality itself is among the regions that came.

    Raises:
        _NotNarrowedError: Others than the wanted ones came as well.
    """
    codes = {str(row.get(column)) for row in rows}
    if not all(code.startswith(beginnings) for code in codes):
        raise _NotNarrowedError
    return any(code.startswith(beginnings[-1]) for code in codes)


def _filter(column: str, beginnings: tuple[str, ...]) -> dict[str, str]:
    """The question for codes that begin in one of these ways; padding does not matter to it."""
    if not column or not beginnings:
        return {}
    return {"$filter": " or ".join(f"startswith({column},'{beginning}')" for beginning in beginnings)}
