"""The lakehouse as a Dagster resource, built on dagster-duckdb's."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from groningen_data.lakehouse import Lakehouse
from groningen_data.settings import Settings


class LakehouseResource(DuckDBResource):
    """A `DuckDBResource` whose connections have the lake attached, read-only, as `lake`.

    Writing goes through the gate only, which takes the writer's lock.
    """

    settings: dg.ResourceDependency[Settings]
    database: str = ":memory:"

    @property
    def lakehouse(self) -> Lakehouse:
        return Lakehouse(self.settings)

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self.lakehouse.reader() as connection:
            yield connection
