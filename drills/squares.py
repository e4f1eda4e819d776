"""A city of two neighbourhoods, small enough to know by heart."""

import polars as pl

from groningen_data.places import spatial_connection


def squares() -> pl.DataFrame:
    """Rows as in `core.reference_neighbourhoods`: two squares of 0.01 degree that share the border at 6.56."""
    corners = [("BU00140000", "Binnenstad-Noord", 6.55, 6.56), ("BU00140001", "Binnenstad-Zuid", 6.56, 6.57)]
    with spatial_connection() as con:
        outlines = [
            con.execute("SELECT ST_AsWKB(ST_MakeEnvelope(?, 53.21, ?, 53.22))::BLOB", [west, east]).fetchall()[0][0]
            for _, _, west, east in corners
        ]
    return pl.DataFrame(
        {
            "neighbourhood_code": [code for code, *_ in corners],
            "neighbourhood_name": [name for _, name, *_ in corners],
            "code_year": [2024, 2024],
            "outline_wkb": outlines,
        }
    )
