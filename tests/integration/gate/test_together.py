"""Batches that share a transaction: each keeps its own verdict, whatever happens to the one after it."""

import contextlib
import itertools
import threading

import duckdb
import polars as pl
import pytest

from groningen_data.contracts.base import column
from groningen_data.gate import gate, publish
from groningen_data.gate.recipe import Feed, Recipe
from groningen_data.gate.suite import Expectation
from tests.integration.gate.house import RECIPE, SOURCE, TALLIES, House, limit, outcomes, parse, with_suite

DAYS = [f"2026-03-{day:02}" for day in range(2, 8)]


def deliver(house: House) -> None:
    house.deliver("a.json", {day: [(f"c{number}", tally) for number in range(4)] for tally, day in enumerate(DAYS)})


def snapshots(house: House) -> list[str]:
    """Messages of the commits that hold batches."""
    return [message for (message,) in house.ask("SELECT commit_message FROM lake.snapshots()") if message and "batch" in message]


def parsed_by(function) -> Recipe:
    return Recipe(RECIPE.contract, (), (Feed(SOURCE, function),))


def test_small_batches_of_payloads_share_a_commit_and_each_has_its_ledger_row(house):
    deliver(house)
    result = house.refresh()
    assert list(outcomes(result)) == DAYS and len(snapshots(house)) == 1
    recorded = house.ask("SELECT batch_key, rows_accepted, finished_at FROM lake.ops.batches ORDER BY finished_at")
    assert [(key, rows) for key, rows, _ in recorded] == [(day, 4) for day in DAYS]
    assert len({finished for *_, finished in recorded}) == len(DAYS)
    assert [line for line in house.told if "published" in line] == [f"{TALLIES} {day}: published, 4 rows" for day in DAYS]


def test_a_suite_sees_the_days_that_wait_for_their_commit(house):
    before = Expectation(
        "day_before_is_there",
        "unexpected_rows_expectation",
        "The day before is there.",
        kwargs={
            "unexpected_rows_query": "SELECT counted_on FROM {batch} WHERE tally > 0 AND counted_on - INTERVAL 1 DAY "
            f"NOT IN (SELECT counted_on FROM lake.{TALLIES})"
        },
    )
    deliver(house)
    assert set(outcomes(house.refresh(with_suite(before))).values()) == {"published"}
    assert len(snapshots(house)) == 1


def test_a_query_that_fails_half_way_rejects_its_own_batch_only(house):
    broken = limit("breaks_on_the_fourth", "SELECT * FROM {batch} WHERE tally = 3 AND error('out') IS NULL")
    deliver(house)
    result = house.refresh(with_suite(broken))
    assert outcomes(result) == {day: "rejected" if day == DAYS[3] else "published" for day in DAYS}
    assert "could not be evaluated" in result.rejected[0].reason
    assert house.ask("SELECT batch_key, outcome FROM lake.ops.batches ORDER BY batch_key") == list(outcomes(result).items())
    assert len(house.ask(f"SELECT DISTINCT counted_on FROM lake.{TALLIES}")) == 5


def test_a_metric_that_fails_half_way_rejects_its_own_batch_only(house):
    def parse_wide(payloads, key, context):
        for frame in parse(payloads, key, context):
            huge = pl.when(pl.col("tally") == "3").then(pl.Series([1.7e308, -1.7e308] * 2)).otherwise(1.0)
            yield frame.with_columns(huge=huge)

    class Wide(RECIPE.contract):
        """Counts with a column whose spread is no number on the fourth day, made up."""

        huge: float = column("Groot", "Huge")

    spread = Expectation("spread", "expect_column_stdev_to_be_between", "It spreads.", kwargs={"column": "huge", "min_value": 0})
    deliver(house)
    result = house.refresh(Recipe(Wide, (spread,), (Feed(SOURCE, parse_wide),)))
    assert outcomes(result) == {day: "rejected" if day == DAYS[3] else "published" for day in DAYS}


class Trouble:
    """Calls a function, but the n-th time something else."""

    def __init__(self, function, n, instead):
        self.function, self.left, self.instead = function, n, instead

    def __call__(self, *arguments, **options):
        self.left -= 1
        return (self.function if self.left else self.instead)(*arguments, **options)


def raising(error, statement=None):
    """Fail with an error, after a statement that ends the transaction."""

    def fail(con, *_, **__):
        if statement:
            with contextlib.suppress(duckdb.Error):
                con.execute(statement)
        raise error

    return fail


@pytest.mark.parametrize("statement", [None, "SELECT error('out')"])
def test_too_little_memory_for_one_batch_leaves_those_before_it_published(house, monkeypatch, statement):
    fail = raising(duckdb.OutOfMemoryException("no memory"), statement)
    deliver(house)
    # The fourth batch, and where batches are gated once more, it again.
    monkeypatch.setattr(gate, "stage", Trouble(Trouble(gate.stage, 7, fail), 4, fail))
    with pytest.raises(duckdb.OutOfMemoryException):
        house.refresh()
    assert house.ask("SELECT batch_key, outcome FROM lake.ops.batches ORDER BY 1") == [(day, "published") for day in DAYS[:3]]
    monkeypatch.undo()
    assert set(outcomes(house.refresh())) == set(DAYS[3:])
    assert house.ask(f"SELECT count(*) FROM lake.{TALLIES}") == [(24,)]


def test_too_little_memory_for_a_query_of_a_suite_is_no_verdict(house, monkeypatch):
    limits = limit("never", "SELECT * FROM {batch} WHERE tally < 0")

    class Short:
        def __init__(self, con):
            self.con = con

        def execute(self, statement, *arguments):
            if "tally < 0" in statement:
                raise duckdb.OutOfMemoryException("no memory")
            return self.con.execute(statement, *arguments)

        def __getattr__(self, name):
            return getattr(self.con, name)

    evaluate = gate.evaluate
    monkeypatch.setattr(gate, "evaluate", lambda con, *rest: evaluate(Short(con), *rest))
    deliver(house)
    with pytest.raises(duckdb.OutOfMemoryException):
        house.refresh(with_suite(limits))
    assert house.ask("SELECT * FROM lake.ops.batches") == []


def test_what_could_not_be_committed_is_in_no_ledger(house, monkeypatch):
    house.deliver("first.json", {"2026-02-01": [("c1", 1)]})
    house.refresh()
    deliver(house)
    record = publish.ledger.record

    def ended(con, batches):
        record(con, batches)
        # As when the catalog is locked by another process, or its server is gone: the transaction is over, and nothing is there.
        con.execute("ROLLBACK")

    monkeypatch.setattr(publish.ledger, "record", ended)
    with pytest.raises(duckdb.Error):
        house.refresh()
    monkeypatch.undo()
    assert house.ask("SELECT batch_key FROM lake.ops.batches") == [("2026-02-01",)]
    assert set(outcomes(house.refresh())) == set(DAYS)
    assert house.ask(f"SELECT count(*) FROM lake.{TALLIES}") == [(25,)]


def test_an_interrupt_between_rows_and_their_ledger_row_leaves_neither(house, monkeypatch):
    keep = publish._keep_quarantine
    monkeypatch.setattr(publish, "_keep_quarantine", Trouble(keep, 3, raising(KeyboardInterrupt())))
    deliver(house)
    with pytest.raises(KeyboardInterrupt):
        house.refresh()
    monkeypatch.undo()
    assert house.ask("SELECT * FROM lake.ops.batches") == house.ask(f"SELECT * FROM lake.{TALLIES}") == []
    assert set(outcomes(house.refresh())) == set(DAYS)
    assert house.ask(f"SELECT count(*) FROM lake.{TALLIES}") == [(24,)]


def test_what_waits_does_not_wait_for_a_slow_batch(house, monkeypatch):
    may_go_on = threading.Event()

    def slow(payloads, key, context):
        if key == DAYS[2]:
            assert may_go_on.wait(60), "the batches before were not committed meanwhile"
        yield from parse(payloads, key, context)

    class Told(list):
        def append(self, line):
            super().append(line)
            if f"{DAYS[1]}: published" in line:
                may_go_on.set()

    monkeypatch.setattr(gate, "_TOGETHER_S", 0.5)
    house.told = Told()
    deliver(house)
    assert set(outcomes(house.refresh(parsed_by(slow))).values()) == {"published"}
    assert len(snapshots(house)) > 1


def test_the_machines_trouble_with_one_batch_leaves_those_before_it_published(house):
    def failing(payloads, key, context):
        if key == DAYS[3]:
            raise OSError("the disk is gone")
        yield from parse(payloads, key, context)

    deliver(house)
    with pytest.raises(OSError, match="the disk is gone"):
        house.refresh(parsed_by(failing))
    assert house.ask("SELECT batch_key FROM lake.ops.batches ORDER BY 1") == [(day,) for day in DAYS[:3]]
    assert set(outcomes(house.refresh(parsed_by(parse)))) == set(DAYS[3:])


def test_a_pass_that_ends_early_does_not_wait_for_the_rows_judged_ahead(house):
    def endless(payloads, key, context):
        frames = list(parse(payloads, key, context))
        if key == DAYS[1]:
            yield from itertools.cycle(frames)
        yield from frames

    def failing(facts):
        raise OSError("the disk is gone")

    deliver(house)
    recipe = parsed_by(endless)
    suite = (Expectation("fails", "expect_column_to_exist", "It fails.", kwargs=failing),)
    with pytest.raises(OSError, match="the disk is gone"):
        house.refresh(Recipe(recipe.contract, suite, recipe.feeds))


def test_rows_of_the_next_batch_are_judged_while_one_is_audited(house):
    has_begun = {day: threading.Event() for day in DAYS}

    def noting(payloads, key, context):
        has_begun[key].set()
        yield from parse(payloads, key, context)

    def audited(facts) -> None:
        following = DAYS[DAYS.index(facts.key) + 1 :][:1]
        assert all(has_begun[day].wait(30) for day in following), f"the rows after {facts.key} wait for its audit"

    deliver(house)
    recipe = parsed_by(noting)
    suite = (Expectation("looks", "expect_column_to_exist", "It looks.", kwargs=audited),)
    assert set(outcomes(house.refresh(Recipe(recipe.contract, suite, recipe.feeds))).values()) == {"published"}
