"""From everything that landed of a Signalen installation to one row per report."""

import io
from datetime import UTC, date, datetime

import polars as pl
import pytest

from groningen_data.sources.signalen_fields import packed
from groningen_data.sources.signalen_states import SOURCE, parse_states
from tests.unit.sources.test_signalen_fields import KEPT


def signals(payload, *reports: dict, name: str = "2026-03-15.json", **more: object):
    return payload(SOURCE, name, packed({"signals": [KEPT | r for r in reports], **more}))


def rows(payloads, context) -> pl.DataFrame:
    return pl.concat(list(parse_states(payloads, "snapshot", context)))


def test_a_report_gets_its_moments_kind_place_and_container(payload, context):
    row = rows([signals(payload, {})], context()).row(0, named=True)
    assert (row["report_id"], row["status_code"], row["is_closed"]) == ("12", "o", True)
    assert row["created_at"] == datetime(2026, 3, 14, 8, 0, 0, 123456, tzinfo=UTC)
    assert (row["created_on"], row["closed_on"]) == (date(2026, 3, 14), date(2026, 3, 15))
    assert (row["closed_at"], row["updated_at"]) == (datetime(2026, 3, 15, 8, tzinfo=UTC), datetime(2026, 3, 15, 8, tzinfo=UTC))
    assert (row["waste_kind"], row["neighbourhood_code"], row["location_status"]) == ("container_full", "BU00140000", "inside")
    assert (row["container_code"], row["containers"], row["parent_id"]) == ("REK00067", 1, None)
    assert (row["is_parent"], row["is_removed"], row["_problems"]) == (False, False, [])


@pytest.mark.parametrize(
    ("state", "closed"), [("m", False), ("reopened", False), ("ingepland", False), ("o", True), ("a", True), ("s", True)]
)
def test_three_states_close_a_report(payload, context, state, closed):
    row = rows([signals(payload, {"status": {"state": state, "created_at": "2026-03-15T08:00:00Z"}})], context()).row(
        0, named=True
    )
    assert (row["is_closed"], row["closed_at"] is not None, row["closed_on"] is not None) == (closed, closed, closed)


def test_the_state_that_was_updated_last_counts_whatever_the_order_in_which_it_came(payload, context):
    older = signals(
        payload, {"updated_at": "2026-03-14T23:30:00Z", "category": {"main_slug": "afval", "sub_slug": "a"}}, name="b.json"
    )
    newer = signals(
        payload, {"updated_at": "2026-03-15T00:29:00+00:00", "category": {"main_slug": "afval", "sub_slug": "b"}}, name="a.json"
    )
    for payloads in ([older, newer], [newer, older]):
        made = context()
        assert rows(payloads, made)["category_code"].to_list() == ["b"]
        assert made.notes["reports_updated_since"] == 1


def test_a_report_that_moved_out_of_our_categories_is_removed_until_it_is_updated_again(payload, context):
    gone = payload(SOURCE, "removed-2026-03-15.json", packed({"day": "2026-03-15", "removed": [12, 99]}))
    made = context()
    assert rows([signals(payload, {}), gone], made)["is_removed"].to_list() == [True]
    assert made.notes["removed_and_never_seen"] == 1
    back = signals(payload, {"updated_at": "2026-03-16T09:00:00Z"}, name="2026-03-16.json")
    assert rows([signals(payload, {}), gone, back], context())["is_removed"].to_list() == [False]


def test_a_report_that_a_later_delivery_of_its_day_no_longer_shows_is_still_known(landing, context):
    def landed(content: dict) -> None:
        headers = {"path": "day.json"}
        landing.keep(SOURCE._with_batches(landing.land(SOURCE.name, "day.json", io.BytesIO(packed(content)), headers)))

    landed({"signals": [KEPT, KEPT | {"id": 13}]})
    landed({"signals": [KEPT]})
    landed({"day": "2026-03-15", "removed": [13]})
    found = rows(landing.payloads(SOURCE.name), context())
    assert dict(found.select("report_id", "is_removed").rows()) == {"12": False, "13": True}


@pytest.mark.parametrize(
    "told",
    [
        lambda payload: [signals(payload, {"has_children": True})],
        lambda payload: [signals(payload, {"status": {"state": "s", "created_at": "2026-03-15T08:00:00Z"}})],
        lambda payload: [signals(payload, {}), payload(SOURCE, "p.json", packed({"parents": [12]}))],
        lambda payload: [signals(payload, {}, {"id": 13, "parent": 12})],
    ],
    ids=["says so", "state", "list of parents", "its child"],
)
def test_a_report_that_was_split_is_a_parent(payload, context, told):
    found = rows(told(payload), context())
    assert found.filter(pl.col("report_id") == "12")["is_parent"].to_list() == [True]
    assert not found.filter(pl.col("report_id") == "13")["is_parent"].any()


@pytest.mark.parametrize(
    ("odd", "rule"),
    [
        ({"created_at": "2026-02-30T08:00:00Z"}, "created_at.type"),
        ({"updated_at": "2026-03-13T08:00:00Z"}, "updated_at.before_created"),
        ({"status": {"state": "o", "created_at": "2026-03-13T08:00:00Z"}}, "closed_at.before_created"),
    ],
)
def test_moments_that_cannot_be_are_marked(payload, context, odd, rule):
    assert rows([signals(payload, odd)], context())["_problems"].to_list() == [[rule]]


def test_a_report_without_a_place_or_number_is_kept_for_the_contract(payload, context):
    found = rows([signals(payload, {"location": {"geometrie": None}}, {"id": None})], context())
    assert found["location_status"].to_list() == ["no_location", "inside"]
    assert found["report_id"].to_list() == ["12", None]


def test_zips_with_swapped_coordinates_are_counted(payload, context):
    made = context()
    rows([signals(payload, {}, coordinates_swapped=True)], made)
    assert made.notes["zips_with_swapped_coordinates"] == 1
