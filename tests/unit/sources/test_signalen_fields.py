"""What is kept of a report: an explicit list of fields, each in a form that no text fits."""

import io
import json
import zipfile

import pytest

from groningen_data.errors import PayloadError
from groningen_data.sources.signalen_fields import packed, reduced, rewritten
from groningen_data.sources.signalen_states import SOURCE

REPORT = {
    "id": 12,
    "id_display": "SIG-12",
    "text": "Testmelder van Proeflaan 9797",
    "text_extra": "mail testmelder@example.org",
    "created_at": "2026-03-14T09:00:00.123456+01:00",
    "updated_at": "2026-03-15T09:00:00+01:00",
    "status": {"text": "Testmelder is gebeld", "user": "x@gemeente.example", "state": "o", "created_at": "2026-03-15T08:00:00Z"},
    "category": {"main_slug": "afval", "sub_slug": "container-is-vol", "main": "Afval", "text": "Testmelder"},
    "location": {
        "geometrie": {"type": "Point", "coordinates": [6.555, 53.215]},
        "address": {"openbare_ruimte": "Proeflaan", "huisnummer": 9797},
        "address_text": "Proeflaan 9797",
    },
    "reporter": {"email": "testmelder@example.org", "phone": "0600000012"},
    "notes": [{"text": "Testmelder"}],
    "parent": None,
    "has_children": False,
    "extra_properties": [
        {"id": "extra_auto", "answer": "Testmelder"},
        {"id": "extra_container", "answer": [{"id": "REK00067", "label": "Proeflaan 9797"}, {"id": "Testmelder"}, {"type": "x"}]},
    ],
}
KEPT = {
    "id": 12,
    "created_at": "2026-03-14T09:00:00.123456+01:00",
    "updated_at": "2026-03-15T09:00:00+01:00",
    "status": {"state": "o", "created_at": "2026-03-15T08:00:00Z"},
    "category": {"main_slug": "afval", "sub_slug": "container-is-vol"},
    "location": {"geometrie": {"coordinates": [6.555, 53.215]}},
    "parent": None,
    "has_children": False,
    "containers": ["REK00067"],
}


def test_only_the_named_fields_are_kept():
    assert reduced(REPORT) == KEPT
    assert reduced(KEPT) == KEPT


@pytest.mark.parametrize(
    "text", ["Testmelder woont op Proeflaan 9797", "testmelder@example.org", "06-00000012", "0600000012", "9797 B", "Jansen, P."]
)
@pytest.mark.parametrize(
    "place",
    [
        "id",
        "created_at",
        "updated_at",
        "parent",
        "has_children",
        "status",
        "category",
        "location",
        "containers",
        "extra_properties",
    ],
)
def test_text_in_a_field_that_is_kept_becomes_null(text, place):
    odd = {
        "status": {"state": text, "created_at": text},
        "category": {"main_slug": text, "sub_slug": text},
        "location": {"geometrie": {"type": text, "coordinates": [text, text]}},
        "containers": [text],
        "extra_properties": [{"id": "extra_container", "answer": text}, {"id": "extra_container", "answer": [{"id": text}]}],
    }
    for value in (text, odd.get(place, [text])):
        kept = json.dumps(reduced(REPORT | {place: value}))
        assert text not in kept


@pytest.mark.parametrize("value", [None, [], "x", 3, True, {"coordinates": None}, {"geometrie": 1}])
def test_an_object_of_another_shape_is_no_error(value):
    odd = dict.fromkeys(REPORT, value)
    assert reduced(odd).keys() == KEPT.keys()


def landed(landing, data: bytes, name: str = "x") -> dict:
    payload = landing.land(SOURCE.name, name, io.BytesIO(data))
    return json.loads(b"".join(rewritten(payload)))


def test_a_page_of_the_api_that_is_delivered_as_a_file_is_reduced(landing):
    page = {"_links": {"self": {"href": "x"}}, "count": 1, "results": [REPORT]}
    assert landed(landing, json.dumps(page).encode()) == {"signals": [KEPT]}


@pytest.mark.parametrize(
    "content",
    [
        {"signals": [KEPT]},
        {"signals": [KEPT], "coordinates_swapped": True},
        {"day": "2026-03-15", "removed": [1, 2]},
        {"parents": [3]},
    ],
)
def test_what_landed_before_stays_as_it_is(landing, content):
    assert landed(landing, packed(content)) == content


@pytest.mark.parametrize(
    "data", [b"[]", b'{"a": "Testmelder"}', b'{"results": ["Testmelder"]}', b"PK\x03\x04Testmelder", b"Testmelder"]
)
def test_anything_else_does_not_land_and_is_not_quoted(landing, data):
    with pytest.raises(PayloadError) as error:
        landed(landing, data)
    assert "Testmelder" not in str(error.value)


CSVS = {
    "signals.csv": "id,signal_uuid,source,text,text_extra,created_at,updated_at,category_assignment_id,location_id,reporter_id,status_id,parent,extra_properties\n"
    '7,u,online,"Testmelder, Proeflaan 9797",,2026-03-14 08:00:00.5+00,2026-03-15 08:00:00+00,31,21,41,11,,"[{""id"": ""extra_container"", ""answer"": [{""id"": ""REK00067""}]}]"\n'
    "8,u,online,Testmelder,,2026-03-14 08:00:00+00,2026-03-15 08:00:00+00,32,22,42,12,7,null\n",
    "locations.csv": "id,lat,lng,address_text\n21,6.555,53.215,Proeflaan 9797\n22,6.565,53.216,Proeflaan 9797\n",
    "statusses.csv": "id,text,user,state,created_at\n11,Testmelder,x,s,2026-03-15 07:00:00+00\n12,Testmelder,x,m,2026-03-14 08:00:00+00\n",
    "categories.csv": "id,main,sub,departments\n31,Afval,Veeg- / zwerfvuil,STW\n32,Afval,Container is vol,STW\n",
    "reporters.csv": "id,email,phone\n41,testmelder@example.org,0600000012\n",
}


def zipped(**changed: str | None) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in (CSVS | {f"{k}.csv": v for k, v in changed.items()}).items():
            if text is not None:
                archive.writestr(f"2026/{name}", text)
    return data.getvalue()


def test_the_nightly_zip_gives_the_same_reports_with_swapped_coordinates_put_right(landing):
    content = landed(landing, zipped())
    assert content["coordinates_swapped"] is True
    parent, child = content["signals"]
    assert parent == {
        "id": 7,
        "created_at": "2026-03-14T08:00:00.5+00:00",
        "updated_at": "2026-03-15T08:00:00+00:00",
        "status": {"state": "s", "created_at": "2026-03-15T07:00:00+00:00"},
        "category": {"main_slug": "afval", "sub_slug": "veeg-zwerfvuil"},
        "location": {"geometrie": {"coordinates": [6.555, 53.215]}},
        "parent": None,
        "has_children": True,
        "containers": ["REK00067"],
    }
    assert (child["id"], child["parent"], child["has_children"], child["category"]["sub_slug"]) == (
        8,
        7,
        False,
        "container-is-vol",
    )


def test_an_installation_that_mended_its_coordinates_is_not_swapped(landing):
    content = landed(landing, zipped(locations="id,lat,lng\n21,53.215,6.555\n22,53.216,6.565\n"))
    assert "coordinates_swapped" not in content
    assert content["signals"][0]["location"]["geometrie"]["coordinates"] == [6.555, 53.215]


def test_the_older_name_of_the_statuses_is_read_too(landing):
    assert landed(landing, zipped(statusses=None, statuses=CSVS["statusses.csv"])) == landed(landing, zipped())


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"locations": None}, "is a zip without locations.csv"),
        ({"locations": "id,breedte\n21,53.2\n"}, r"has locations.csv without column\(s\) lat, lng"),
    ],
)
def test_a_zip_of_another_form_is_refused(landing, changed, problem):
    with pytest.raises(PayloadError, match=problem):
        landed(landing, zipped(**changed))


def test_the_zip_is_recognised_and_no_text_of_it_lands(tmp_path, landing):
    path = tmp_path / "export.zip"
    path.write_bytes(zipped())
    assert SOURCE.find(tmp_path) == [path]
    payload = landing.land(SOURCE.name, path.name, path.open("rb"))
    assert not {b"Testmelder", b"testmelder", b"Proeflaan", b"9797", b"0600000"} & set(rewritten(payload).__next__().split(b'"'))
    assert b"Proef" not in next(rewritten(payload))
