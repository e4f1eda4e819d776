"""Readers and a writer at once, each a process of its own."""

import time

from tests.integration.lakehouse.lakes import create_twins, end, workers


def test_four_readers_never_see_an_error_or_a_torn_state_while_a_writer_publishes(settings, lakehouse):
    create_twins(lakehouse)
    with workers(settings, "publish", *["read"] * 4) as (writer, *readers):
        time.sleep(1.5)
        (wrote,) = end(writer)
        read = end(*readers)
    assert wrote["published"] >= 10
    assert all(r["reads"] >= 10 and r["versions"] >= 2 for r in read)
