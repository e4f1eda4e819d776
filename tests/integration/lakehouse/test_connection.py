"""Opening the lake: read-only readers, time travel, odd folders, and errors that keep credentials to themselves."""

from datetime import UTC, datetime

import duckdb
import pytest

from groningen_data.errors import LakehouseError
from groningen_data.lakehouse import Lakehouse
from tests.integration.lakehouse.lakes import publish, state


def test_before_anything_was_published_the_reader_says_so(settings, lakehouse):
    with pytest.raises(LakehouseError, match="nothing was published yet"), lakehouse.reader():
        pass
    # A writer that was killed before its first transaction leaves an empty folder.
    lakehouse.files_dir.mkdir(parents=True)
    with pytest.raises(LakehouseError, match="nothing was published yet"), lakehouse.reader():
        pass


def test_a_reader_cannot_write(lakehouse):
    publish(lakehouse, ("a", [1]))
    with lakehouse.reader() as con, pytest.raises(duckdb.Error, match="read-only"):
        con.execute("DELETE FROM lake.core.numbers")


def test_time_travel_shows_each_state_and_nothing_before_the_first(lakehouse):
    before = datetime.now(UTC)
    first, second = publish(lakehouse, ("a", [1]), ("a", [2]))
    publish(lakehouse, ("b", [3]))
    assert state(lakehouse, first) == [("a", 1)]
    assert state(lakehouse, second) == [("a", 2)]
    assert state(lakehouse) == [("a", 2), ("b", 3)]
    with pytest.raises(LakehouseError, match=r"there is no state of .* → choose a later instant"), lakehouse.reader(before):
        pass


@pytest.mark.parametrize("catalog", ["sqlite", "postgresql"])
def test_a_data_folder_may_have_an_apostrophe(make_settings, catalog):
    lakehouse = Lakehouse(make_settings("'s-Gravenhage", catalog))
    publish(lakehouse, ("a", [1]))
    assert state(lakehouse) == [("a", 1)]


SECRET_URIS = [
    "postgresql://clerk:s3cr3t@127.0.0.1:1/lake",
    "postgresql://clerk:s3cr3t@[::bad/lake",
    "host=127.0.0.1 port=1 user=clerk password=s3cr3t",
    "postgresql://clerk:it's3cr3t@127.0.0.1:1/" + "lake" * 100,
]


@pytest.mark.parametrize(
    ("way", "uri"),
    [("reader", SECRET_URIS[0]), ("past", SECRET_URIS[0]), ("catalog", SECRET_URIS[3]), *(("writer", u) for u in SECRET_URIS)],
)
def test_the_credentials_of_the_catalog_are_never_in_an_error(make_settings, way, uri):
    lakehouse = Lakehouse(make_settings("data", "sqlite", catalog_uri=uri))
    lakehouse.files_dir.mkdir(parents=True)
    ways = {
        "writer": lambda: lakehouse.writer("test"),
        "reader": lakehouse.reader,
        "past": lambda: lakehouse.reader(datetime(2020, 1, 1, tzinfo=UTC)),
        "catalog": lakehouse.catalog,
    }
    with pytest.raises(LakehouseError, match="check GRONINGEN_CATALOG_URI") as caught, ways[way]():
        pass
    assert "s3cr3t" not in repr(caught.value) + str(caught.value.__cause__)
    assert caught.value.__suppress_context__
