"""Payloads and contexts for parsers, made the way the application makes them: landed, with their batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
import stamina

from drills.squares import squares
from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Landing, Payload
from groningen_data.replica.app import running
from groningen_data.replica.faults import Faults
from groningen_data.settings import Settings, load_settings
from groningen_data.sources.base import FileSource

REAL = Path(__file__).parents[3] / "../shared/data"
MakePayload = Callable[..., Payload]
MakeContext = Callable[..., BuildContext]


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


@pytest.fixture
def payload(landing: Landing) -> MakePayload:
    """`payload(source, name, bytes)`: a landed payload with the batches that its source sees in it."""

    def make(source: FileSource, name: str, data: bytes) -> Payload:
        return source._with_batches(landing.land(source.name, name, BytesIO(data)))

    return make


@pytest.fixture
def context(tmp_path: Path, neighbourhoods: pl.DataFrame) -> MakeContext:
    """`context(**settings)`: what a parser gets, with two square neighbourhoods published."""

    def make(**settings: object) -> BuildContext:
        return BuildContext(load_settings(data_dir=tmp_path, **settings), lambda table: neighbourhoods)

    return make


@pytest.fixture(scope="session")
def neighbourhoods() -> pl.DataFrame:
    return squares()


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real files; tests that need it are skipped where it does not exist."""
    if not REAL.is_dir():
        pytest.skip("the folder of real files is not here")
    return REAL


@dataclass(frozen=True)
class RealPayloads:
    """Lands real files of a source."""

    root: Path
    landing: Landing

    def __call__(self, source: FileSource) -> list[Payload]:
        found = []
        for path in source.find(self.root):
            with path.open("rb") as stream:
                found.append(source._with_batches(self.landing.land(source.name, path.name, stream)))
        return found


@pytest.fixture
def real_payloads(real: Path, landing: Landing) -> RealPayloads:
    return RealPayloads(real, landing)


@pytest.fixture(scope="module")
def faults() -> Faults:
    """The faults of the module's replica."""
    return Faults()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder whose sample city the module's replica serves."""
    return tmp_path_factory.mktemp("city")


@pytest.fixture(scope="module")
def address(request: pytest.FixtureRequest, city: Path, faults: Faults) -> Iterator[str]:
    """Where the module's replica listens; its city covers the module's `DAYS`."""
    with running(load_settings(profile="replica", data_dir=city, sample_days=request.module.DAYS), faults) as url:
        yield url


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path, address: str, faults: Faults) -> Iterator[Settings]:
    """Those of an empty data folder that pulls from the module's replica: three attempts, without waiting in between."""
    faults.clear()
    with stamina.set_testing(True, attempts=3):
        yield load_settings(
            profile="replica", data_dir=tmp_path, sample_days=request.module.DAYS, replica_url=address, http_rate_per_s=1000
        )
    faults.clear()
