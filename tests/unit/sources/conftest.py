"""Payloads and contexts for parsers, made the way the application makes them: landed, with their batches."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest

from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Landing, Payload
from groningen_data.places import spatial_connection
from groningen_data.settings import load_settings
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
    """Two squares of 0.01 degree that share the border at 6.56."""
    rows = [("BU00140000", "Binnenstad-Noord", 6.55, 6.56), ("BU00140001", "Binnenstad-Zuid", 6.56, 6.57)]
    with spatial_connection() as connection:
        outlines = [
            connection.execute("SELECT ST_AsWKB(ST_MakeEnvelope(?, 53.21, ?, 53.22))::BLOB", [w, e]).fetchall()[0][0]
            for _, _, w, e in rows
        ]
    return pl.DataFrame(
        {
            "neighbourhood_code": [code for code, *_ in rows],
            "neighbourhood_name": [name for _, name, *_ in rows],
            "code_year": [2024, 2024],
            "outline_wkb": outlines,
        }
    )


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
