"""Planning: which batches of a table are due, by comparing what they would be made of with what the ledger says."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from groningen_data.contracts.base import sql_types
from groningen_data.errors import ContractError, GroningenError
from groningen_data.gate.recipe import Feed, MartContext, Recipe
from groningen_data.lakehouse import ledger
from groningen_data.landing import Arrival, Landing, Payload, last_at_each_place
from groningen_data.settings import Settings

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


def plan_payload_batches(con: duckdb.DuckDBPyConnection, recipe: Recipe, landing: Landing) -> list[BatchPlan]:
    """Batches of a table made from landed payloads, in order of key.

    Raises:
        GroningenError: A table it reads was never published, or two feeds deliver the same batch.
    """
    versions, judged_with = _versions(con, recipe.uses), _judged_with(con, recipe)
    plans: list[BatchPlan] = []
    for feed in recipe.feeds:
        payloads = landing.payloads(feed.source.name)
        for place, payload in last_at_each_place(payloads).items():
            if payload.problem:
                identity = _digest([recipe.fingerprint(), payload.sha256])
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
            parts: list[object] = [recipe.fingerprint(), feed.version, *(payload.sha256 for _, payload in arrived), *versions]
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


def mart_sql(con: duckdb.DuckDBPyConnection, recipe: Recipe, settings: Settings, covers: Any) -> str:
    """The SQL that a derived table's Ibis expression compiles to.

    Raises:
        GroningenError: A table it reads was never published.
    """
    import ibis

    _versions(con, recipe.uses)
    backend = ibis.duckdb.from_connection(con)

    def table(name: str) -> Any:
        if name not in recipe.uses:
            raise GroningenError(recipe.facts.name, f"reads {name} without naming it in `uses`", "add it to the recipe's uses")
        schema, short = name.split(".", 1)
        return backend.table(short, database=("lake", schema))

    assert recipe.expression is not None
    return str(ibis.to_sql(recipe.expression(MartContext(table, settings, covers)), dialect="duckdb"))


def plan_derived_batches(con: duckdb.DuckDBPyConnection, recipe: Recipe, sql: str) -> list[BatchPlan]:
    """Batches of a derived table: one, or one per value of its partition columns; each knows the inputs that concern it."""
    facts = recipe.facts
    keys = [SNAPSHOT]
    if facts.load_mode == "partition":
        types = sql_types(recipe.contract)
        columns = ", ".join(f'CAST(CAST("{c}" AS {types[c]}) AS VARCHAR)' for c in facts.partition_columns)
        # What is published and has no rows any more is planned as well: it must not stay there unnoticed.
        both = f"SELECT concat_ws('/', {columns}) FROM ({sql}) UNION SELECT concat_ws('/', {columns}) FROM lake.{facts.name}"
        rows = con.execute(f"{both} ORDER BY 1").fetchall()
        keys = [r[0] for r in rows]
    plans = []
    for key in keys:
        month = key[:7] if is_day(key[:10]) else None
        versions = _versions(con, recipe.uses, month)
        parts: list[object] = [recipe.fingerprint(), sql, *versions]
        plans.append(BatchPlan(key, _digest(parts), _digest(parts + _judged_with(con, recipe)), versions))
    return plans


def _judged_with(con: duckdb.DuckDBPyConnection, recipe: Recipe) -> list[object]:
    return [(table, ledger.version_of(con, table)) for table in recipe.judged_with]


def _versions(
    con: duckdb.DuckDBPyConnection, tables: Sequence[str], month: str | None = None
) -> tuple[tuple[str, str, str], ...]:
    for table in tables:
        if ledger.version_of(con, table) == "-":
            raise GroningenError(
                table,
                "was never published, and other tables are made from it",
                "see why it was rejected: `groningen quarantine list`",
            )
    return tuple(("table", t, ledger.version_of(con, t, month)) for t in tables)


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]
