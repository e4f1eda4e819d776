"""The suites of the collection plan and its backtest: what passes, and which check an odd row fails."""

from datetime import UTC, date, datetime, timedelta

import duckdb
import polars as pl
import pytest

from checks.collective import collection_backtest, collection_plan, collection_round
from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.collective.collection_backtest import POLICIES, CollectionBacktest
from groningen_data.contracts.collective.collection_plan import CollectionPlan
from groningen_data.contracts.collective.collection_round import CollectionRound

MONDAY = date(2026, 3, 9)


def failing(suite, contract, rows: list[dict], planned: int = 0) -> set[str]:
    """Names of the checks that a batch does not pass, beside a plan with so many containers."""
    batch = pl.DataFrame(rows, schema=polars_schema(contract))
    with duckdb.connect() as con:
        con.execute("ATTACH ':memory:' AS lake; CREATE SCHEMA lake.collective")
        con.execute(f"CREATE TABLE lake.collective.collection_plan AS SELECT 'container' AS call_kind FROM range({planned})")
        con.register("batch", batch.to_arrow())
        return {
            expectation.name
            for expectation in suite
            if con.execute(expectation.kwargs["unexpected_rows_query"].replace("{batch}", "batch")).fetchall()
        }


def clock(minute: int) -> datetime:
    return datetime(2026, 3, 16, 6, minute, tzinfo=UTC)


def calls(**changed: dict) -> list[dict]:
    """A round of two containers, the tipping site and the depot; `second={…}` changes the second call."""
    made = {
        "first": {
            "call_kind": "container",
            "container_code": "a",
            "stop_reason_code": "overflow_likely",
            "overflow_probability": 0.9,
        },
        "second": {
            "call_kind": "container",
            "container_code": "b",
            "stop_reason_code": "on_the_way",
            "overflow_probability": 0.01,
        },
        "third": {"call_kind": "tipping", "load_so_far_kg": 0.0},
        "fourth": {"call_kind": "depot", "load_so_far_kg": 0.0},
    }
    usual = {"round_code": "r", "vehicle_code": "31", "load_so_far_kg": 100.0, "capacity_kg": 1_000.0}
    return [
        {**usual, "call_number": number, "arrival_at": clock(number), **row, **changed.get(name, {})}
        for number, (name, row) in enumerate(made.items(), start=1)
    ]


@pytest.mark.parametrize(
    ("rows", "failed"),
    [
        (calls(), set()),
        (calls(second={"load_so_far_kg": 1_100.0}), {"no_vehicle_is_overloaded"}),
        # Two calls, each rounded down by half a kilogram.
        (calls(second={"load_so_far_kg": 1_002.0}), set()),
        (calls(second={"container_code": "a"}), {"no_container_is_emptied_twice"}),
        (calls(fourth={"load_so_far_kg": 10.0}), {"rounds_end_empty_at_the_depot"}),
        (calls(fourth={"call_kind": "tipping"}), {"rounds_end_empty_at_the_depot"}),
        (calls(second={"arrival_at": clock(0)}), {"calls_follow_each_other"}),
        (calls(fourth={"call_number": 6}), {"calls_follow_each_other"}),
        (calls(second={"stop_reason_code": None}), {"containers_say_why"}),
        (calls(third={"stop_reason_code": "fixed_day"}), {"containers_say_why"}),
        (calls(second={"stop_reason_code": "fixed_day"}), {"containers_say_why"}),
        (
            calls(**{key: {"stop_reason_code": "fixed_day", "overflow_probability": None} for key in ("first", "second")}),
            {"levels_are_known"},
        ),
    ],
)
def test_an_odd_call_fails_the_check_that_is_about_it(rows, failed):
    assert failing(collection_plan.SUITE, CollectionPlan, rows) == failed


def test_a_vehicle_with_two_rounds_fails():
    two = [
        row | {"round_code": "s", "container_code": row.get("container_code") and row["container_code"] * 2} for row in calls()
    ]
    assert failing(collection_plan.SUITE, CollectionPlan, calls() + two) == {"a_vehicle_drives_one_round"}


@pytest.mark.parametrize(
    ("changed", "failed"),
    [
        ({}, set()),
        ({"stops": 3}, {"no_stop_is_lost"}),
        ({"end_at": clock(1) + timedelta(days=2)}, {"rounds_take_a_day"}),
        ({"distance_km": 501.0}, {"rounds_take_a_day"}),
    ],
)
def test_an_odd_round_fails_the_check_that_is_about_it(changed, failed):
    usual = {"round_code": "r", "stops": 2, "first_stop_at": clock(1), "end_at": clock(50), "distance_km": 20.0}
    assert failing(collection_round.SUITE, CollectionRound, [usual | changed], planned=2) == failed


def week(**changed: dict) -> list[dict]:
    """A week under each policy; `plan={…}` changes all days of a policy."""
    figures = {"fixed_schedule": (10, 100.0), "fixed_reordered": (10, 80.0), "plan": (2, 60.0)}
    return [
        {
            "local_date": MONDAY + timedelta(days=n),
            "fraction_code": "residual",
            "policy_code": policy,
            "containers": 50,
            "measured_containers": 40,
            "stops": 20,
            "overfull_hours": figures[policy][0],
            "distance_km": figures[policy][1],
            "expected_reports": 0.1,
            **changed.get(policy, {}),
        }
        for policy in POLICIES
        for n in range(7)
    ]


@pytest.mark.parametrize(
    ("rows", "failed"),
    [
        (week(), set()),
        (week(plan={"containers": 49}), {"policies_are_compared_alike"}),
        (week()[:14], {"policies_are_compared_alike"}),
        ([row for row in week() if row["local_date"] > MONDAY], {"whole_weeks_are_replayed"}),
        ([row | {"local_date": row["local_date"] + timedelta(days=1)} for row in week()], {"whole_weeks_are_replayed"}),
        (week(fixed_reordered={"stops": 19}), {"reordering_empties_the_same"}),
        (week(plan={"expected_reports": None}), {"missing_reports_say_why"}),
        (week(plan={"overfull_hours": 11}), {"the_plan_wins"}),
        (week(plan={"distance_km": 101.0}), {"the_plan_wins"}),
    ],
)
def test_an_odd_week_fails_the_check_that_is_about_it(rows, failed):
    assert failing(collection_backtest.SUITE, CollectionBacktest, rows) == failed
