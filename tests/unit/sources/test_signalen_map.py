"""From the public map of reports to their numbers: what lands of it, and how it is counted."""

import json
from datetime import date

import polars as pl
import pytest

from groningen_data.errors import PayloadError
from groningen_data.landing import Payload
from groningen_data.sources.base import Head
from groningen_data.sources.signalen_fields import rewritten_map
from groningen_data.sources.signalen_map import SOURCE, parse_counts


def feature(**changed) -> dict:
    told = {
        "slug": "container-is-vol",
        "main": "afval",
        "made": "2026-03-14T23:30:00.123456+01:00",
        "at": [6.555, 53.215],
    } | changed
    return {
        "type": "Feature",
        "geometry": told["at"] and {"type": "Point", "coordinates": told["at"]},
        "properties": {
            "category": {"name": "Vol", "slug": told["slug"], "parent": {"name": "Afval", "slug": told["main"]}},
            "created_at": told["made"],
            "text": "Testmelder van Proeflaan 9797",
        },
    }


def rewritten(landing, content: object, name: str = "signalen_map_2026-03-15.json") -> bytes:
    path = landing.root / "delivered"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(json.dumps(content).encode())
    return b"".join(rewritten_map(Payload(SOURCE.name, "", name, 0, None, path=path)))  # type: ignore[arg-type]


def counted(landing, payload, context, *features: dict) -> pl.DataFrame:
    body = rewritten(landing, {"type": "FeatureCollection", "features": list(features)})
    found = payload(SOURCE, "signalen_map_2026-03-15.json", body)
    assert found.batches == ("2026-03-15",)
    return pl.concat(list(parse_counts([found], "2026-03-15", context())))


def test_reports_are_counted_per_category_and_neighbourhood(landing, payload, context):
    rows = counted(
        landing,
        payload,
        context,
        feature(),
        feature(),
        feature(made="2026-02-01T08:00:00Z"),
        feature(at=[6.565, 53.215]),
        feature(at=[6.9, 53.215]),
        feature(at=None),
        feature(slug="verlichting", main="wegen"),
    )
    columns = ("category_code", "neighbourhood_code", "location_status", "waste_kind", "open_reports")
    assert set(rows.select(columns).rows()) == {
        ("container-is-vol", "BU00140000", "inside", "container_full", 3),
        ("container-is-vol", "BU00140001", "inside", "container_full", 1),
        ("container-is-vol", None, "outside_municipality", "container_full", 1),
        ("container-is-vol", None, "no_location", "container_full", 1),
        ("verlichting", "BU00140000", "inside", None, 1),
    }
    [most] = rows.filter(pl.col("open_reports") == 3).select("oldest_created_on", "newest_created_on", "snapshot_on").rows()
    assert most == (date(2026, 2, 1), date(2026, 3, 14), date(2026, 3, 15))
    assert rows["_problems"].list.len().sum() == 0


def test_a_report_of_after_the_day_is_marked_and_one_without_category_or_moment_is_left_to_the_contract(
    landing, payload, context
):
    rows = counted(
        landing, payload, context, feature(made="2026-03-17T08:00:00Z"), feature(slug=None), feature(slug="b", made=None)
    )
    assert rows.sort("category_code").select("category_code", "newest_created_on", "_problems").rows() == [
        (None, date(2026, 3, 14), []),
        ("b", None, []),
        ("container-is-vol", date(2026, 3, 17), ["created_on.after_snapshot"]),
    ]


def test_only_category_place_and_moment_land(landing):
    landed = rewritten(landing, {"type": "FeatureCollection", "features": [feature(), feature(slug="Testmelder woont hier")]})
    assert b"Testmelder" not in landed and b"Vol" not in landed
    assert rewritten(landing, json.loads(landed)) == landed


def test_the_order_of_the_features_changes_no_byte(landing):
    some = [feature(), feature(slug="b"), feature(at=None)]
    assert rewritten(landing, {"features": some}) == rewritten(landing, {"features": some[::-1]})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "is JSON, but no map of reports"),
        ({"features": {}}, "is JSON, but no map of reports"),
        ({"features": [1]}, "is JSON, but no map of reports"),
        ({"features": [{}]}, "without the slug of their category"),
        ({"features": [feature(made="gisteren")]}, "without when they were made"),
    ],
)
def test_what_is_no_map_is_told(landing, content, said):
    with pytest.raises(PayloadError, match=said):
        rewritten(landing, content)


def test_a_map_without_reports_or_without_a_day_is_a_problem(landing, payload):
    empty = payload(SOURCE, "signalen_map_2026-03-15.json", rewritten(landing, {"type": "FeatureCollection", "features": None}))
    assert (empty.problem, empty.batches) == ("holds no rows", ())
    assert payload(SOURCE, "signalen_map.json", rewritten(landing, {"features": [feature()]})).problem == "has no day in its name"


def test_it_is_recognised_by_its_fields():
    text = json.dumps({"type": "FeatureCollection", "features": [feature()]})
    assert SOURCE.recognises(Head("x.json", text.encode()))
    assert not SOURCE.recognises(Head("x.json", text.replace("created_at", "made").encode()))
