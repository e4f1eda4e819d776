"""Outlines as readers get them: GeoJSON text in the serving database, and GeoParquet beside it for geographic programs.

The lake keeps an outline as bytes in a column `…_wkb`; whatever is served of it is made here. No table is named in this module.
"""

import json
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from groningen_data.extensions import load_extension

_BYTES, _TEXT = "_wkb", "_geojson"
_GEOMETRY = "geometry"
# https://geoparquet.org/releases/v1.1.0/: without `crs`, coordinates are OGC:CRS84, longitude and latitude in degrees.
_VERSION = "1.1.0"
_TYPES = {"POLYGON": "Polygon", "MULTIPOLYGON": "MultiPolygon"}


def load(con: duckdb.DuckDBPyConnection) -> None:
    """Give a connection the spatial functions; they take some time, which a publication without new outlines is spared."""
    load_extension(con, "spatial")


def is_outline(column: str) -> bool:
    """Whether a column of a contract holds outlines."""
    return column.endswith(_BYTES)


def served_name(column: str) -> str:
    """The name under which a column of outlines is served: `outline_geojson` for `outline_wkb`."""
    return f"{column.removesuffix(_BYTES)}{_TEXT}"


def served_value(column: str) -> str:
    """SQL of an outline as text (GeoJSON, RFC 7946), which every DuckDB and every other program can read; needs spatial."""
    return f'CAST(ST_AsGeoJSON(ST_GeomFromWKB("{column}")) AS VARCHAR)'


def served_outline(con: duckdb.DuckDBPyConnection, table: str) -> str | None:
    """The column of a served table that holds outlines as text; None when it has none."""
    columns = con.execute(f"FROM {table} LIMIT 0").description or []
    return next((column[0] for column in columns if column[0].endswith(_TEXT)), None)


def write_geoparquet(con: duckdb.DuckDBPyConnection, table: str, order: str, path: Path) -> None:
    """Write a served table as GeoParquet 1.1: the same rows and columns, its outlines as WKB in column `geometry`.

    Args:
        con: A connection.
        table: A served table with outlines, in degrees.
        order: The columns that its rows are ordered by.
        path: Where to; overwritten.
    """
    load(con)
    outline = served_outline(con, table)
    shape = f'ST_GeomFromGeoJSON("{outline}")'
    rows = con.execute(
        f'SELECT * EXCLUDE ("{outline}"), CAST(ST_AsWKB({shape}) AS BLOB) AS {_GEOMETRY} FROM {table} ORDER BY {order}'
    ).to_arrow_table()
    kinds, *bounds = con.execute(
        f"SELECT list_sort(list(DISTINCT CAST(ST_GeometryType(shape) AS VARCHAR))), min(ST_XMin(shape)), min(ST_YMin(shape)), "
        f"max(ST_XMax(shape)), max(ST_YMax(shape)) FROM (SELECT {shape} AS shape FROM {table})"
    ).fetchall()[0]
    described = {"encoding": "WKB", "geometry_types": sorted(_TYPES[kind] for kind in kinds or [])}
    box = {"bbox": bounds} if rows.num_rows else {}
    geo = {"version": _VERSION, "primary_column": _GEOMETRY, "columns": {_GEOMETRY: described | box}}
    pq.write_table(rows.replace_schema_metadata({"geo": json.dumps(geo)}), path, compression="zstd")
