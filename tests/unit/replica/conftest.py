"""The replica of a tiny city, on a port of its own."""

from collections.abc import Iterator

import httpx
import pytest

from groningen_data.replica.app import running
from groningen_data.settings import load_settings


@pytest.fixture(scope="session")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Asks it."""
    settings = load_settings(profile="replica", data_dir=tmp_path_factory.mktemp("city"), sample_days=2)
    with running(settings) as url, httpx.Client(base_url=url, timeout=120) as client:
        yield client
