"""What the pipeline tests share: a whole refresh without Dagster, and the sample city refreshed once."""

from pathlib import Path

import pytest

from groningen_data.settings import Settings, load_settings
from tests.pipeline.drive import refresh

SHARED_DATA = Path(__file__).parents[3] / "shared" / "data"


def sample_settings(folder: Path, **overrides: object) -> Settings:
    return load_settings(profile="sample", data_dir=folder, **overrides)


@pytest.fixture(scope="session")
def sample_lake(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The sample city, refreshed and served once; tests only read it."""
    settings = sample_settings(tmp_path_factory.mktemp("sample"))
    refresh(settings)
    return settings
