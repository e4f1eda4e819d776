"""DuckDB's extensions, from their installed wheels; never from the network."""

import importlib.util
from functools import cache
from pathlib import Path
from types import MappingProxyType

import duckdb

from groningen_data.errors import LakehouseError

_OFFLINE = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
ENGINE = MappingProxyType({**_OFFLINE, "allow_unsigned_extensions": True})
"""What a connection is opened with that loads extensions by `load_extension`, which sees to their signatures itself."""


def load_extension(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension.

    DuckDB checks the signature of an extension each time that a connection loads it, and reads the whole file for it: a twentieth
    of a second for each. Here each file is checked once per process, by a connection that takes no unsigned ones.

    Args:
        con: A connection that was opened with `ENGINE`.
        name: Of the extension, such as `spatial`.

    Raises:
        LakehouseError: The wheel is not installed, or is for another DuckDB.
        duckdb.Error: The file is not what DuckDB's makers signed.
    """
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    path = Path(folders[0]) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension" if folders else None
    if path is None or not path.is_file():
        raise LakehouseError(
            f"DuckDB extension {name}", f"has no wheel for DuckDB {duckdb.__version__}", "install requirements.lock as it is"
        )
    facts = path.stat()
    _check(path, facts.st_size, facts.st_mtime_ns)
    con.execute(_load(path))


@cache
def _check(path: Path, size: int, modified_ns: int) -> None:
    with duckdb.connect(config=dict(_OFFLINE)) as con:
        con.execute(_load(path))


def _load(path: Path) -> str:
    return f"LOAD '{str(path).replace(chr(39), chr(39) * 2)}'"
