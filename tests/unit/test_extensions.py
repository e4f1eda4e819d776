"""Extensions come from their wheels, and only as DuckDB's makers signed them."""

import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import duckdb
import pytest

from groningen_data import extensions
from groningen_data.errors import LakehouseError
from groningen_data.extensions import ENGINE, load_extension

NAME = "sqlite_scanner"


@pytest.fixture
def wheel(tmp_path, monkeypatch) -> Path:
    """A copy of an extension's file, which is found in place of the installed one."""
    (installed,) = importlib.util.find_spec(f"duckdb_extension_{NAME}").submodule_search_locations
    place = Path("extensions", f"v{duckdb.__version__}", f"{NAME}.duckdb_extension")
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).write_bytes((Path(installed) / place).read_bytes())
    spec = ModuleSpec("found", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    return tmp_path / place


def load() -> None:
    with duckdb.connect(config=dict(ENGINE)) as con:
        load_extension(con, NAME)
        assert con.execute("SELECT loaded FROM duckdb_extensions() WHERE extension_name = ?", [NAME]).fetchone() == (True,)


def test_a_file_is_checked_once_and_once_more_when_it_changed(wheel):
    extensions._check.cache_clear()
    for _ in range(3):
        load()
    assert extensions._check.cache_info().misses == 1
    content = bytearray(wheel.read_bytes())
    content[len(content) // 2] ^= 1
    wheel.unlink()  # The old one is still mapped into this process.
    wheel.write_bytes(content)
    with pytest.raises(duckdb.Error, match="signature"):
        load()


def test_a_missing_wheel_is_told_with_the_way_out(wheel):
    wheel.unlink()
    with pytest.raises(LakehouseError, match=r"has no wheel for DuckDB .* → install requirements.lock as it is"):
        load()
