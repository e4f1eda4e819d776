"""Frames set aside in files while a batch is made; nothing here outlives it."""

from io import BytesIO
from pathlib import Path

import polars as pl


def set_aside(rows: pl.DataFrame, path: Path) -> None:
    """Write a frame to a Parquet file.

    Raises:
        OSError: The disk is full, or fails. Polars itself tells that as an error of its own, which a parser's error would be taken
            for: a batch would be refused for what is the machine's trouble.
    """
    buffer = BytesIO()
    rows.write_parquet(buffer, compression="lz4")
    path.write_bytes(buffer.getbuffer())
