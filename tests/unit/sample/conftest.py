from collections.abc import Iterator
from pathlib import Path

import pytest

from groningen_data.sample.city import build
from groningen_data.settings import Settings


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data_dir=tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def folder(settings: Settings) -> Iterator[Path]:
    yield build(settings)
