"""What the pipeline tests share: a whole refresh without Dagster, and the sample city refreshed once."""

import os
from pathlib import Path

import pytest
from filelock import FileLock

from groningen_data.settings import Settings, load_settings
from tests.pipeline.drive import refresh

SHARED_DATA = Path(__file__).parents[3] / "shared" / "data"


def sample_settings(folder: Path, **overrides: object) -> Settings:
    return load_settings(profile="sample", data_dir=folder, **overrides)


@pytest.fixture(scope="session")
def sample_lake(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The profile's whole sample city, refreshed and served once for all test processes; tests only read it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    settings, made = sample_settings(folder / "sample-lake"), folder / "sample-lake.made"
    with FileLock(folder / "sample-lake.lock"):
        if not made.exists():
            refresh(settings)
            made.touch()
    return settings
