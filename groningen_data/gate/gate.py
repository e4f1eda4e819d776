"""The gate itself: every due batch of one table is judged, staged, audited, and published or rejected, each by itself."""

import contextlib
import shutil
import tempfile
import threading
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from itertools import takewhile
from pathlib import Path
from time import monotonic
from typing import Any, cast

import duckdb
import polars as pl

from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import facts_of
from groningen_data.errors import GroningenError, PayloadError
from groningen_data.gate.derive import PASSING, analysed, definition_of, kind_of, mart_sql, require_named
from groningen_data.gate.great_expectations import evaluate
from groningen_data.gate.past import Memory
from groningen_data.gate.plan import BatchPlan, plan_derived_batches, plan_payload_batches
from groningen_data.gate.publish import Publisher, is_unchanged
from groningen_data.gate.recipe import MONTH_VARIABLE, BuildContext, Recipe
from groningen_data.gate.stage import BATCH, Judged, Staged, judge_rows, partition_filter, stage, unstage
from groningen_data.gate.suite import BatchFacts, Past
from groningen_data.lakehouse import Lakehouse, ledger
from groningen_data.lakehouse.connection import is_usable, reading
from groningen_data.lakehouse.ledger import BatchRecord, CheckResult
from groningen_data.lakehouse.tables import ensure_table
from groningen_data.landing import Landing
from groningen_data.settings import Settings

Published = Callable[[str], pl.DataFrame]
CONTRACT_CHECK = "contract"
_EARLIER_BATCHES = 28
_TOGETHER_S = 5.0
"""For how long small batches gather in one transaction; what a kill can undo, and the next run gates again."""


@dataclass(frozen=True)
class TableResult:
    """What one pass of the gate did to one table.

    Args:
        table: Table name.
        batches: Verdicts of this pass, in order of key.
        judged: For every check the verdicts of the last run that judged it: this pass, or an earlier one.
        standing: Batches rejected earlier and not delivered anew since: still missing.
        rows: Rows published in the table now.
        seconds: How long it took.
        sql: For derived tables: the compiled SQL.
    """

    table: str
    batches: tuple[BatchRecord, ...]
    judged: tuple[ledger.Judged, ...]
    standing: tuple[ledger.LatestBatch, ...]
    rows: int
    seconds: float
    sql: str | None = None

    def having(self, outcome: ledger.Outcome) -> tuple[BatchRecord, ...]:
        return tuple(b for b in self.batches if b.outcome == outcome)

    @property
    def published(self) -> tuple[BatchRecord, ...]:
        return self.having("published")

    @property
    def rejected(self) -> tuple[BatchRecord, ...]:
        return self.having("rejected")

    @property
    def warnings(self) -> tuple[tuple[str, CheckResult], ...]:
        """Failed warnings of published batches: batch key and check."""
        return tuple((b.key, c) for b in self.published for c in b.checks if not c.passed)

    @property
    def nothing_usable(self) -> bool:
        """Whether batches were judged in this pass, and every one of them was rejected."""
        return bool(self.rejected) and not self.published and not self.having("unchanged")


@dataclass(frozen=True)
class _Pass:
    """What the batches of one pass over a table share; it holds while the writer's lock is held.

    Args:
        sql: For derived tables: the compiled SQL.
        rows_of: Accepted rows per batch key, as last published.
        published: Reads a published table.
        memory: What suites asked of earlier days.
    """

    sql: str | None
    rows_of: dict[str, int]
    published: Published
    memory: Memory


@dataclass(frozen=True)
class _Judged:
    """One batch whose rows were judged, or could not be.

    Args:
        plan: What it is made of.
        folder: Where its rows are.
        notes: What its parser or analysis wants kept with it.
        rows: Its rows; None with `error`.
        error: Why there are none.
        started_at: When judging began.
    """

    plan: BatchPlan
    folder: Path
    notes: Mapping[str, Any]
    rows: Judged | None
    error: PayloadError | None
    started_at: datetime


@dataclass
class Gate:
    """Stages, audits and publishes.

    Args:
        lakehouse: Where to publish.
        run_id: Recorded with everything.
        tell: Hears what is going on, one short line at a time.
        covers: Whether a source (by name) says anything about the municipality.
    """

    lakehouse: Lakehouse
    run_id: str
    tell: Callable[[str], None] = field(default=lambda line: None)
    covers: Callable[[str], bool] = field(default=lambda source: True)

    @property
    def settings(self) -> Settings:
        return self.lakehouse.settings

    def refresh(
        self, recipe: Recipe, landing: Landing, only: Callable[[str], bool] | None = None, force: bool = False
    ) -> TableResult:
        """Gate every due batch of a table.

        Args:
            recipe: The table.
            landing: Where its payloads are.
            only: Which batch keys to look at; all by default.
            force: Gate them even when the ledger says nothing changed.

        Raises:
            GroningenError: An input table was never published, the contract cannot be migrated, or the lock is held.
            OSError: A payload cannot be read now, or the disk is full; trying again may help.
        """
        started, table = monotonic(), recipe.facts.name
        with self.lakehouse.writer(f"refresh {table}, run {self.run_id}", self.tell) as con:
            # What an installation has nothing of is a table without rows, to its parser, its expression and its suite alike.
            contracts = all_contracts()
            others = [c for name, c in contracts.items() if table in contracts or name in recipe.comes_after]
            if ensure_table(con, recipe.contract, others):
                self.tell(f"{table}: table fitted to its contract")
            with reading(con), ledger.at_hand(con, (table, *recipe.comes_after)) as batches:
                sql = mart_sql(con, recipe, self.settings, self.covers) if recipe.expression else None
                known, rows_of = ledger.latest(con, table, batches), ledger.published_rows(con, table, batches)
                since = ledger.last_run_since(con, table, batches)
                if recipe.is_derived:
                    plans = plan_derived_batches(con, recipe, definition_of(recipe, self.settings, sql), rows_of, batches)
                else:
                    plans = plan_payload_batches(con, recipe, landing, batches)
            self._settle(con, recipe, known, {plan.key for plan in plans})
            plans = [plan for plan in plans if only is None or only(plan.key)]
            due, standing = _due(plans, known, force)
            with contextlib.closing(con.cursor()) as reader:
                current = _Pass(sql, rows_of, _published(reader, recipe), Memory())
                verdicts = self._gate_all(con, recipe, due, known, current)
            with reading(con):
                judged = _last_judged(con, recipe, verdicts, since)
                rows = con.execute(f"SELECT count(*) FROM lake.{table}").fetchone()
        shown = f"{_set_month(plans[-1].key)};\n{sql}" if sql and recipe.is_monthly and plans else sql
        return TableResult(table, verdicts, judged, standing, rows[0] if rows else 0, monotonic() - started, shown)

    def _settle(
        self, con: duckdb.DuckDBPyConnection, recipe: Recipe, known: Mapping[str, ledger.LatestBatch], planned: set[str]
    ) -> None:
        """Close the rejections that nobody will judge again, such as an unreadable file that was delivered anew."""
        for earlier in known.values():
            if earlier.outcome == "rejected" and earlier.key not in planned:
                closing = self._record(recipe, earlier.key, "unchanged", reason="settled: delivered anew, or no longer wanted")
                told = f"{recipe.facts.name} {earlier.key}: settled"
                Publisher(con, recipe.contract, 0, self.tell).publish(closing, told, earlier)

    def _record(self, recipe: Recipe, key: str, outcome: ledger.Outcome, **facts: Any) -> BatchRecord:
        now = datetime.now(UTC)
        empty: dict[str, Any] = {"identity": "", "rows_in": 0, "accepted": 0, "quarantined": 0, "collapsed": 0, "started_at": now}
        return BatchRecord(
            batch_id=f"{now:%Y%m%dT%H%M%S.%f}-{uuid.uuid4().hex[:6]}",
            table=recipe.facts.name,
            key=key,
            outcome=outcome,
            finished_at=now,
            run_id=self.run_id,
            **(empty | facts),
        )

    def _gate_all(
        self,
        con: duckdb.DuckDBPyConnection,
        recipe: Recipe,
        due: Sequence[BatchPlan],
        known: Mapping[str, ledger.LatestBatch],
        current: "_Pass",
    ) -> tuple[BatchRecord, ...]:
        """Gate batches in order of key.

        A batch of payloads shares its transaction with others that are gated within a few seconds. What is derived may depend on the
        batch before it, and is committed one by one.
        """
        verdicts: dict[str, BatchRecord] = {}
        publisher = Publisher(con, recipe.contract, 0 if recipe.is_derived else _TOGETHER_S, self.tell)
        left = list(due)
        while left:
            with contextlib.closing(self._judged_ahead(con, recipe, left, current, publisher)) as judged:
                try:
                    for batch in judged:
                        verdict = self._gate(con, recipe, batch, current, publisher, known.get(batch.plan.key))
                        verdicts[verdict.key] = verdict
                        if verdict.outcome == "published":
                            current.rows_of[verdict.key] = verdict.accepted
                    publisher.commit()
                    left = []
                except BaseException as error:
                    first_lost = publisher.settle()
                    # DuckDB tells an interrupt as a RuntimeError.
                    if first_lost is None or not isinstance(error, Exception) or isinstance(error, RuntimeError):
                        raise
                    # Once more, each in a transaction of its own: then an error takes no batch with it that came before.
                    publisher.together_s = 0
                    left = [plan for plan in left if plan.key >= first_lost]
                    current.rows_of.clear()
                    current.rows_of.update(ledger.published_rows(con, recipe.facts.name))
                    current = replace(current, memory=Memory())
        unstage(con)
        return tuple(verdicts.values())

    def _judged_ahead(
        self,
        con: duckdb.DuckDBPyConnection,
        recipe: Recipe,
        due: Sequence[BatchPlan],
        current: "_Pass",
        publisher: Publisher,
    ) -> Generator[_Judged, None, None]:
        """Batches with their rows judged; those of the next one are while this one is audited, unless they depend on it."""
        is_over = threading.Event()

        def begin(number: int) -> "Future[_Judged]":
            # A connection of its own: frames are produced in another thread, while `con` is at work.
            return pool.submit(self._judge, con.cursor(), recipe, due[number], current, Path(folder) / str(number), is_over)

        with (
            tempfile.TemporaryDirectory(prefix="scratch-rows-", dir=self.settings.scratch_dir) as folder,
            ThreadPoolExecutor(1, "rows") as pool,
        ):
            coming = begin(0)
            try:
                for number in range(len(due)):
                    if not wait([coming], publisher.left_s).done:
                        publisher.commit()
                    batch = coming.result()
                    is_last = number + 1 == len(due)
                    if not (recipe.is_derived or is_last):
                        coming = begin(number + 1)
                    yield batch
                    shutil.rmtree(batch.folder)
                    if recipe.is_derived and not is_last:
                        coming = begin(number + 1)
            finally:
                is_over.set()

    def _judge(
        self,
        reader: duckdb.DuckDBPyConnection,
        recipe: Recipe,
        plan: BatchPlan,
        current: "_Pass",
        folder: Path,
        is_over: threading.Event,
    ) -> _Judged:
        """Judge the rows of one batch."""
        started_at = datetime.now(UTC)
        folder.mkdir()
        context = BuildContext(self.settings, current.published)
        with contextlib.closing(reader):
            frames = self._frames(reader, recipe, plan, context, current.sql)
            wanted = takewhile(lambda _: not is_over.is_set(), frames)
            try:
                rows = judge_rows(recipe.contract, wanted, self.settings.slice_rows, folder)
            except PayloadError as error:
                return _Judged(plan, folder, context.notes, None, error, started_at)
            return _Judged(plan, folder, context.notes, rows, None, started_at)

    def _gate(
        self,
        con: duckdb.DuckDBPyConnection,
        recipe: Recipe,
        batch: _Judged,
        current: "_Pass",
        publisher: Publisher,
        earlier: ledger.LatestBatch | None,
    ) -> BatchRecord:
        """Stage, audit, and publish or reject one batch."""
        plan = batch.plan
        if publisher.left_s == 0 or (batch.rows and batch.rows.rows_in > self.settings.slice_rows):
            # What waits must not wait for a long audit as well.
            publisher.commit()
        verdict = self._record(
            recipe,
            plan.key,
            "rejected",
            identity=plan.identity_if_rejected,
            started_at=batch.started_at,
            payloads=[p.sha256 for p in plan.payloads],
            lineage=plan.lineage,
            notes=batch.notes,
        )
        if batch.rows is None:
            error = cast(PayloadError, batch.error)
            is_named = plan.unreadable is not None or error.dataset == recipe.facts.name
            problem = error.problem if is_named else f"{error.dataset} {error.problem}"
            verdict = replace(
                verdict,
                reason=f"{problem} → {error.way_out}",
                checks=[CheckResult(CONTRACT_CHECK, "error", False, _contract_sentence(recipe), problem)],
                finished_at=datetime.now(UTC),
            )
            publisher.reject(verdict, f"{verdict.table} {plan.key}: rejected, {verdict.reason}", earlier, staged=False)
            return verdict
        staged = stage(con, recipe.contract, plan.key, batch.rows)
        if recipe.is_monthly and not staged.rows_in and plan.key not in current.rows_of:
            nothing = replace(verdict, outcome="unchanged", identity=plan.identity, reason="its inputs say nothing of this month")
            publisher.publish(nothing, f"{verdict.table} {plan.key}: nothing of this month", earlier)
            return nothing
        checks = [_judge_contract(recipe, staged), *self._audit(con, recipe, plan, staged, current, publisher)]
        if not is_usable(con):  # An expectation's own metric failed, or the last query: not told by `evaluate`.
            publisher.restart()
        failed = [c for c in checks if not c.passed and c.severity == "error"]
        verdict = replace(
            verdict,
            outcome="rejected" if failed else "published",
            identity=plan.identity_if_rejected if failed else plan.identity,
            rows_in=staged.rows_in,
            accepted=staged.accepted,
            quarantined=staged.quarantined,
            collapsed=staged.collapsed,
            reason="; ".join(f"{c.name}: {c.observed}" for c in failed),
            checks=checks,
            finished_at=datetime.now(UTC),
        )
        if failed:
            publisher.reject(verdict, f"{verdict.table} {plan.key}: rejected, {verdict.reason}", earlier, staged=True)
            return verdict
        if plan.key in current.rows_of and is_unchanged(con, recipe.contract, plan.key):
            verdict = replace(verdict, outcome="unchanged")
        publisher.publish(verdict, f"{verdict.table} {plan.key}: {verdict.outcome}, {verdict.accepted:,} rows", earlier)
        return verdict

    def _frames(
        self, reader: duckdb.DuckDBPyConnection, recipe: Recipe, plan: BatchPlan, context: BuildContext, sql: str | None
    ) -> Iterator[pl.DataFrame]:
        if plan.unreadable is not None:
            raise PayloadError(plan.unreadable.name, plan.unreadable.problem or "", plan.unreadable.way_out or "")
        if plan.feed is not None:
            try:
                yield from plan.feed.parse(plan.payloads, plan.key, context)
            except (GroningenError, *PASSING):
                raise
            except Exception as error:
                # One odd payload must not keep the other batches out.
                names = ", ".join(p.name for p in plan.payloads[-3:])
                raise PayloadError(
                    names, f"cannot be parsed ({kind_of(error)})", "look at the payload in the landing, and mend the parser"
                ) from error
            return
        if recipe.is_monthly:
            reader.execute(_set_month(plan.key))
        condition = partition_filter(recipe.contract, plan.key)
        if recipe.analysis:
            for frame in analysed(reader, recipe, self.settings, self.covers, context.notes):
                yield reader.from_arrow(frame.to_arrow()).filter(condition).pl()
            return
        for batch in reader.execute(f"SELECT * FROM ({sql}) WHERE {condition}").to_arrow_reader(self.settings.slice_rows):
            yield pl.DataFrame(batch)

    def _audit(
        self,
        con: duckdb.DuckDBPyConnection,
        recipe: Recipe,
        plan: BatchPlan,
        staged: Staged,
        current: "_Pass",
        publisher: Publisher,
    ) -> Sequence[CheckResult]:
        """Evaluate the suite over the staged batch."""
        if not recipe.suite or not staged.accepted:
            return []
        facts = BatchFacts(
            key=plan.key,
            day=date.fromisoformat(plan.day) if plan.day else None,
            rows=staged.accepted,
            earlier_rows=_earlier_rows(current.rows_of, plan.key),
            now=self.settings.now(),
            municipality_code=self.settings.municipality_code,
        )

        def arguments_with(measured: Callable[[Past], str]) -> list[Mapping[str, Any] | None]:
            told = replace(facts, measured=measured)
            return [expectation.arguments(told) for expectation in recipe.suite]

        with publisher.reading():
            arguments = arguments_with(current.memory.measured(con, arguments_with))
        judgeable = [(e.type, a) for e, a in zip(recipe.suite, arguments, strict=True) if a is not None]
        with publisher.reading():
            judged = evaluate(con, BATCH, judgeable, publisher.restart)
        verdicts = iter(judged)
        results = []
        for expectation, argument in zip(recipe.suite, arguments, strict=True):
            if argument is None:
                observed = "cannot be judged yet: too few earlier batches"
                results.append(CheckResult(expectation.name, expectation.severity, True, expectation.sentence, observed))
                continue
            verdict = next(verdicts)
            results.append(
                CheckResult(
                    name=expectation.name,
                    # What could not be evaluated proves nothing: it counts as an error whatever its severity.
                    severity="error" if verdict.error else expectation.severity,
                    passed=verdict.passed,
                    sentence=expectation.sentence,
                    observed=f"{verdict.observed}: {verdict.error}" if verdict.error else verdict.observed,
                    value=verdict.value,
                )
            )
        return results


def _due(
    plans: Sequence[BatchPlan], known: Mapping[str, ledger.LatestBatch], force: bool
) -> tuple[list[BatchPlan], tuple[ledger.LatestBatch, ...]]:
    """Which batches must be gated, and which are rejected and need not be, because nothing changed since."""
    settled = [known[plan.key] for plan in plans if not force and plan.key in known and _still_counts(known[plan.key], plan)]
    keys = {batch.key for batch in settled}
    return [plan for plan in plans if plan.key not in keys], tuple(batch for batch in settled if batch.outcome == "rejected")


def _last_judged(
    con: duckdb.DuckDBPyConnection, recipe: Recipe, verdicts: Sequence[BatchRecord], since: datetime | None
) -> tuple[ledger.Judged, ...]:
    """For every check the verdicts of this pass, or, where it judged none, of the last run that did, as the ledger has them.

    Most often that is the last run of all (`since`, None when there was none): then no older verdict is read.
    """
    now = [ledger.Judged(batch.key, batch.outcome, check) for batch in verdicts for check in batch.checks]
    of_now = {judged.check.name for judged in now}
    missing = {CONTRACT_CHECK, *(expectation.name for expectation in recipe.suite)} - of_now
    if since is None or not missing:
        return tuple(now)
    earlier = ledger.last_judged(con, recipe.facts.name, since)
    if not missing <= {judged.check.name for judged in earlier}:
        earlier = ledger.last_judged(con, recipe.facts.name)
    return (*(judged for judged in earlier if judged.check.name not in of_now), *now)


def _published(reader: duckdb.DuckDBPyConnection, recipe: Recipe) -> Published:
    """Reads published tables, each once: they stay as they are while a writer holds the lock."""

    @cache
    def published(name: str) -> pl.DataFrame:
        require_named(recipe, name)
        return reader.execute(f"SELECT * FROM lake.{name}").pl()

    return published


def _earlier_rows(rows_of: Mapping[str, int], key: str) -> tuple[int, ...]:
    """Rows of the latest published batches with a smaller key of the same kind (`…/loops`), newest key first."""
    kind = key.partition("/")[2]
    earlier = sorted((k for k in rows_of if k < key and k.partition("/")[2] == kind), reverse=True)
    return tuple(rows_of[k] for k in earlier[:_EARLIER_BATCHES])


def _set_month(key: str) -> str:
    return f"SET VARIABLE {MONTH_VARIABLE} = DATE '{key}'"


def _still_counts(earlier: ledger.LatestBatch, plan: BatchPlan) -> bool:
    return earlier.identity == (plan.identity_if_rejected if earlier.outcome == "rejected" else plan.identity)


def _judge_contract(recipe: Recipe, staged: Staged) -> CheckResult:
    """The contract's own check: is the share of quarantined rows within tolerance, and is anything left?"""
    tolerance = recipe.facts.tolerance
    is_empty = recipe.may_be_empty and recipe.is_derived and not staged.rows_in
    if is_empty:
        observed = "there are no rows, which this table allows for"
    elif not staged.rows_in and recipe.is_derived:
        observed = f"its inputs give no rows any more; `groningen drop {recipe.facts.name}` and a refresh make the table anew"
    elif not staged.rows_in:
        observed = "no rows were delivered; no rows is never data"
    elif not staged.accepted:
        observed = f"none of {staged.rows_in:,} rows meets the contract"
    else:
        observed = f"{staged.quarantined:,} of {staged.rows_in:,} rows quarantined"
    if staged.quarantined:
        rules = ", ".join(f"{rule} {count:,}×" for rule, count in list(staged.broken_rules.items())[:5])
        observed += f" ({staged.quarantined_share:.1%}, at most {tolerance:.1%} is tolerated): {rules}"
        if any(staged.examples):
            observed += f"; for example {'; '.join(staged.examples)}"
    return CheckResult(
        name=CONTRACT_CHECK,
        severity="error",
        passed=is_empty or (staged.accepted > 0 and staged.quarantined_share <= tolerance),
        sentence=_contract_sentence(recipe),
        observed=observed,
        value=staged.quarantined_share,
    )


def _contract_sentence(recipe: Recipe) -> str:
    facts = facts_of(recipe.contract)
    return f"Every row keeps what the table promises; at most {facts.tolerance:.1%} may be set aside in quarantine."
