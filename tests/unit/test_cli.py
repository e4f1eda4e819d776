"""What the shell makes of trouble that is not ours."""

import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from groningen_data.cli import _dagsters_storage
from groningen_data.errors import GroningenError


def test_a_full_disk_under_dagsters_storage_is_one_clear_line(monkeypatch):
    monkeypatch.setenv("GRONINGEN_DAGSTER_DIR", "/some/where")
    with pytest.raises(GroningenError) as caught, _dagsters_storage():
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))
    assert str(caught.value).startswith("Dagster's storage: cannot be used: database or disk is full →")
    assert "/some/where" in str(caught.value)
