"""Planning: which batches of a table are due, by comparing what they would be made of with what the ledger says."""

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from groningen_data.errors import ContractError, GroningenError
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.lakehouse import ledger
from groningen_data.landing import Arrival, Landing, Payload, last_at_each_place

SNAPSHOT = "snapshot"


@dataclass(frozen=True)
class BatchPlan:
    """One batch that could be gated.

    Args:
        key: Batch key.
        identity: Changes when the batch would be made of something else: other payloads, inputs, contract or suite.
        identity_if_rejected: Changes as well when a table changes that only the suite reads: then a rejection no longer counts.
        lineage: What it is made of: (`payload` | `table`, name, version).
        feed: For batches of payloads: how to parse them.
        payloads: For batches of payloads: oldest first.
        unreadable: The payload that could not be read at all; such a plan is only there to be rejected and recorded.
    """

    key: str
    identity: str
    identity_if_rejected: str
    lineage: tuple[tuple[str, str, str], ...]
    feed: Feed | None = None
    payloads: tuple[Payload, ...] = ()
    unreadable: Payload | None = None

    @property
    def day(self) -> str | None:
        """The local day the key starts with, if it does."""
        return self.key[:10] if is_day(self.key[:10]) else None


def is_day(text: str) -> bool:
    """Whether a text is an ISO date."""
    return len(text) == 10 and text[4] == text[7] == "-" and text.replace("-", "").isdigit()


def plan_payload_batches(
    con: duckdb.DuckDBPyConnection, recipe: Recipe, landing: Landing, batches: str = ledger.BATCHES
) -> list[BatchPlan]:
    """Batches of a table made from landed payloads, in order of key.

    Args:
        con: A connection with the lake attached.
        recipe: The table.
        landing: Where its payloads are.
        batches: Where the ledger's batches are read.

    Raises:
        GroningenError: A table it reads was never published, or two feeds deliver the same batch.
    """
    versions = tuple(("table", table, v.of()) for table, v in _versions(con, recipe, batches).items())
    judged_with = _judged_with(con, recipe, batches)
    fingerprint = recipe.fingerprint()
    plans: list[BatchPlan] = []
    for feed in recipe.feeds:
        payloads = landing.payloads(feed.source.name)
        for place, payload in last_at_each_place(payloads).items():
            if payload.problem:
                identity = _digest([fingerprint, payload.sha256])
                made_of = (("payload", place, payload.sha256),)
                plans.append(BatchPlan(f"payload {place}", identity, identity, made_of, feed, (payload,), payload))
        groups: dict[str, list[tuple[Arrival, Payload]]] = {}
        whole = recipe.facts.load_mode != "partition"
        for payload in payloads:
            for key in [SNAPSHOT] if whole and payload.batches else payload.batches:
                if feed.takes(key):
                    groups.setdefault(key, []).append((payload.arrival_for(None if whole else key), payload))
        for key, arrived in groups.items():
            arrived.sort(key=lambda pair: (pair[0].at, pair[1].sha256))
            lineage = tuple(("payload", arrival.place, payload.sha256) for arrival, payload in arrived)
            parts: list[object] = [fingerprint, feed.version, *(payload.sha256 for _, payload in arrived), *versions]
            members = tuple(payload for _, payload in arrived)
            plans.append(BatchPlan(key, _digest(parts), _digest(parts + judged_with), (*lineage, *versions), feed, members))
    shared = [key for key, count in Counter(plan.key for plan in plans).items() if count > 1]
    if shared:
        raise ContractError(
            recipe.facts.name,
            f"several feeds deliver the batch {shared[0]}, and each would undo the other's",
            "give each feed's batches keys of their own, or let one feed read all of them",
        )
    return sorted(plans, key=lambda p: p.key)


def plan_derived_batches(
    con: duckdb.DuckDBPyConnection, recipe: Recipe, definition: str, published: Collection[str], batches: str = ledger.BATCHES
) -> list[BatchPlan]:
    """Batches of a derived table: one, or one per month; each knows the inputs that concern it.

    A table whose inputs are all optional has none until something of them was published.

    Args:
        con: A writer's connection.
        recipe: The table.
        definition: What its expression compiles to, or its analysis's own definition.
        published: Keys of its batches that were published earlier: they are planned even when their inputs are gone.
        batches: Where the ledger's batches are read.
    """
    versions = _versions(con, recipe, batches)
    judged_with = _judged_with(con, recipe, batches)
    keys = [SNAPSHOT] if recipe.uses or published or any(v.whole is not None for v in versions.values()) else []
    if recipe.is_monthly:
        months = set().union(*(versions[table].months for table in recipe.months_from or recipe.inputs))
        keys = sorted({f"{month}-01" for month in months}.union(published))
    fingerprint, plans = recipe.fingerprint(), []
    for key in keys:
        made_of = tuple(("table", table, v.of(_months_read(recipe, table, key))) for table, v in versions.items())
        parts: list[object] = [fingerprint, definition, *made_of]
        plans.append(BatchPlan(key, _digest(parts), _digest(parts + judged_with), made_of))
    return plans


def _months_read(recipe: Recipe, table: str, key: str) -> list[str] | None:
    """The months of an input that a batch is made of; None when it is all of it."""
    if not recipe.is_monthly:
        return None
    month = date.fromisoformat(key)
    months = [key[:7]]
    for _ in range(recipe.looks_back.get(table, 0)):
        month = (month - timedelta(days=1)).replace(day=1)
        months.append(month.isoformat()[:7])
    return months


def _judged_with(con: duckdb.DuckDBPyConnection, recipe: Recipe, batches: str) -> list[object]:
    return [(table, ledger.versions_of(con, table, batches).of()) for table in recipe.judged_with]


def _versions(con: duckdb.DuckDBPyConnection, recipe: Recipe, batches: str) -> dict[str, ledger.Versions]:
    versions = {table: ledger.versions_of(con, table, batches) for table in recipe.inputs}
    for table in recipe.uses:
        if versions[table].whole is None:
            raise GroningenError(
                table,
                "was never published, and other tables are made from it",
                "refresh all stores, not only this one; if it was rejected, `groningen quarantine list` says why",
            )
    return versions


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]
