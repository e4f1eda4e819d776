"""Frames set aside while a batch is made."""

import errno
from pathlib import Path

import polars as pl
import pytest

from groningen_data.lakehouse.scratch import set_aside


def test_a_frame_comes_back(tmp_path):
    rows = pl.DataFrame({"a": [1, None], "b": ["x", "é"]})
    set_aside(rows, tmp_path / "a.parquet")
    assert pl.read_parquet(tmp_path / "a.parquet").equals(rows)


def test_a_full_disk_is_the_machines_trouble_and_no_error_of_the_data():
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    with pytest.raises(OSError) as caught:
        set_aside(pl.DataFrame({"a": [1]}), Path("/dev/full"))
    assert caught.value.errno == errno.ENOSPC
