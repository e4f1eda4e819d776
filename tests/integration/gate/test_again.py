"""When a batch is judged again, and when not: redeliveries, changed declarations, changed inputs, healed files."""

import re
from dataclasses import replace
from datetime import date
from functools import partial

import polars as pl
import pytest

from assets import all_recipes
from groningen_data.contracts import all_contracts
from groningen_data.errors import GroningenError
from groningen_data.gate.derive import mart_sql, named_tables
from groningen_data.gate.quarantine import kept_back
from groningen_data.gate.recipe import Feed, MartContext, Recipe
from groningen_data.lakehouse.tables import ensure_table
from tests.integration.gate.house import (
    APRIL,
    MONDAY,
    RECIPE,
    SOURCE,
    TALLIES,
    TUESDAY,
    contract,
    limit,
    outcomes,
    parse,
    with_suite,
)

GOOD = [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
COPIES = "core.waste_copies"


def test_an_unreadable_file_is_recorded_and_a_readable_one_in_its_place_heals_it(house):
    house.deliver("a.json", b"{not json")
    house.deliver("b.json", {TUESDAY: GOOD})
    first = house.refresh()
    assert outcomes(first) == {TUESDAY: "published", "payload a.json": "rejected"}
    assert "is not complete JSON" in first.rejected[0].reason
    assert [b.key for b in house.refresh().standing] == ["payload a.json"]
    house.deliver("a.json", {MONDAY: GOOD})
    healed = house.refresh()
    assert (outcomes(healed), healed.standing) == ({MONDAY: "published"}, ())
    assert kept_back(house.lakehouse) == []
    assert house.refresh().batches == ()


def test_an_unreadable_file_that_comes_back_after_it_was_healed_is_rejected_again(house):
    for content in (b"{", {MONDAY: GOOD}, b"{"):
        house.deliver("a.json", content)
        result = house.refresh()
    assert outcomes(result) == {"payload a.json": "rejected"}
    assert house.published() == dict(GOOD)
    assert [b.key for b in kept_back(house.lakehouse)] == ["payload a.json"]


def test_checks_that_a_pass_did_not_reach_keep_the_verdict_of_the_run_that_did(house):
    recipe = with_suite(limit("few", "SELECT * FROM {batch} WHERE tally > 100"))
    house.deliver("a.json", {MONDAY: GOOD})
    assert {(v.check.name, v.key) for v in house.refresh(recipe).judged} == {("contract", MONDAY), ("few", MONDAY)}
    house.deliver("b.json", {TUESDAY: [("a", -1)]})
    judged = house.refresh(recipe).judged
    assert {(v.check.name, v.key, v.check.passed) for v in judged} == {("few", MONDAY, True), ("contract", TUESDAY, False)}
    again = house.refresh(recipe)
    assert again.batches == ()
    assert {(v.check.name, v.key) for v in again.judged} == {(v.check.name, v.key) for v in judged}


def test_unreadable_files_of_one_name_in_two_folders_stand_apart(house):
    house.deliver("north/a.json", b"{")
    house.deliver("south/a.json", b"[")
    assert outcomes(house.refresh()) == {"payload north/a.json": "rejected", "payload south/a.json": "rejected"}
    assert house.refresh().batches == ()


def test_another_tolerance_judges_a_standing_rejection_again(house):
    house.deliver("a.json", {MONDAY: [("a", 1), ("b", -1)]})
    house.refresh()
    assert outcomes(house.refresh(replace(RECIPE, contract=contract(tolerance=0.5)))) == {MONDAY: "published"}


@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param(replace(RECIPE, contract=contract(tolerance=0.1)), id="contract"),
        pytest.param(replace(RECIPE, feeds=(Feed(SOURCE, parse, version=2),)), id="version of the parser"),
        pytest.param(with_suite(limit("l", "SELECT 1 WHERE false")), id="suite"),
    ],
)
def test_another_declaration_judges_every_batch_again_and_ends_unchanged(house, recipe):
    house.deliver("a.json", {MONDAY: GOOD})
    house.refresh()
    assert outcomes(house.refresh(recipe)) == {MONDAY: "unchanged"}
    assert house.refresh(recipe).batches == ()


def test_another_parser_without_a_new_version_needs_a_replay(house):
    def doubled(payloads, key, context):
        for frame in parse(payloads, key, context):
            yield frame.with_columns(pl.col("tally").cast(pl.Int64) * 2)

    recipe = replace(RECIPE, feeds=(Feed(SOURCE, doubled),))
    house.deliver("a.json", {MONDAY: GOOD})
    house.refresh()
    assert house.refresh(recipe).batches == ()
    assert outcomes(house.refresh(recipe, only=lambda key: key == MONDAY, force=True)) == {MONDAY: "published"}
    assert house.published() == {name: 2 * tally for name, tally in GOOD}


class TestLoadModes:
    def test_a_snapshot_replaces_the_whole_table(self, house):
        recipe = replace(RECIPE, contract=contract(load_mode="snapshot"))
        house.deliver("a.json", {MONDAY: GOOD})
        assert outcomes(house.refresh(recipe)) == {"snapshot": "published"}
        house.deliver("b.json", {TUESDAY: [("a", 5)]})
        assert outcomes(house.refresh(recipe)) == {"snapshot": "published"}
        assert house.published() == {"a": 5}

    def test_a_partition_replaces_its_own_day_only(self, house):
        house.deliver("a.json", {MONDAY: GOOD, TUESDAY: GOOD})
        house.refresh()
        house.deliver("b.json", {TUESDAY: [("z", 1)]})
        assert outcomes(house.refresh()) == {TUESDAY: "published"}
        assert (house.published(MONDAY), house.published(TUESDAY)) == (dict(GOOD), {"z": 1})

    def test_a_merge_replaces_by_key_and_keeps_the_rest(self, house):
        recipe = replace(RECIPE, contract=contract(load_mode="merge"))
        house.deliver("a.json", {MONDAY: GOOD})
        house.refresh(recipe)
        house.deliver("b.json", {MONDAY: [("a", 9), ("e", 5)]})
        assert outcomes(house.refresh(recipe)) == {"snapshot": "published"}
        assert house.published() == {**dict(GOOD), "a": 9, "e": 5}
        house.deliver("c.json", {MONDAY: [("e", 5)]})
        assert outcomes(house.refresh(recipe)) == {"snapshot": "unchanged"}


def copies(**options) -> Recipe:
    """A table by day of the tallies' source that reads the published tallies as well."""

    def parsed(payloads, key, context):
        published = context.published(TALLIES)
        for frame in parse(payloads, key, context):
            yield frame.with_columns(tally=pl.lit(published["tally"].max()))

    return Recipe(contract(name=COPIES), options.pop("suite", ()), (Feed(SOURCE, parsed),), **options)


class TestInputs:
    def test_a_batch_is_judged_again_when_a_table_it_reads_is_published_anew(self, house):
        recipe = copies(uses=(TALLIES,))
        house.deliver("a.json", {MONDAY: GOOD})
        house.refresh()
        house.refresh(recipe)
        assert house.refresh(recipe).batches == ()
        house.deliver("b.json", {TUESDAY: [("a", 2)]})
        house.refresh(only=lambda key: key == TUESDAY)
        assert outcomes(house.refresh(recipe)) == {MONDAY: "unchanged", TUESDAY: "published"}
        assert ("table", TALLIES) in house.ask("SELECT input_kind, input_name FROM lake.ops.lineage WHERE table_name = ?", COPIES)

    def test_a_table_made_from_one_that_was_never_published_says_so(self, house):
        house.deliver("a.json", {MONDAY: GOOD})
        with pytest.raises(GroningenError, match=f"{TALLIES}: was never published"):
            house.refresh(copies(uses=(TALLIES,)))

    def test_a_parser_may_only_read_what_its_recipe_names(self, house):
        house.deliver("a.json", {MONDAY: GOOD})
        house.refresh()
        with pytest.raises(GroningenError, match="without naming it in `uses`"):
            house.refresh(copies())

    def test_a_rejection_is_judged_again_when_a_table_of_its_suite_changes_and_a_published_batch_is_not(self, house):
        known = limit("known", f"SELECT * FROM {{batch}} ANTI JOIN lake.{TALLIES} USING (container_id)")
        recipe = Recipe(contract(name=COPIES), (known,), (Feed(SOURCE, parse),), judged_with=(TALLIES,))
        house.deliver("a.json", {MONDAY: [("a", 1)]})
        house.refresh()
        house.deliver("b.json", {TUESDAY: [("b", 1)]})
        house.fetch()
        assert outcomes(house.refresh(recipe)) == {MONDAY: "published", TUESDAY: "rejected"}
        assert [b.key for b in house.refresh(recipe).standing] == [TUESDAY]
        house.refresh()
        assert outcomes(house.refresh(recipe)) == {TUESDAY: "published"}


def months(context: MartContext):
    """Tallies per month and container, as a derived table."""
    tallies = context.table(TALLIES)
    by_month = tallies.mutate(counted_on=tallies.counted_on.truncate("M").cast("date"))
    return by_month.group_by("counted_on", "container_id").aggregate(tally=by_month.tally.sum().cast("int64"))


def test_a_derived_table_rebuilds_only_the_months_that_changed(house):
    mart = Recipe(contract(name="collective.tallies_month"), (), expression=months, uses=(TALLIES,))
    house.deliver("a.json", {MONDAY: GOOD, TUESDAY: GOOD, APRIL: GOOD})
    house.refresh()
    first = house.refresh(mart)
    assert outcomes(first) == {"2026-03-01": "published", APRIL: "published"}
    assert first.sql is not None and "SUM" in first.sql.upper()
    assert house.refresh(mart).batches == ()
    house.deliver("b.json", {TUESDAY: [("a", 10)]})
    house.refresh()
    assert outcomes(house.refresh(mart)) == {"2026-03-01": "published"}
    assert house.ask(
        "SELECT counted_on::VARCHAR, tally FROM lake.collective.tallies_month WHERE container_id = 'a' ORDER BY 1"
    ) == [
        ("2026-03-01", 11),
        (APRIL, 1),
    ]


def test_a_month_that_its_inputs_no_longer_hold_is_told_instead_of_standing_there_unnoticed(house):
    mart = Recipe(contract(name="collective.tallies_month"), (), expression=months, uses=(TALLIES,))
    tallies = replace(RECIPE, contract=contract(load_mode="snapshot", period_column="counted_on"))
    house.deliver("a.json", {MONDAY: GOOD, APRIL: GOOD})
    house.refresh(tallies)
    house.refresh(mart)
    house.deliver("b.json", {APRIL: GOOD})
    house.refresh(tallies)
    result = house.refresh(mart)
    assert outcomes(result) == {"2026-03-01": "rejected"}
    assert "groningen drop collective.tallies_month" in result.rejected[0].reason


def test_what_counts_on_while_nothing_happens_makes_no_month_anew(house):
    mart = Recipe(contract(name="collective.tallies_month"), (), expression=months, uses=(TALLIES,))
    seen = contract(load_mode="snapshot", period_column="counted_on", running_columns=("tally",))
    tallies = replace(RECIPE, contract=seen)
    house.deliver("a.json", {MONDAY: [("a", 1)], APRIL: [("a", 1)]})
    house.refresh(tallies)
    assert set(outcomes(house.refresh(mart))) == {"2026-03-01", APRIL}
    house.deliver("b.json", {MONDAY: [("a", 2)], APRIL: [("a", 2)]})
    assert outcomes(house.refresh(tallies)) == {"snapshot": "published"}
    assert house.ask(f"SELECT DISTINCT tally FROM lake.{TALLIES}") == [(2,)]
    assert outcomes(house.refresh(mart)) == {}
    house.deliver("c.json", {MONDAY: [("a", 3)], APRIL: [("a", 3), ("b", 3)]})
    house.refresh(tallies)
    assert outcomes(house.refresh(mart)) == {APRIL: "published"}


def test_what_is_made_month_by_month_cannot_read_what_counts_on(house):
    running = {"last_seen_on", "snapshots_seen"}
    with house.lakehouse.writer("look") as con:
        ensure_table(con, all_contracts()["core.waste_reports"])
        for mart, is_monthly in {"collective.container_day": True, "collective.report_handling": False}.items():
            table = named_tables(con, all_recipes()[mart])("core.waste_reports")
            assert (running & set(table.columns) == set()) == is_monthly


def this_month(context: MartContext, days_before: int = 0):
    """Tallies per container of the month being made, and of some days before it."""
    chosen = context.during_month(context.table(TALLIES), "counted_on", days_before)
    return chosen.group_by(counted_on=context.month, container_id=chosen.container_id).aggregate(
        tally=chosen.tally.sum().cast("int64")
    )


def test_a_month_is_made_from_its_own_days_and_the_days_before_it_that_it_asks_for(house):
    house.deliver("a.json", {MONDAY: GOOD, TUESDAY: GOOD, APRIL: GOOD})
    house.refresh()
    own = Recipe(contract(name="collective.tallies_month"), (), expression=this_month, uses=(TALLIES,))
    wider = replace(
        own,
        contract=contract(name="collective.tallies_window"),
        expression=partial(this_month, days_before=31),
        looks_back={TALLIES: 1},
    )
    for mart in (own, wider):
        assert outcomes(house.refresh(mart)) == {"2026-03-01": "published", APRIL: "published"}
    ask = "SELECT tally FROM lake.{} WHERE container_id = 'a' ORDER BY counted_on"
    assert house.ask(ask.format("collective.tallies_month")) == [(2,), (1,)]
    assert house.ask(ask.format("collective.tallies_window")) == [(2,), (3,)]
    house.deliver("b.json", {TUESDAY: [("a", 10)]})
    house.refresh()
    assert outcomes(house.refresh(own)) == {"2026-03-01": "published"}
    assert outcomes(house.refresh(wider)) == {"2026-03-01": "published", APRIL: "published"}


@pytest.mark.parametrize(("days_before", "files"), [(0, 1), (20, 1), (31, 2)])
def test_a_month_reads_only_the_files_of_its_days(house, days_before, files):
    """A lake of ten years has thousands of them."""
    house.deliver("a.json", {MONDAY: GOOD})
    house.refresh()
    house.deliver("b.json", {APRIL: GOOD})
    house.refresh()
    mart = Recipe(
        contract(name="collective.tallies_month"), (), expression=partial(this_month, days_before=days_before), uses=(TALLIES,)
    )
    with house.lakehouse.reader() as con:
        sql = mart_sql(con, mart, house.settings, lambda source: True)
        con.execute(f"SET VARIABLE month = DATE '{APRIL}'")
        plan = con.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}").fetchall()[0][1]
    assert re.findall(r'"Total Files Read": "(\d+)"', plan) == [str(files)]


def test_the_shown_sql_of_a_month_can_be_run_as_it_is(house):
    house.deliver("a.json", {MONDAY: GOOD, APRIL: GOOD})
    house.refresh()
    result = house.refresh(Recipe(contract(name="collective.tallies_month"), (), expression=this_month, uses=(TALLIES,)))
    assert sorted(house.ask(result.sql)) == [(date(2026, 4, 1), name, tally) for name, tally in GOOD]


def test_a_month_of_which_the_inputs_say_nothing_is_passed_over_once(house):
    none_in_march = partial(this_month, days_before=0)

    def only_april(context: MartContext):
        table = none_in_march(context)
        return table.filter(table.counted_on.month() == 4)

    mart = Recipe(contract(name="collective.tallies_month"), (), expression=only_april, uses=(TALLIES,))
    house.deliver("a.json", {MONDAY: GOOD, APRIL: GOOD})
    house.refresh()
    assert outcomes(house.refresh(mart)) == {"2026-03-01": "unchanged", APRIL: "published"}
    assert house.refresh(mart).batches == ()


def test_an_input_that_an_installation_does_not_have_counts_as_a_table_without_rows(house):
    counts = "core.traffic_counts"

    def with_counts(context: MartContext):
        table, other = this_month(context), context.table(counts)
        return table.cross_join(other.aggregate(rows=other.count())).mutate(tally=lambda t: t.tally + t.rows).drop("rows")

    mart = Recipe(contract(name="collective.tallies_month"), (), expression=with_counts, uses=(TALLIES,), uses_if_there=(counts,))
    house.deliver("a.json", {MONDAY: GOOD})
    house.refresh()
    assert outcomes(house.refresh(mart)) == {"2026-03-01": "published"}


def test_a_derived_table_that_reads_what_it_does_not_name_is_refused(house):
    mart = Recipe(contract(name="collective.tallies_month"), (), expression=months)
    house.deliver("a.json", {MONDAY: GOOD})
    house.refresh()
    with pytest.raises(GroningenError, match="without naming it in `uses`"):
        house.refresh(mart)
