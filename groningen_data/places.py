"""Where things are: points to neighbourhoods by their outlines, and codes of other years to current codes.

Uses DuckDB's spatial functions on a connection of its own; the lakehouse is never attached here.
"""

from functools import cache

import duckdb
import polars as pl

from groningen_data.extensions import ENGINE, load_extension


def spatial_connection() -> duckdb.DuckDBPyConnection:
    """A new cursor on an in-memory DuckDB with the spatial functions; what it creates must be temporary.

    Raises:
        LakehouseError: The extension package is missing or belongs to another version of DuckDB.
    """
    return _spatial_database().cursor()


@cache
def _spatial_database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={**ENGINE, "threads": 2})
    load_extension(connection, "spatial")
    return connection


class Locator:
    """Finds the neighbourhood of points.

    Args:
        neighbourhoods: Rows of `core.reference_neighbourhoods`: `neighbourhood_code` and `outline_wkb` (EPSG:4326).
    """

    def __init__(self, neighbourhoods: pl.DataFrame) -> None:
        self._connection = spatial_connection()
        outlines = neighbourhoods.select(pl.col("neighbourhood_code").cast(pl.String), pl.col("outline_wkb").cast(pl.Binary))
        self._connection.register("outlines", outlines.to_arrow())
        self._connection.execute(
            "CREATE TEMP TABLE hoods AS SELECT neighbourhood_code, ST_GeomFromWKB(outline_wkb) AS outline FROM outlines"
        )
        self._connection.unregister("outlines")

    def locate(self, frame: pl.DataFrame, longitude: str = "longitude", latitude: str = "latitude") -> pl.DataFrame:
        """The frame plus `neighbourhood_code` and `location_status` (inside, outside_municipality, no_location).

        A point on a shared border belongs to the neighbourhood with the lowest code. Order of rows is kept.

        Args:
            frame: Rows with a point in degrees (EPSG:4326); text that is not a number counts as no location.
            longitude: Column with the longitude.
            latitude: Column with the latitude.
        """
        point = [_degrees(longitude).alias("_x"), _degrees(latitude).alias("_y")]
        located = frame.with_columns(point)
        found = self._found(located.select("_x", "_y").drop_nulls().unique())
        known = pl.col("_x").is_not_null() & pl.col("_y").is_not_null()
        status = (
            pl.when(~known)
            .then(pl.lit("no_location"))
            .when(pl.col("neighbourhood_code").is_null())
            .then(pl.lit("outside_municipality"))
            .otherwise(pl.lit("inside"))
        )
        joined = located.join(found, on=["_x", "_y"], how="left", maintain_order="left")
        return joined.with_columns(status.alias("location_status")).drop("_x", "_y")

    def _found(self, points: pl.DataFrame) -> pl.DataFrame:
        self._connection.register("points", points.to_arrow())
        found = self._connection.execute(
            """
            SELECT p._x, p._y, min(h.neighbourhood_code) AS neighbourhood_code
            FROM (SELECT _x, _y, ST_Point(_x, _y) AS point FROM points) p JOIN hoods h ON ST_Intersects(h.outline, p.point)
            GROUP BY ALL
            """
        ).pl()
        self._connection.unregister("points")
        return found.cast({"_x": pl.Float64, "_y": pl.Float64, "neighbourhood_code": pl.String})


def _degrees(column: str) -> pl.Expr:
    value = pl.col(column).cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value + 0.0)


def carried_over(
    regions: pl.DataFrame,
    year: int,
    neighbourhoods: pl.DataFrame,
    successions: pl.DataFrame,
    municipality_code: str,
) -> pl.DataFrame:
    """The regions plus `current_code` and `code_status`: how a code of `year` relates to the published neighbourhoods.

    A code that is listed today under another name, without a succession that says so, may have been given to another
    area since: its status is `unknown`.

    Args:
        regions: Rows with `region_code` and `region_name` (may be null), one per region.
        year: Year of the codes.
        neighbourhoods: Published neighbourhoods: `neighbourhood_code`, `neighbourhood_name`, `code_year`.
        successions: Rows of `data/reference/neighbourhood_successions.csv`.
        municipality_code: Municipality of the lakehouse.
    """
    current_year = neighbourhoods["code_year"].max() if neighbourhoods.height else None
    current = neighbourhoods.select(
        region_code="neighbourhood_code", _current="neighbourhood_code", _name="neighbourhood_name"
    ).unique("region_code")
    past = (
        successions.filter(
            pl.col("from_year").cast(pl.Int64) <= (current_year or 0),
            pl.col("to_year").cast(pl.Int64) <= (current_year or 0),
            pl.col("to_year").cast(pl.Int64) > year,
        )
        .group_by(region_code="from_code")
        .agg(
            pl.col("to_code").first().alias("_to"),
            ((pl.col("kind") == "recoded").all() & (pl.len() == 1)).alias("_recoded"),
            (pl.col("from_year").cast(pl.Int64).max() >= year).alias("_surely"),
        )
    )
    code = pl.col("region_code")
    renamed = _plain("_name") != _plain("region_name")
    listed = pl.col("_current").is_not_null() & ~pl.col("_surely").fill_null(False)
    status = (
        pl.when(~code.str.starts_with("BU"))
        .then(pl.lit("not_a_neighbourhood"))
        .when(code.str.slice(2, 4) != municipality_code[2:])
        .then(pl.lit("other_municipality"))
        # Between the two years of a succession a code still listed today already means what it means today.
        .when(listed & ~renamed.fill_null(False))
        .then(pl.lit("same"))
        .when(pl.col("_recoded"))
        .then(pl.lit("recoded"))
        .when(pl.col("_to").is_not_null())
        .then(pl.lit("split"))
        .otherwise(pl.lit("unknown"))
    )
    joined = regions.join(current, on="region_code", how="left", maintain_order="left")
    joined = joined.join(past, on="region_code", how="left", maintain_order="left").with_columns(status.alias("code_status"))
    target = (
        pl.when(pl.col("code_status") == "same").then(pl.col("_current")).when(pl.col("code_status") == "recoded").then("_to")
    )
    return joined.with_columns(target.alias("current_code")).drop("_current", "_name", "_to", "_recoded", "_surely")


def _plain(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]", "")
