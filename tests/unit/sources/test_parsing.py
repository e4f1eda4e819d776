"""A JSON list read item by item: whatever the pieces it comes in, as the standard library reads it whole, or not at all."""

import gzip
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groningen_data.errors import PayloadError
from groningen_data.landing import Landing
from groningen_data.sources import parsing

ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=3), inside, max_size=3)
    ),
    max_leaves=8,
)


def items(landing: Landing, data: bytes) -> list:
    return list(parsing.json_items(landing.land("list", "list.json", io.BytesIO(data))))


@given(st.lists(ANY, max_size=4), st.sampled_from([None, 2]), st.integers(1, 9), st.booleans())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_list_is_read_as_the_standard_library_reads_it(landing, monkeypatch, value, indent, piece, is_packed):
    monkeypatch.setattr(parsing, "_CHUNK", piece)
    text = json.dumps(value, indent=indent, ensure_ascii=False).encode()
    assert items(landing, gzip.compress(text) if is_packed else b"\xef\xbb\xbf " + text + b" \n") == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{}",
        "1",
        "[1",
        "[1,",
        "[1,]",
        "[1 2]",
        "[1]]",
        "[1]x",
        "[,1]",
        "[",
        '[{"a":1}',
        "<html>",
        f"[{'1' * 5000}]",
        "[" * 9_000,
    ],
    ids=lambda text: text[:10],
)
@pytest.mark.parametrize("piece", [3, 1 << 20])
def test_what_is_no_complete_list_is_refused(landing, monkeypatch, text, piece):
    monkeypatch.setattr(parsing, "_CHUNK", piece)
    monkeypatch.setattr(parsing, "_LARGEST_ITEM", 6_000)
    with pytest.raises(PayloadError, match="not one complete JSON list"):
        items(landing, text.encode())


@pytest.mark.parametrize(
    ("data", "said"), [(b'["\\ud800"]', "lone surrogate"), (b'["\xff"]', "not UTF-8"), (b'["\xc3', "not UTF-8")]
)
def test_text_that_cannot_be_stored_is_refused(landing, data, said):
    with pytest.raises(PayloadError, match=said):
        items(landing, data)
