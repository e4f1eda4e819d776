import hashlib
import multiprocessing
import time
from pathlib import Path
from threading import Event

import pytest

from groningen_data.errors import SettingsError
from groningen_data.sample import city
from groningen_data.sample.city import being_built, build
from groningen_data.sample.facts import City
from groningen_data.sample.wire import Payloads
from groningen_data.settings import Settings


def digests(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def small(data_dir: Path, **changes: object) -> Settings:
    return Settings(data_dir=data_dir, **{"sample_days": 2, **changes})


def test_the_same_settings_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = build(small(tmp_path / "a")), build(small(tmp_path / "b"))
    assert digests(first) == digests(second)


def test_another_seed_gives_other_payloads(tmp_path: Path) -> None:
    first, second = digests(build(small(tmp_path / "a"))), digests(build(small(tmp_path / "b", sample_seed=15)))
    assert first.keys() == second.keys()
    changed = {path for path in first if first[path] != second[path]}
    same = {
        "geo/groningen_buurten_2024.geojson",
        "traffic/bicycle_counters.json",
        "traffic/events.csv",
        "traffic/measurement_2026-03-15.xml.gz",
        "traffic/ndw_measurement_locations.json.gz",
        "traffic/parking.csv",
        "traffic/policy_measures.csv",
        "waste/depots.csv",
        "waste/vehicles.csv",
    }
    assert {path for path in first if not path.startswith("cbs/")} - changed == same
    assert "cbs/cbs.v3.85984NED_TypedDataSet.json" in changed


def test_a_longer_sample_keeps_the_days_it_shares(tmp_path: Path) -> None:
    short, longer = digests(build(small(tmp_path / "a"))), digests(build(small(tmp_path / "b", sample_days=4)))
    # The first telemetry file has no late rows of the day before the sample.
    shared = [path for path in short if "2026-03-1" in path and path != "waste/fill_levels_2026-03-14.parquet"]
    assert len(shared) > 10 and all(short[path] == longer[path] for path in shared)


def test_processes_beside_each_other_make_the_same_city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = digests(build(small(tmp_path / "a")))
    monkeypatch.setattr(city, "_DAYS_WORTH_A_PROCESS", 2)
    monkeypatch.setattr(city.os, "cpu_count", lambda: 2)
    assert digests(build(small(tmp_path / "b"))) == alone


def test_it_is_built_while_the_caller_goes_on_and_who_needs_it_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go_on, weather = Event(), city.MAKERS["weather"]

    def waiting(of: City) -> Payloads:
        assert may_go_on.wait(60)
        return weather(of)

    monkeypatch.setattr(city, "MAKERS", {"weather": waiting})
    settings = small(tmp_path)
    with being_built(settings) as built:
        assert not settings.sample_dir.exists()
        may_go_on.set()
        assert sorted(p.name for p in built().iterdir()) == [city.MARKER, "weather"]


def test_what_keeps_it_from_being_built_is_told_to_who_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(of: City) -> Payloads:
        raise OSError("No space left on device")

    monkeypatch.setattr(city, "MAKERS", {"weather": full})
    with being_built(small(tmp_path)) as built, pytest.raises(OSError, match="No space"):
        built()


def test_who_leaves_earlier_gives_it_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(city.os, "cpu_count", lambda: 2)
    settings = small(tmp_path, sample_days=400)
    with pytest.raises(KeyError), being_built(settings):
        while not multiprocessing.active_children():
            time.sleep(0.01)
        raise KeyError
    deadline = time.monotonic() + 10
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not multiprocessing.active_children()
    assert not settings.sample_dir.exists()


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    settings = small(tmp_path)
    folder = build(settings)
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    assert build(settings) == folder == settings.sample_dir
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before


def test_other_settings_replace_the_whole_folder(tmp_path: Path) -> None:
    longer = build(small(tmp_path, sample_days=3))
    assert len(list(longer.glob("traffic/loops_*"))) == 3
    shorter = build(small(tmp_path))
    assert len(list(shorter.glob("traffic/loops_*"))) == 2


def test_a_newer_generator_makes_the_sample_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = build(small(tmp_path))
    (folder / "geo/groningen_buurten_2024.geojson").unlink()
    monkeypatch.setattr(city, "VERSION", city.VERSION + 1)
    build(small(tmp_path))
    assert (folder / "geo/groningen_buurten_2024.geojson").is_file()


def test_a_build_that_was_killed_leaves_nothing_that_counts(tmp_path: Path) -> None:
    settings = small(tmp_path)
    half_made = settings.sample_dir.with_name(f".{settings.sample_dir.name}.partial") / "traffic"
    half_made.mkdir(parents=True)
    (half_made / "loops_1999-01-01.csv.gz").write_bytes(b"half")
    folder = build(settings)
    assert not half_made.exists()
    assert not list(folder.rglob("loops_1999*"))
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_dir()) == [settings.sample_dir.name]


def test_the_days_end_on_the_day_before_the_logical_clock(folder: Path) -> None:
    days = [p.name.split(".")[0] for p in sorted(folder.glob("waste/open_reports/*"))]
    assert (days[0], days[-1], len(days)) == ("2026-01-15", "2026-03-15", 60)
    assert [p.name[6:16] for p in sorted(folder.glob("traffic/loops_*"))] == days


def test_another_municipality_is_refused_and_told_where_to_go(tmp_path: Path) -> None:
    elsewhere = small(tmp_path, municipality_code="GM0106")
    with pytest.raises(SettingsError, match=r"Groningen.*profile `real`"):
        build(elsewhere)
    with pytest.raises(SettingsError, match=r"Groningen.*profile `real`"), being_built(elsewhere):
        pass
    assert not list(tmp_path.iterdir())
