"""The Signalen installation of the replica: its forms, its habits, and its bug."""

import json
from datetime import datetime
from typing import Any

import httpx
import pytest
from jsonschema import Draft4Validator

from groningen_data.replica.services import signalen
from groningen_data.settings import PROJECT

SCHEMAS = PROJECT.parent / "shared" / "data" / "waste"
API, LOGIN = "/signalen.groningen.example/signals/v1", "/login.signalen.groningen.example"
TOKEN = f"{LOGIN}/realms/signalen/protocol/openid-connect/token"
CLIENT = ("groningen-data", "only-for-the-replica")
LIST = f"{API}/private/signals/"
KEYS = frozenset(
    [
        "_links",
        "_display",
        "id",
        "id_display",
        "signal_id",
        "source",
        "text",
        "text_extra",
        "status",
        "location",
        "category",
        "reporter",
        "priority",
        "type",
        "created_at",
        "updated_at",
        "incident_date_start",
        "incident_date_end",
        "operational_date",
        "has_attachments",
        "extra_properties",
        "notes",
        "directing_departments",
        "routing_departments",
        "attachments",
        "parent",
        "has_parent",
        "has_children",
        "assigned_user_email",
    ]
)


@pytest.fixture(scope="module")
def token(replica: httpx.Client) -> str:
    answer = replica.post(TOKEN, data={"grant_type": "client_credentials"}, auth=CLIENT)
    assert (answer.status_code, answer.json()["token_type"], answer.json()["expires_in"]) == (200, "Bearer", 300)
    return answer.json()["access_token"]


@pytest.fixture(scope="module")
def ask(replica: httpx.Client, token: str):
    def ask(path: str = "", **params: Any) -> dict[str, Any]:
        answer = replica.get(LIST + path, params=params, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


def schema(name: str) -> dict[str, Any]:
    path = SCHEMAS / f"signalen_schema_{name}.json"
    if not path.is_file():
        pytest.skip(f"needs the schemas of Signalen, {path.name}")
    return json.loads(path.read_text(encoding="utf-8"))


def every_item(found: dict[str, Any]) -> dict[str, Any]:
    """The schemas are of draft 4, where a list of one schema is about the first item only: here it holds for all."""
    if isinstance(found, dict):
        items = found.get("items")
        return {
            k: every_item(items[0] if k == "items" and isinstance(items, list) and len(items) == 1 else v)
            for k, v in found.items()
        }
    return found


def test_the_private_list_keeps_the_schema_of_signalen(ask):
    validator = Draft4Validator(every_item(schema("get_signals_v1_private_signals")))
    for page in (ask(page_size=500), ask(page=2, page_size=500), ask(created_after="2030-01-01T00:00:00Z")):
        assert [error.message for error in validator.iter_errors(page)] == []
    with pytest.raises(AssertionError):
        assert not list(validator.iter_errors(ask() | {"count": "x"}))


def test_reports_have_every_key_of_the_real_ones(ask):
    report = ask()["results"][0]
    assert set(report) == KEYS
    shown = json.dumps(report)
    assert all(word in shown for word in signalen.PERSONAL)


def test_pages_are_of_a_hundred_newest_first_and_lead_to_one_another(ask, replica, token):
    first = ask()
    assert len(first["results"]) == 100 < first["count"]
    made = [datetime.fromisoformat(r["created_at"]) for r in first["results"]]
    assert made == sorted(made, reverse=True)
    assert first["_links"]["previous"] == {"href": None}
    second = replica.get(first["_links"]["next"]["href"], headers={"Authorization": f"Bearer {token}"}).json()
    assert not {r["id"] for r in first["results"]} & {r["id"] for r in second["results"]}
    assert second["_links"]["previous"]["href"] == first["_links"]["self"]["href"]


@pytest.mark.parametrize(("name", "key"), [("updated", "updated_at"), ("created", "created_at")])
def test_bounds_are_inclusive(ask, name, key):
    moment = ask(ordering=f"-{key}", page_size=1)["results"][0][key]
    for side in ("after", "before"):
        assert moment in [r[key] for r in ask(**{f"{name}_{side}": moment, "ordering": f"-{key}"})["results"]]


def test_the_filters_of_the_incident_date_mean_each_other(ask):
    day = "2026-03-15"
    begun = {
        side: [r["incident_date_start"][:10] for r in ask(**{f"incident_date_{side}": day}, page_size=1000)["results"]]
        for side in ("before", "after")
    }
    assert max(begun["after"]) <= day <= min(begun["before"])


def test_a_page_that_is_not_there_and_a_date_that_is_none_are_told(replica, token):
    headers = {"Authorization": f"Bearer {token}"}
    assert replica.get(LIST, params={"page": 999}, headers=headers).status_code == 404
    assert replica.get(LIST, params={"updated_after": "yesterday"}, headers=headers).status_code == 400


def test_without_a_valid_token_nothing_is_told(replica):
    assert replica.get(LIST).status_code == 401
    assert replica.get(LIST, headers={"Authorization": "Bearer made-up"}).status_code == 401
    assert replica.post(TOKEN, data={"grant_type": "client_credentials"}, auth=("groningen-data", "guess")).status_code == 401
    assert replica.post(TOKEN, data={"grant_type": "password"}, auth=CLIENT).status_code == 400


def test_a_report_out_of_our_categories_is_in_the_list_of_removed_only(ask):
    gone = ask("category/removed/", after="2026-03-14T00:00:00Z", before="2026-03-14T23:59:59Z")
    [number] = [r["id"] for r in gone["results"]]
    assert ask(id=number)["count"] == 0
    assert ask("category/removed/", after="2026-03-15T00:00:00Z")["count"] == 0


def test_parents_are_told_by_the_moment_of_their_first_child(ask):
    [parent] = [r["id"] for r in ask("promoted/parent/", after="2026-03-14T00:00:00Z")["results"]]
    [shown] = ask(id=parent)["results"]
    assert (shown["status"]["state"], shown["has_children"]) == ("s", True)
    children = ask(kind="child_signal")["results"]
    assert {child["parent"] for child in children} == {parent}
    assert len(shown["_links"]["sia:children"]) == len(children) == 2


class TestGeography:
    """The public map: open reports without a number."""

    URL = f"{API}/public/signals/geography"

    def test_it_shows_open_reports_and_counts_them(self, replica, ask):
        answer = replica.get(self.URL, params={"bbox": "6,53,7,54"})
        found = answer.json()["features"]
        assert answer.headers["X-Total-Count"] == str(len(found))
        assert {key for feature in found for key in feature["properties"]} == {"category", "created_at"}
        newest = {r["created_at"]: r["status"]["state"] for r in ask(page_size=1000)["results"]}
        shown = [newest[made] for made in (feature["properties"]["created_at"] for feature in found) if made in newest]
        assert len(shown) > 50
        assert not {"o", "a", "s"} & set(shown)
        assert {"o", "s"} <= set(newest.values())

    def test_it_keeps_what_the_service_says_of_it_in_its_openapi_document(self, replica):
        def of(**properties: Any) -> dict[str, Any]:
            return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}

        text, numbers = {"type": "string"}, {"type": "array", "items": {"type": "number"}, "minItems": 2}
        category = of(name=text, slug=text, parent=of(name=text, slug=text))
        feature = of(
            type={"enum": ["Feature"]},
            geometry=of(type={"enum": ["Point"]}, coordinates=numbers),
            properties=of(category=category, created_at=text),
        )
        collection = of(type={"enum": ["FeatureCollection"]}, features={"type": "array", "items": feature, "minItems": 1})
        answer = replica.get(self.URL, params={"bbox": "6,53,7,54"})
        assert [error.message for error in Draft4Validator(collection).iter_errors(answer.json())] == []
        assert all(datetime.fromisoformat(f["properties"]["created_at"]).tzinfo for f in answer.json()["features"])

    def test_pages_are_in_order_of_place_and_one_that_is_not_there_is_told(self, replica):
        found = replica.get(self.URL, params={"bbox": "6,53,7,54"}).json()["features"]
        places = [feature["geometry"]["coordinates"] for feature in found]
        assert places == sorted(places)
        assert replica.get(self.URL, params={"bbox": "6,53,7,54", "geopage": 2}).status_code == 404

    def test_nothing_is_null(self, replica):
        assert replica.get(self.URL, params={"bbox": "0,0,1,1"}).json()["features"] is None

    def test_without_a_place_it_refuses(self, replica):
        assert replica.get(self.URL).status_code == 400

    def test_pages_are_named_in_a_header(self, replica, monkeypatch):
        monkeypatch.setattr(signalen, "_GEO_PAGE", 10)
        answer = replica.get(self.URL, params={"bbox": "6,53,7,54"})
        following = replica.get(answer.links["next"]["url"])
        assert len(answer.json()["features"]) == len(following.json()["features"]) == 10
        assert answer.json()["features"] != following.json()["features"]

    def test_a_guest_who_asks_too_often_is_told_when_to_come_back(self, replica, monkeypatch):
        monkeypatch.setattr(signalen, "PUBLIC_REQUESTS_PER_HOUR", 0)
        answer = replica.get(self.URL, params={"bbox": "0,0,1,1"})
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 3601
