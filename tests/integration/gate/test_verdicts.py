"""One batch at a time: published, rejected or unchanged, and what stays behind of each verdict."""

import json
from dataclasses import replace

import pytest

from groningen_data.errors import ContractError
from groningen_data.gate.quarantine import kept_back
from groningen_data.gate.recipe import Feed
from tests.integration.gate.house import MONDAY, RECIPE, TALLIES, TUESDAY, contract, outcomes, parse, with_suite

GOOD = [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
ONE_BAD = [("a", 1), ("b", 2), ("c", 3), ("d", -4)]
TWO_BAD = [("a", 1), ("b", 2), ("c", -3), ("d", "many")]


def test_a_good_day_is_published_and_the_next_run_has_nothing_to_do(house):
    house.deliver("a.json", {MONDAY: GOOD})
    first = house.refresh()
    assert outcomes(first) == {MONDAY: "published"}
    assert (first.rows, first.nothing_usable, first.standing, first.warnings) == (4, False, (), ())
    second = house.refresh()
    assert (second.batches, second.standing, second.rows) == ((), (), 4)


def test_the_same_rows_delivered_anew_are_unchanged_and_touch_no_published_row(house):
    house.deliver("a.json", {MONDAY: GOOD})
    house.refresh()
    files = house.ask("SELECT data_file FROM ducklake_list_files('lake', 'waste_tallies', schema => 'core')")
    house.deliver("a.json", {MONDAY: GOOD[::-1]})
    assert outcomes(house.refresh()) == {MONDAY: "unchanged"}
    assert house.ask("SELECT data_file FROM ducklake_list_files('lake', 'waste_tallies', schema => 'core')") == files


def test_a_share_of_bad_rows_at_the_tolerance_is_published_without_them(house):
    house.deliver("a.json", {MONDAY: ONE_BAD})
    result = house.refresh()
    assert outcomes(result) == {MONDAY: "published"}
    assert house.published() == {"a": 1, "b": 2, "c": 3}
    assert (result.batches[0].rows_in, result.batches[0].accepted, result.batches[0].quarantined) == (4, 3, 1)
    assert house.ask("SELECT row_number, rules, row_key FROM lake.quarantine.rows") == [
        (4, ["tally.greater_than_or_equal_to"], f"counted_on={MONDAY}, container_id=d")
    ]


def test_a_share_of_bad_rows_above_the_tolerance_rejects_the_day(house):
    house.deliver("a.json", {MONDAY: TWO_BAD})
    result = house.refresh()
    assert outcomes(result) == {MONDAY: "rejected"}
    assert (result.nothing_usable, house.published()) == (True, {})
    reason = result.rejected[0].reason
    assert "2 of 4 rows quarantined (50.0%, at most 25.0% is tolerated)" in reason
    assert "tally.greater_than_or_equal_to 1×, tally.type 1×" in reason
    assert f"for example counted_on={MONDAY}, container_id=c" in reason


def test_a_day_without_rows_is_refused(house):
    house.deliver("a.json", {MONDAY: []})
    assert "no rows is never data" in house.refresh().rejected[0].reason


def test_a_day_of_which_no_row_is_good_is_refused_whatever_the_tolerance(house):
    house.deliver("a.json", {MONDAY: [("a", -1)]})
    generous = replace(RECIPE, contract=contract(tolerance=1.0))
    assert "none of 1 rows meets the contract" in house.refresh(generous).rejected[0].reason


def test_the_last_good_version_stays_until_the_day_is_delivered_in_order(house):
    house.deliver("a.json", {MONDAY: GOOD})
    house.refresh()
    house.deliver("a.json", {MONDAY: TWO_BAD})
    assert outcomes(house.refresh()) == {MONDAY: "rejected"}
    assert house.published() == dict(GOOD)
    assert [b.key for b in house.refresh().standing] == [MONDAY]
    house.deliver("a.json", {MONDAY: [("a", 9)]})
    corrected = house.refresh()
    assert (outcomes(corrected), corrected.standing) == ({MONDAY: "published"}, ())
    assert house.published() == {"a": 9}


def test_what_was_delivered_last_counts_even_when_it_was_delivered_before(house):
    first, second = {MONDAY: [("a", 1)]}, {MONDAY: [("a", 2)]}
    for content, expected in ((first, 1), (second, 2), (first, 1), (second, 2)):
        house.deliver("a.json", content)
        assert outcomes(house.refresh()) == {MONDAY: "published"}
        assert house.published() == {"a": expected}
        assert house.refresh().batches == ()


def test_a_good_version_that_returns_after_a_bad_one_settles_the_rejection(house):
    house.deliver("a.json", {MONDAY: GOOD})
    house.refresh()
    house.deliver("a.json", {MONDAY: TWO_BAD})
    house.refresh()
    house.deliver("a.json", {MONDAY: GOOD})
    returned = house.refresh()
    assert (outcomes(returned), returned.standing, house.published()) == ({MONDAY: "unchanged"}, (), dict(GOOD))
    assert house.ask("SELECT count(*) FROM lake.quarantine.rows") == [(0,)]


def test_quarantined_and_staged_rows_belong_to_the_latest_verdict_and_go_when_the_day_is_clean(house):
    def kept(layer, key):
        return house.ask(f"SELECT count(*) FROM lake.{layer} WHERE {key} = ?", MONDAY)[0][0]

    house.deliver("a.json", {MONDAY: TWO_BAD})
    house.refresh()
    assert (kept("quarantine.rows", "batch_key"), kept("staging.waste_tallies", "_batch_key")) == (2, 2)
    house.deliver("a.json", {MONDAY: [*TWO_BAD, ("e", -1), ("f", 6), ("g", 7), ("h", -8)]})
    house.refresh()
    assert (kept("quarantine.rows", "batch_key"), kept("staging.waste_tallies", "_batch_key")) == (4, 4)
    house.deliver("a.json", {MONDAY: GOOD})
    house.refresh()
    assert (kept("quarantine.rows", "batch_key"), kept("staging.waste_tallies", "_batch_key")) == (0, 0)
    assert kept_back(house.lakehouse) == []


def test_of_several_days_the_good_ones_are_published_and_the_bad_one_stands_in_the_next_run(house):
    days = [f"2026-03-{day:02}" for day in range(2, 7)]
    house.deliver("week.json", {day: TWO_BAD if day == days[2] else GOOD for day in days})
    first = house.refresh()
    assert outcomes(first) == {day: "rejected" if day == days[2] else "published" for day in days}
    assert not first.nothing_usable
    second = house.refresh()
    assert (second.batches, [b.key for b in second.standing]) == ((), [days[2]])
    assert house.ask("SELECT count(*), count(DISTINCT batch_key) FROM lake.ops.batches") == [(5, 5)]


def test_a_rejected_day_of_one_file_does_not_undo_another_file(house):
    house.deliver("monday.json", {MONDAY: GOOD})
    house.deliver("tuesday.json", {TUESDAY: TWO_BAD})
    assert outcomes(house.refresh()) == {MONDAY: "published", TUESDAY: "rejected"}
    assert house.published() == dict(GOOD)


def test_only_the_asked_days_are_judged_and_force_judges_them_again(house):
    house.deliver("a.json", {MONDAY: GOOD, TUESDAY: GOOD})
    assert outcomes(house.refresh(only=lambda key: key == TUESDAY)) == {TUESDAY: "published"}
    assert outcomes(house.refresh(only=lambda key: key == TUESDAY, force=True)) == {TUESDAY: "unchanged"}
    assert outcomes(house.refresh()) == {MONDAY: "published"}


def test_a_parser_that_breaks_rejects_only_its_batch_and_quotes_no_row(house):
    def broken(payloads, key, context):
        yield from parse(payloads, key, context)
        if key == TUESDAY:
            raise ValueError("Jansen, Grote Markt 1")

    house.deliver("a.json", {MONDAY: GOOD, TUESDAY: GOOD})
    result = house.refresh(replace(RECIPE, feeds=(Feed(RECIPE.feeds[0].source, broken),)))
    assert outcomes(result) == {MONDAY: "published", TUESDAY: "rejected"}
    assert result.rejected[0].reason.startswith("a.json cannot be parsed (ValueError in test_verdicts.py:")
    assert not any("Jansen" in str(row) for table in ("batches", "checks") for row in house.ask(f"FROM lake.ops.{table}"))


def test_trouble_of_the_machine_is_no_verdict_and_the_next_run_tries_again(house):
    def unlucky(payloads, key, context):
        raise OSError("no space left on device")
        yield

    house.deliver("a.json", {MONDAY: GOOD})
    with pytest.raises(OSError, match="no space"):
        house.refresh(replace(RECIPE, feeds=(Feed(RECIPE.feeds[0].source, unlucky),)))
    assert outcomes(house.refresh()) == {MONDAY: "published"}


def test_columns_that_the_contract_does_not_know_reject_the_batch(house):
    def wider(payloads, key, context):
        for frame in parse(payloads, key, context):
            yield frame.with_columns(colour=frame["tally"])

    house.deliver("a.json", {MONDAY: GOOD})
    result = house.refresh(replace(RECIPE, feeds=(Feed(RECIPE.feeds[0].source, wider),)))
    assert "unknown columns: colour" in result.rejected[0].reason


def test_a_column_of_another_kind_rejects_only_its_batch(house):
    def nested(payloads, key, context):
        for frame in parse(payloads, key, context):
            yield frame.with_columns(tally=[[1]] * frame.height) if key == TUESDAY else frame

    house.deliver("a.json", {MONDAY: GOOD, TUESDAY: GOOD})
    result = house.refresh(replace(RECIPE, feeds=(Feed(RECIPE.feeds[0].source, nested),)))
    assert outcomes(result) == {MONDAY: "published", TUESDAY: "rejected"}
    assert result.rejected[0].reason.startswith("tally is delivered as List")


def test_each_commit_names_dataset_batches_and_run(house):
    house.deliver("a.json", {MONDAY: GOOD, TUESDAY: TWO_BAD})
    result = house.refresh()
    message, extra = house.ask("SELECT commit_message, commit_extra_info FROM lake.snapshots() ORDER BY snapshot_id")[-1]
    assert message == f"published {TALLIES} batch {MONDAY}, rejected {TALLIES} batch {TUESDAY} in run run-1"
    batches = [{"batch": batch.key, "batch_id": batch.batch_id} for batch in result.batches]
    assert json.loads(extra) == {"dataset": TALLIES, "batches": batches, "run": "run-1"}


def test_lineage_names_every_payload_by_place_and_hash(house):
    house.deliver("north/a.json", {MONDAY: GOOD})
    result = house.refresh()
    (payload,) = house.landing.payloads("tallies")
    assert house.ask("SELECT batch_id, input_kind, input_name, input_version FROM lake.ops.lineage") == [
        (result.batches[0].batch_id, "payload", "north/a.json", payload.sha256)
    ]
    assert house.ask("SELECT payloads, notes FROM lake.ops.batches") == [([payload.sha256], '{"file": "a.json"}')]


def test_two_feeds_that_deliver_the_same_batch_are_refused(house):
    house.deliver("a.json", {MONDAY: GOOD})
    with pytest.raises(ContractError, match=f"several feeds deliver the batch {MONDAY}"):
        house.refresh(replace(RECIPE, feeds=RECIPE.feeds * 2))


class TestSuites:
    """With Great Expectations, whose import takes seconds: once per process."""

    def test_an_error_rejects_and_a_warning_is_published_and_shown(self, house):
        from tests.integration.gate.house import limit

        no_b = limit("no_b", "SELECT * FROM {batch} WHERE container_id = 'b'")
        few = limit("few", "SELECT * FROM {batch} WHERE tally > 2", severity="warning")
        house.deliver("a.json", {MONDAY: GOOD, TUESDAY: [("a", 3)]})
        result = house.refresh(with_suite(no_b, few))
        assert outcomes(result) == {MONDAY: "rejected", TUESDAY: "published"}
        assert "no_b: 1" in result.rejected[0].reason and "few" not in result.rejected[0].reason
        assert [(key, check.name, check.observed) for key, check in result.warnings] == [(TUESDAY, "few", "1")]
        assert house.ask(
            "SELECT check_name, severity, is_passed FROM lake.ops.checks WHERE batch_key = ? ORDER BY 1", TUESDAY
        ) == [
            ("contract", "error", True),
            ("few", "warning", False),
            ("no_b", "error", True),
        ]

    @pytest.mark.parametrize("severity", ["error", "warning"])
    def test_what_cannot_be_evaluated_rejects_whatever_its_severity(self, house, severity):
        from tests.integration.gate.house import limit

        house.deliver("a.json", {MONDAY: GOOD})
        result = house.refresh(with_suite(limit("lost", "SELECT * FROM {batch} WHERE colour = 'red'", severity)))
        assert outcomes(result) == {MONDAY: "rejected"}
        assert "could not be evaluated" in result.rejected[0].reason
        assert house.ask("SELECT severity, is_passed FROM lake.ops.checks WHERE check_name = 'lost'") == [("error", False)]

    def test_the_suite_sees_the_contracts_columns_and_no_others(self, house):
        from groningen_data.gate.suite import Expectation

        columns = {"column_list": ["counted_on", "container_id", "tally"]}
        house.deliver("a.json", {MONDAY: GOOD})
        expectation = Expectation("columns", "expect_table_columns_to_match_ordered_list", "In words.", kwargs=columns)
        assert outcomes(house.refresh(with_suite(expectation))) == {MONDAY: "published"}
