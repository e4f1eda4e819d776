"""The watch judges the serving folder by the real clock and says what is wrong in one line."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from groningen_data import watch
from groningen_data.serving import publish
from groningen_data.settings import Settings
from groningen_data.watch import check

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A serving folder as it should be, refreshed six hours before `NOW`."""
    settings = Settings(data_dir=tmp_path, refresh_max_age_h=26, as_of=datetime(2020, 1, 1, tzinfo=UTC))
    settings.serving_dir.mkdir()
    with duckdb.connect(str(settings.serving_dir / watch.MARTS)) as con:
        con.execute("CREATE TABLE mart AS SELECT 1 AS one")
    refreshed(settings, NOW - timedelta(hours=6))
    return settings


def refreshed(settings: Settings, at: datetime) -> None:
    facts = {"refreshed_at": at.isoformat(), "as_of": "2020-01-01T00:00:00+00:00", "marts_sha256": "0" * 64}
    (settings.serving_dir / watch.REFRESHED).write_text(json.dumps(facts), encoding="utf-8")


def test_a_fresh_and_readable_serving_folder_is_fine(settings):
    report = check(settings, NOW)
    assert report.ok
    assert report.message.startswith("refreshed 6.0 h ago")
    assert report.refreshed_at == NOW - timedelta(hours=6)


def test_the_watch_reads_the_files_that_serving_writes():
    assert (watch.REFRESHED, watch.MARTS) == (publish.REFRESHED, publish.MARTS)


def test_the_logical_clock_does_not_matter(settings):
    assert not check(settings.model_copy(update={"as_of": NOW - timedelta(hours=6)}), NOW + timedelta(days=3)).ok


def test_a_platform_that_was_never_refreshed_is_reported(tmp_path):
    report = check(Settings(data_dir=tmp_path), NOW)
    assert not report.ok
    assert "nothing was ever refreshed" in report.message
    assert "groningen refresh" in report.message


@pytest.mark.parametrize("hours, ok", [(0, True), (25.9, True), (26, True), (26.1, False), (500, False)])
def test_a_refresh_may_be_as_old_as_the_setting_says(settings, hours, ok):
    refreshed(settings, NOW - timedelta(hours=hours))
    report = check(settings, NOW)
    assert report.ok is ok
    assert ok or (f"{hours:.1f} h old" in report.message and "at most 26 h" in report.message)


@pytest.mark.parametrize("minutes, ok", [(59, True), (61, False)])
def test_a_refresh_in_the_future_is_a_wrong_clock_beyond_an_hour(settings, minutes, ok):
    refreshed(settings, NOW + timedelta(minutes=minutes))
    report = check(settings, NOW)
    assert report.ok is ok
    assert ok or "lies in the future" in report.message


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"refreshed_at": null}', '{"refreshed_at": 5}', '{"refreshed_at": "yesterday"}', b"\xff\xfe",
     '{"refreshed_at": "2026-11-23T02:00:00"}'],
)  # fmt: skip
def test_facts_that_cannot_be_read_are_reported(settings, text):
    (settings.serving_dir / watch.REFRESHED).write_bytes(text if isinstance(text, bytes) else text.encode())
    report = check(settings, NOW)
    assert not report.ok
    assert "cannot be read" in report.message


def test_a_local_time_with_its_zone_is_understood(settings):
    refreshed(settings, datetime.fromisoformat("2026-11-23T08:30:00+01:00"))
    assert check(settings, NOW).message.startswith("refreshed 0.5 h ago")


def test_a_missing_serving_database_is_reported(settings):
    (settings.serving_dir / watch.MARTS).unlink()
    report = check(settings, NOW)
    assert not report.ok
    assert "marts.duckdb is missing" in report.message


def test_a_damaged_serving_database_is_reported(settings):
    (settings.serving_dir / watch.MARTS).write_bytes(b"not a database" * 100)
    report = check(settings, NOW)
    assert not report.ok
    assert "cannot be opened" in report.message


def test_a_serving_database_without_tables_is_reported(settings):
    path = settings.serving_dir / watch.MARTS
    path.unlink()
    duckdb.connect(str(path)).close()
    assert "holds no tables" in check(settings, NOW).message


def test_the_watch_changes_nothing(settings):
    before = {p.name: (p.stat().st_mtime_ns, p.stat().st_size) for p in settings.serving_dir.iterdir()}
    check(settings, NOW)
    assert {p.name: (p.stat().st_mtime_ns, p.stat().st_size) for p in settings.serving_dir.iterdir()} == before
