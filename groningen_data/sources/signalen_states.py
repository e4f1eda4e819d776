"""What a Signalen installation says of each report: pages of its private API, or the nightly zip of its data warehouse.

Reports are asked for by when they were last updated, whole days (UTC) at a time: `updated_after` and `updated_before`, both
inclusive. The filters `incident_date_before` and `incident_date_after` mean each other and are never used. Nothing lands that
`signalen_fields` does not keep.

Read in the source of Signalen/backend (commit 9986bd66), not tried on a live installation.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx
import polars as pl

from groningen_data.errors import PayloadError
from groningen_data.fetching.auth import ClientCredentials
from groningen_data.fetching.client import Answer
from groningen_data.fetching.connector import Connector, Pull
from groningen_data.fetching.shapes import Field
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Payload, last_at_each_place
from groningen_data.places import Locator
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.parsing import ORIGINAL, PROBLEMS, in_slices, instant, marked
from groningen_data.sources.signalen import with_waste_kind
from groningen_data.sources.signalen_fields import (
    DAY,
    PARENTS,
    REMOVED,
    REQUIRED,
    SIGNALS,
    SWAPPED,
    ordered,
    packed,
    reduced,
    rewritten,
    whole_numbers,
)

CLOSED_STATES = ("o", "a", "s")
"""Handled, cancelled, split: the states after which nothing is done any more."""
SPLIT_STATE = "s"

_OVERLAP, _YEAR = timedelta(days=1), timedelta(days=365)
_PAGE_SIZE = 100
_TIMES_READ = 3
_BATCH = "states"
_JSON = ("application/json", "application/hal+json")
_FIELDS: Mapping[str, type[pl.DataType]] = {
    "id": pl.String,
    "created_at": pl.String,
    "updated_at": pl.String,
    "state": pl.String,
    "state_since": pl.String,
    "main_slug": pl.String,
    "sub_slug": pl.String,
    "longitude": pl.Float64,
    "latitude": pl.Float64,
    "container_code": pl.String,
    "containers": pl.Int64,
    "parent": pl.String,
    "has_children": pl.Boolean,
}


def parse_states(payloads: Sequence[Payload], batch_key: str, context: BuildContext) -> Iterator[pl.DataFrame]:
    """Rows of `core.waste_report_states` from everything landed: of each report the state that was updated last.

    A report that we may no longer see stands in earlier deliveries of its day only; those count as well. Of the lists of removed
    reports the last of each day counts.
    """
    states: dict[int, tuple[str, dict[str, Any]]] = {}
    removed_on: dict[int, str] = {}
    parents: set[int] = set()
    swapped, reports, nameless = 0, 0, []
    latest = {payload.sha256 for payload in last_at_each_place(payloads).values()}
    for payload in sorted(payloads, key=lambda p: (p.arrival_for().at, p.sha256)):
        content = payload.json()
        swapped += content.get(SWAPPED) is True
        for report in content.get(SIGNALS, ()):
            reports += 1
            number, updated = report["id"], _utc(report["updated_at"])
            if report["parent"] is not None:
                parents.add(report["parent"])
            if number is None:
                nameless.append(report)
            elif number not in states or states[number][0] <= updated:
                states[number] = (updated, report)
        for number in content.get(REMOVED, ()) if payload.sha256 in latest else ():
            removed_on[number] = max(removed_on.get(number, ""), content[DAY])
        parents.update(content.get(PARENTS, ()))
    context.notes |= {
        "payloads": len(payloads),
        "reports_read": reports,
        "reports_updated_since": reports - len(states) - len(nameless),
        "removed_and_never_seen": len(removed_on.keys() - states.keys()),
        "zips_with_swapped_coordinates": swapped,
    }
    # A report that came back after it was removed was updated on a later day.
    removed = {n for n, day in removed_on.items() if n in states and day >= states[n][0][:10]}
    frame = _frame([*(report for _, report in states.values()), *nameless], removed, parents)
    locator = Locator(context.published("core.reference_neighbourhoods"))
    yield from in_slices(locator.locate(_rows(frame, context.settings.timezone)))


def _utc(text: str | None) -> str:
    """An instant as text that sorts by time; empty when there is none."""
    try:
        return datetime.fromisoformat(text or "").astimezone(UTC).isoformat(timespec="microseconds")
    except ValueError:
        return ""


def _frame(reports: Sequence[Mapping[str, Any]], removed: set[int], parents: set[int]) -> pl.DataFrame:
    rows = [_flat(report) for report in reports]
    columns = {name: pl.Series(name, [row[name] for row in rows], dtype, strict=False) for name, dtype in _FIELDS.items()}
    return pl.DataFrame(columns).with_columns(
        pl.Series("_removed", [r["id"] in removed for r in reports], pl.Boolean),
        pl.Series("_promoted", [r["id"] in parents for r in reports], pl.Boolean),
        pl.Series(ORIGINAL, [json.dumps(r) for r in reports], pl.String),
    )


def _flat(report: Mapping[str, Any]) -> dict[str, Any]:
    point = (report["location"]["geometrie"] or {}).get("coordinates") or (None, None)
    containers = report["containers"]
    return {
        "id": _text(report["id"]),
        "created_at": report["created_at"],
        "updated_at": report["updated_at"],
        "state": report["status"]["state"],
        "state_since": report["status"]["created_at"],
        "main_slug": report["category"]["main_slug"],
        "sub_slug": report["category"]["sub_slug"],
        "longitude": point[0],
        "latitude": point[1],
        "container_code": containers[0] if containers else None,
        "containers": len(containers),
        "parent": _text(report["parent"]),
        "has_children": report["has_children"],
    }


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _rows(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    created, updated, since = instant("created_at"), instant("updated_at"), instant("state_since")
    is_closed = pl.col("state").is_in(CLOSED_STATES)
    closed_at = pl.when(is_closed).then(pl.coalesce(since, updated))
    rules = {
        "created_at.type": pl.col("created_at").is_not_null() & created.is_null(),
        "updated_at.type": pl.col("updated_at").is_not_null() & updated.is_null(),
        "updated_at.before_created": updated < created - pl.duration(minutes=5),
        "closed_at.before_created": closed_at < created - pl.duration(minutes=5),
    }
    rows = marked(frame, rules).select(
        pl.col("id").alias("report_id"),
        created.alias("created_at"),
        _local_day(created, zone).alias("created_on"),
        updated.alias("updated_at"),
        pl.col("state").alias("status_code"),
        is_closed.alias("is_closed"),
        closed_at.alias("closed_at"),
        _local_day(closed_at, zone).alias("closed_on"),
        pl.col("main_slug").alias("main_category_code"),
        pl.col("sub_slug").alias("category_code"),
        "longitude",
        "latitude",
        "container_code",
        "containers",
        pl.col("parent").alias("parent_id"),
        (pl.col("has_children") | pl.col("_promoted") | (pl.col("state") == SPLIT_STATE).fill_null(False)).alias("is_parent"),
        pl.col("_removed").alias("is_removed"),
        PROBLEMS,
        ORIGINAL,
    )
    return with_waste_kind(rows)


def _local_day(moment: pl.Expr, zone: str) -> pl.Expr:
    return moment.dt.convert_time_zone(zone).dt.date()


def _batches(payload: Payload) -> tuple[str, ...]:
    content = payload.json()
    if not isinstance(content, dict) or not {SIGNALS, REMOVED, PARENTS} & content.keys():
        raise PayloadError(payload.name, "is no page of reports", "deliver pages of /v1/private/signals, or the nightly zip")
    return (_BATCH,) if content.get(SIGNALS) != [] else ()


def _recognises(head: Head) -> bool:
    if head.data.startswith(b"PK\x03\x04"):
        return any(name in head.data for name in (b"signals.csv", b"statusses.csv", b"reporters.csv"))
    text = head.text.lstrip()
    return text.startswith("{") and all(f'"{name}"' in text for name in ("results", "_links", "sub_slug", "has_children"))


def _pull(visit: Pull) -> None:
    """Ask for every day in which a report may have been updated since the last visit, and one day before.

    The first visit begins with the reports that were updated longest ago; of what was closed before the first local day of the
    settings nothing is kept, and until that day whole months are asked for at a time. A day that was asked for is remembered
    once it landed: after a kill the next visit goes on there.
    """
    settings, client = visit.settings, visit.client
    auth = ClientCredentials(
        client.source,
        client.url("signalen_token"),
        settings.secret("signalen_client_id"),
        settings.secret("signalen_client_secret"),
    )
    listing = _Listing(visit, auth)
    today, first_day = settings.now().date(), settings.first_local_day - timedelta(days=1)
    known_until = visit.cursor.get("updated_until")
    begin = _day_of(known_until) - _OVERLAP if known_until else listing.beginning(first_day)
    day = min(begin, today - _OVERLAP)
    if known_until:
        _ask_removed(visit, listing, day, today)
    _ask_parents(visit, listing, day if known_until else today - _OVERLAP)
    while day <= today:
        last = min((day.replace(day=1) + timedelta(days=31)).replace(day=1), first_day) - timedelta(days=1)
        last = max(day, last) if day < first_day else day
        reports = listing.updated(day, None if last == today else last)
        latest = max((_utc(r["updated_at"]) for r in reports), default="")
        visit.cursor["updated_until"] = max(visit.cursor.get("updated_until", ""), latest)
        kept = [r for r in reports if not _closed_before(r, first_day)]
        if kept:
            name = f"{day}" if last == day else f"{day}_{last}"
            visit.deliver(f"signals/{name}.json", packed({SIGNALS: ordered(kept)}))
        day = last + timedelta(days=1)


def _ask_removed(visit: Pull, listing: "_Listing", day: date, today: date) -> None:
    """Which reports were given a category that we may not see, per day; a list that has become empty replaces the one before."""
    told = set(visit.cursor.get("removed_days", []))
    while day <= today:
        ids = listing.removed(day)
        if ids or f"{day}" in told:
            told = {d for d in told if d >= f"{day - timedelta(days=31)}"} | {f"{day}"}
            visit.cursor["removed_days"] = sorted(told)
            visit.deliver(f"removed/{day}.json", packed({DAY: f"{day}", REMOVED: ids}))
        day += timedelta(days=1)


def _ask_parents(visit: Pull, listing: "_Listing", day: date) -> None:
    """Which reports became parents, from the beginning of the month on; the same month's next list replaces it."""
    ids = listing.parents(day.replace(day=1))
    if ids:
        visit.deliver(f"parents/{day:%Y-%m}.json", packed({PARENTS: ids}))


def _closed_before(report: Mapping[str, Any], day: date) -> bool:
    status = report["status"]
    return status["state"] in CLOSED_STATES and "" < _utc(status["created_at"]) < f"{day}"


def _day_of(text: str) -> date:
    return datetime.fromisoformat(text).astimezone(UTC).date()


class _Listing:
    """The lists of the private API, each read to its end; reports are reduced as they come."""

    def __init__(self, visit: Pull, auth: httpx.Auth) -> None:
        self._visit, self._auth = visit, auth

    def beginning(self, day: date) -> date:
        """A day at or before this one, before which no report was last updated; found by counting, whatever the order of lists."""
        while self._count(day) > 0:
            day -= _YEAR
        return day

    def _count(self, day: date) -> int:
        before = f"{day - timedelta(days=1)}T23:59:59.999999Z"
        answer = self._visit.client.get(self._url(""), params={"updated_before": before, "page_size": 1}, **self._how())
        assert answer is not None
        return int(self._page(answer)["count"])

    def updated(self, first: date, last: date | None) -> list[dict[str, Any]]:
        """Reports that were last updated in these days (UTC), each once."""
        until = {} if last is None else {"updated_before": f"{last}T23:59:59.999999Z"}
        asked = {"updated_after": f"{_start(first)}", **until, "ordering": "updated_at"}
        found = self._whole("", asked, self._reduced)
        latest: dict[Any, dict[str, Any]] = {}
        for report in found:
            known = latest.get(report["id"])
            if known is None or _utc(known["updated_at"]) <= _utc(report["updated_at"]):
                latest[report["id"]] = report
        return list(latest.values())

    def removed(self, day: date) -> list[int]:
        """Ids of reports that left the categories that we may see on a day (UTC)."""
        asked = {"after": _start(day), "before": f"{day}T23:59:59.999999Z"}
        return whole_numbers([r["id"] for r in self._whole("category/removed/", asked, _id_only)])

    def parents(self, day: date) -> list[int]:
        """Ids of reports whose first child was made on a day (UTC) or later."""
        return whole_numbers([r["id"] for r in self._whole("promoted/parent/", {"after": _start(day)}, _id_only)])

    def _whole(self, path: str, asked: Mapping[str, str], keep: Any) -> list[dict[str, Any]]:
        """All of a list, kept part by part as it is read.

        A report that is updated while we read leaves its page, and the one that moves up is skipped: then the numbers do not
        agree, and the list is read again.
        """
        params: dict[str, Any] = {**asked, "page_size": _PAGE_SIZE}
        counts: list[int] = []
        found: dict[tuple[Any, Any], dict[str, Any]] = {}
        for _ in range(_TIMES_READ):
            counts, found = [], {}
            for answer in self._visit.client.pages(self._url(path), self._next, params=params, **self._how()):
                page = self._page(answer)
                self._tell_fields(path, page["results"])
                counts.append(page["count"])
                for item in page["results"]:
                    kept = keep(item)
                    found[kept["id"], kept.get("updated_at")] = kept
            if len(set(counts)) == 1 and len({number for number, _ in found}) == counts[0]:
                return list(found.values())
        raise self._visit.problem(
            f"{self._url(path).split('//')[-1]} counts {counts[-1] if counts else 0} reports and lists "
            f"{len({number for number, _ in found})} of them, {_TIMES_READ} times",
            "ask again at a quieter hour; report it if it stays",
        )

    def _tell_fields(self, path: str, items: Sequence[Mapping[str, Any]]) -> None:
        """By their names only: what the fields hold goes no further."""
        names = dict.fromkeys(name for item in items for name in item)
        shape = {name: Field(None, all(name in item for item in items)) for name in names}
        self._visit.saw(f"v1/private/signals/{path}", shape)

    def _url(self, path: str) -> str:
        return f"{self._visit.client.url('signalen', 'v1/private/signals')}/{path}"

    def _how(self) -> dict[str, Any]:
        return {"accept": _JSON, "auth": self._auth}

    def _page(self, answer: Answer) -> dict[str, Any]:
        page = answer.json(self._visit.client.source)
        is_page = isinstance(page, dict) and isinstance(page.get("count"), int) and isinstance(page.get("results"), list)
        if not is_page or not all(isinstance(item, dict) for item in page["results"]):
            raise self._visit.problem(f"{answer.url} answered no page of a list", "report it to the source; ask again later")
        return dict(page)

    def _next(self, answer: Answer) -> str | None:
        links = self._page(answer).get("_links")
        following = links.get("next") if isinstance(links, dict) else None
        href = following.get("href") if isinstance(following, dict) else None
        return href if isinstance(href, str) else None

    def _reduced(self, item: dict[str, Any]) -> dict[str, Any]:
        missing = [name for name in REQUIRED if name not in item]
        kept = reduced(item)
        if missing or kept["id"] is None or kept["updated_at"] is None:
            named = ", ".join(missing) or "a number and when it was updated"
            raise self._visit.problem(f"lists reports without {named}", "the service changed: compare with its documentation")
        return kept


def _id_only(item: Mapping[str, Any]) -> dict[str, Any]:
    number = item.get("id")
    return {"id": number if isinstance(number, int) else None}


def _start(day: date) -> str:
    return datetime.combine(day, time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


SOURCE = FileSource(
    name="signalen_states",
    title="State of public-space reports (Signalen)",
    patterns=("*signalen*.zip", "*datawarehouse*.zip"),
    recognises=_recognises,
    batches=_batches,
    extent="GM0014",
    rewriting=lambda settings: rewritten,
    connector=Connector(("signalen", "signalen_token"), _pull),
)
