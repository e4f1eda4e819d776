"""Points to neighbourhoods, and codes of other years to current ones."""

import time

import polars as pl
import pytest

from groningen_data.places import Locator, carried_over, spatial_connection


@pytest.fixture(scope="module")
def neighbourhoods() -> pl.DataFrame:
    """Two squares that share the border at longitude 2, the second with a hole."""
    shapes = {
        "BU00140001": "POLYGON((1 50, 2 50, 2 51, 1 51, 1 50))",
        "BU00140002": "POLYGON((2 50, 3 50, 3 51, 2 51, 2 50), (2.4 50.4, 2.6 50.4, 2.6 50.6, 2.4 50.6, 2.4 50.4))",
    }
    with spatial_connection() as connection:
        outlines = [
            connection.execute("SELECT ST_AsWKB(ST_GeomFromText(?))::BLOB", [s]).fetchall()[0][0] for s in shapes.values()
        ]
    return pl.DataFrame(
        {"neighbourhood_code": list(shapes), "neighbourhood_name": ["A", "B"], "code_year": [2024, 2024], "outline_wkb": outlines}
    )


@pytest.mark.parametrize(
    ("longitude", "latitude", "code", "status"),
    [
        (1.5, 50.5, "BU00140001", "inside"),
        (2.1, 50.5, "BU00140002", "inside"),
        (2.0, 50.5, "BU00140001", "inside"),
        (2.5, 50.5, None, "outside_municipality"),
        (9.0, 50.5, None, "outside_municipality"),
        (None, 50.5, None, "no_location"),
        (1.5, None, None, "no_location"),
        (float("nan"), 50.5, None, "no_location"),
        (float("inf"), 50.5, None, "no_location"),
    ],
)
def test_a_point_finds_its_neighbourhood(neighbourhoods, longitude, latitude, code, status):
    points = pl.DataFrame(
        {"longitude": [longitude], "latitude": [latitude]}, schema={"longitude": pl.Float64, "latitude": pl.Float64}
    )
    found = Locator(neighbourhoods).locate(points)
    assert found.select("neighbourhood_code", "location_status").row(0) == (code, status)


def test_order_and_repeated_points_are_kept(neighbourhoods):
    points = pl.DataFrame({"n": [1, 2, 3, 4], "x": [2.1, 9.0, 2.1, 1.5], "y": [50.5] * 4})
    found = Locator(neighbourhoods).locate(points, "x", "y")
    assert found.select("n", "neighbourhood_code").rows() == [(1, "BU00140002"), (2, None), (3, "BU00140002"), (4, "BU00140001")]


def test_no_points_and_no_outlines_give_no_neighbourhoods(neighbourhoods):
    nothing = pl.DataFrame(schema={"longitude": pl.Float64, "latitude": pl.Float64})
    assert Locator(neighbourhoods).locate(nothing).height == 0
    found = Locator(neighbourhoods.clear()).locate(pl.DataFrame({"longitude": [1.5], "latitude": [50.5]}))
    assert found["location_status"].to_list() == ["outside_municipality"]


def test_a_hundred_thousand_points_take_seconds_at_most(neighbourhoods):
    points = pl.DataFrame({"longitude": [1 + i / 50_000 for i in range(100_000)], "latitude": [50.5] * 100_000})
    started = time.perf_counter()
    found = Locator(neighbourhoods).locate(points)
    assert time.perf_counter() - started < 5
    assert found["location_status"].value_counts().filter(location_status="inside")["count"].item() > 80_000


@pytest.mark.parametrize(
    ("code", "name", "year", "status", "current"),
    [
        ("BU00140001", "A", 2020, "same", "BU00140001"),
        ("BU00140001", None, 2020, "same", "BU00140001"),
        ("BU00140001", "Z", 2020, "unknown", None),
        ("BU00140009", "old", 2020, "recoded", "BU00140002"),
        ("BU00140009", "old", 2024, "unknown", None),
        ("BU00140008", "old", 2020, "split", None),
        ("BU00140007", "old", 2020, "split", None),
        ("BU00140006", "new", 2020, "unknown", None),
        ("BU01060001", "A", 2020, "other_municipality", None),
        ("WK001400", "A", 2020, "not_a_neighbourhood", None),
    ],
)
def test_a_code_of_another_year_is_carried_over(neighbourhoods, code, name, year, status, current):
    successions = pl.DataFrame(
        [
            ("GM0014", "2020", "BU00140009", "2024", "BU00140002", "recoded", ""),
            ("GM0014", "2020", "BU00140008", "2024", "BU00140001", "split", ""),
            ("GM0014", "2020", "BU00140008", "2024", "BU00140002", "split", ""),
            ("GM0014", "2020", "BU00140007", "2024", "BU00140001", "merged", ""),
            ("GM0014", "2024", "BU00140006", "2026", "BU00140010", "recoded", ""),
        ],
        schema=["municipality_code", "from_year", "from_code", "to_year", "to_code", "kind", "source"],
        orient="row",
    )
    regions = pl.DataFrame(
        {"region_code": [code], "region_name": [name]}, schema={"region_code": pl.String, "region_name": pl.String}
    )
    found = carried_over(regions, year, neighbourhoods, successions, "GM0014")
    assert found.select("code_status", "current_code").row(0) == (status, current)
