"""Features of geographic services: what an exception report says, and documents that only content decides."""

import json

import pytest

from groningen_data.fetching.features import exception_text, feature_collection


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '<ows:ExceptionReport xmlns:ows="o"><ows:Exception><ows:ExceptionText>No  such\n layer</ows:ExceptionText></ows:Exception>',
            "No such layer",
        ),
        ('<ServiceExceptionReport><ServiceException code="x">\n a &lt; b </ServiceException></ServiceExceptionReport>', "a < b"),
        ("<ExceptionText><![CDATA[bare]]></ExceptionText>", "bare"),
        ("<ExceptionText>bell\x07 &#27;[31m</ExceptionText>", "bell [31m"),
        (f"<ExceptionText>{'long ' * 100}</ExceptionText>", ("long " * 40)),
        ("<ServiceExceptionReport/>", None),
        ("<html>ExceptionText</html>", None),
    ],
    ids=["2.0.0", "1.0.0", "cdata", "control characters", "long", "empty report", "no report"],
)
def test_what_a_report_says_is_one_short_line(text, said):
    assert exception_text(text) == said


def test_a_collection_says_its_coordinate_system_and_its_name():
    made = json.loads(feature_collection("buurten_2024", [{"type": "Feature", "properties": {"naam": "Hélpman"}}]))
    assert (made["name"], made["features"][0]["properties"]["naam"]) == ("buurten_2024", "Hélpman")
    assert made["crs"]["properties"]["name"].endswith("CRS84")
