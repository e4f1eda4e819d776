"""Outlines end to end: from the lake to GeoJSON in the serving database, GeoParquet beside it, and a map of them."""

import json
from datetime import UTC, datetime

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from groningen_data.contracts import all_contracts
from groningen_data.extensions import load_extension
from groningen_data.lakehouse import Lakehouse
from groningen_data.lakehouse.tables import ensure_table
from groningen_data.serving.charts import draw
from groningen_data.serving.publish import publish_serving
from groningen_data.serving.query import query
from groningen_data.settings import load_settings

TABLE = "core.reference_neighbourhoods"
SQUARE = "POLYGON ((6.5 53.2, 6.6 53.2, 6.6 53.3, 6.5 53.3, 6.5 53.2))"
ISLANDS = "MULTIPOLYGON (((6.7 53.1, 6.8 53.1, 6.7 53.2, 6.7 53.1)), ((6.61 53.25, 6.62 53.25, 6.61 53.26, 6.61 53.25)))"
# Of the outer ring and of the hole.
RING = "POLYGON ((6.2 53, 6.4 53, 6.4 53.123456789, 6.2 53), (6.3 53.02, 6.32 53.02, 6.32 53.03, 6.3 53.02))"


@pytest.fixture
def lakehouse(tmp_path):
    return Lakehouse(load_settings(data_dir=tmp_path / "data"))


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Lakehouse:
    """Three neighbourhoods, published once; for tests that only read."""
    lakehouse = Lakehouse(load_settings(data_dir=tmp_path_factory.mktemp("published")))
    fill(lakehouse, [SQUARE, ISLANDS, RING])
    publish_serving(lakehouse)
    return lakehouse


def fill(lakehouse: Lakehouse, outlines: list[str]) -> None:
    """Replace the neighbourhoods of the lake, given in descending order of their codes."""
    with lakehouse.writer("test") as con:
        ensure_table(con, all_contracts()[TABLE])
        con.execute(f"DELETE FROM lake.{TABLE}")
        for n, outline in reversed(list(enumerate(outlines))):
            con.execute(
                f"INSERT INTO lake.{TABLE} BY NAME SELECT ? AS neighbourhood_code, ? AS neighbourhood_name, 'WK001400' AS "
                "district_code, 'Centrum' AS district_name, 'GM0014' AS municipality_code, 2024 AS code_year, 12.5 AS land_area_ha, "
                "6.5 AS centre_longitude, 53.2 AS centre_latitude, ST_AsWKB(?::GEOMETRY)::BLOB AS outline_wkb, 4326 AS outline_epsg, "
                "28992 AS source_epsg",
                [f"BU0014000{n}", f"Buurt {n}", outline],
            )


def geoparquet(lakehouse: Lakehouse):
    return lakehouse.settings.serving_dir / "reference_neighbourhoods.parquet"


def described(lakehouse: Lakehouse) -> dict:
    return json.loads(pq.read_schema(geoparquet(lakehouse)).metadata[b"geo"])


class TestGeoParquet:
    def test_it_describes_itself_as_the_specification_asks(self, published):
        assert described(published) == {
            "version": "1.1.0",
            "primary_column": "geometry",
            "columns": {
                "geometry": {
                    "encoding": "WKB",
                    "geometry_types": ["MultiPolygon", "Polygon"],
                    "bbox": [6.2, 53.0, 6.8, 53.3],
                }
            },
        }

    def test_it_holds_codes_names_and_outlines_in_the_order_of_the_codes(self, published):
        frame = pl.read_parquet(geoparquet(published))
        assert frame["neighbourhood_code"].to_list() == ["BU00140000", "BU00140001", "BU00140002"]
        assert frame["geometry"].dtype == pl.Binary
        assert {"neighbourhood_name", "district_code", "district_name", "municipality_code", "code_year"} < set(frame.columns)
        assert not [c for c in frame.columns if c.startswith("outline_") and c != "outline_epsg"]

    @pytest.mark.parametrize(("row", "outline"), [(0, SQUARE), (1, ISLANDS), (2, RING)], ids=["square", "islands", "ring"])
    def test_outlines_arrive_unchanged_to_the_last_digit(self, published, row, outline):
        with duckdb.connect() as con:
            load_extension(con, "spatial")
            sql = f"SELECT ST_AsWKB(geometry) = ST_AsWKB(?::GEOMETRY) FROM '{geoparquet(published)}' ORDER BY neighbourhood_code"
            assert con.execute(sql, [outline]).fetchall()[row] == (True,)

    def test_duckdb_with_spatial_functions_reads_it_as_geometry(self, published):
        with duckdb.connect() as con:
            load_extension(con, "spatial")
            kind, inside = con.execute(
                f"SELECT any_value(typeof(geometry)), list(neighbourhood_code) FILTER (ST_Contains(geometry, ST_Point(6.55, 53.25))) "
                f"FROM '{geoparquet(published)}'"
            ).fetchall()[0]  # fmt: skip
        assert kind.startswith("GEOMETRY")
        assert inside == ["BU00140000"]

    def test_a_changed_outline_is_published_an_equal_one_left_alone_and_a_missing_file_made_again(self, lakehouse):
        fill(lakehouse, [SQUARE])
        publish_serving(lakehouse)
        before = geoparquet(lakehouse).stat().st_mtime_ns
        assert not publish_serving(lakehouse).changed
        assert geoparquet(lakehouse).stat().st_mtime_ns == before
        fill(lakehouse, [SQUARE, ISLANDS])
        assert publish_serving(lakehouse).changed
        geoparquet(lakehouse).unlink()
        assert publish_serving(lakehouse).changed
        assert described(lakehouse)["columns"]["geometry"]["bbox"] == [6.5, 53.1, 6.8, 53.3]

    def test_it_is_there_and_valid_before_any_neighbourhood_is(self, lakehouse):
        with lakehouse.writer("test"):
            pass
        publish_serving(lakehouse)
        assert described(lakehouse)["columns"] == {"geometry": {"encoding": "WKB", "geometry_types": []}}
        assert pl.read_parquet(geoparquet(lakehouse)).height == 0


class TestSql:
    def test_outlines_are_text_that_any_client_reads(self, published):
        config = {"autoload_known_extensions": False, "autoinstall_known_extensions": False}
        marts = str(published.settings.serving_dir / "marts.duckdb")
        with duckdb.connect(marts, read_only=True, config=config) as con:
            rows = con.execute("SELECT neighbourhood_name, outline_geojson FROM reference_neighbourhoods").fetchall()
        outlines = {name: json.loads(text) for name, text in rows}
        assert outlines["Buurt 0"] == {
            "type": "Polygon",
            "coordinates": [[[6.5, 53.2], [6.6, 53.2], [6.6, 53.3], [6.5, 53.3], [6.5, 53.2]]],
        }
        assert outlines["Buurt 1"]["type"] == "MultiPolygon"
        assert len(outlines["Buurt 2"]["coordinates"]) == 2

    def test_the_dictionary_knows_the_column_as_it_is_served(self, published):
        sql = "SELECT column_name, type, title_nl FROM dictionary.columns WHERE table_name = 'reference_neighbourhoods'"
        columns = {name: (kind, title) for name, kind, title in query(published.settings, sql).rows}
        assert columns["outline_geojson"] == ("VARCHAR", "Omtrek")
        assert "outline_wkb" not in columns

    def test_outlines_of_the_past_are_those_of_then(self, lakehouse):
        fill(lakehouse, [SQUARE, ISLANDS, RING])
        past = datetime.now(UTC)
        fill(lakehouse, [SQUARE])
        publish_serving(lakehouse)
        count = "SELECT count(*) FROM reference_neighbourhoods WHERE outline_geojson IS NOT NULL"
        assert list(query(lakehouse.settings, count).rows) == [(1,)]
        assert list(query(lakehouse.settings, count, past).rows) == [(3,)]
        chart = draw(lakehouse.settings, "SELECT neighbourhood_code, land_area_ha FROM reference_neighbourhoods", past)
        assert chart.answer.rows == 3


def test_a_map_is_drawn_from_what_was_published(published):
    chart = draw(published.settings, "SELECT neighbourhood_code, land_area_ha FROM reference_neighbourhoods")
    assert chart.spec["title"]["text"] == "Oppervlakte land per buurt"
    assert chart.png().startswith(b"\x89PNG")
