"""Which delivered files are whose: looked through once for all sources, and once more only where something changed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from groningen_data.landing import Landing
from groningen_data.settings import Settings, load_settings
from groningen_data.sources.base import FileSource
from groningen_data.sources.deliveries import SortedDeliveries


class Office:
    """A folder of files, and sources that know them by their first word."""

    def __init__(self, tmp_path: Path) -> None:
        self.files = tmp_path / "files"
        self.files.mkdir()
        self.settings: Settings = load_settings(profile="real", files=self.files, data_dir=tmp_path / "data")
        self.landing = Landing.of(self.settings)
        self.asked: list[tuple[str, str]] = []

    def put(self, name: str, text: str) -> None:
        (self.files / name).write_text(text)

    def source(self, word: str, version: int = 1, patterns: tuple[str, ...] = ()) -> FileSource:
        def recognises(head):
            self.asked.append((word, head.name))
            if head.text.startswith("odd") and word == "apples":
                raise ValueError("stumbles")
            return head.text.startswith(word)

        return FileSource(word, word, (f"no such {version}", *patterns), recognises, lambda payload: ("all",))

    def sorted(self, *sources: FileSource) -> SortedDeliveries:
        return SortedDeliveries(sources or (self.source("apples"), self.source("pears")), self.settings, self.landing)

    def looked_at(self) -> tuple[SortedDeliveries, FileSource, FileSource]:
        """Two files of apples that were looked at because pears came first, and both sources."""
        self.put("1.txt", "apples")
        self.put("2.txt", "apples")
        apples, pears = self.source("apples"), self.source("pears")
        deliveries = self.sorted(apples, pears)
        assert pears.fetch(self.settings, self.landing, deliveries=deliveries).landed == ()
        return deliveries, apples, pears

    def names(self, deliveries: SortedDeliveries, source: FileSource) -> list[str]:
        return [file.place for file in deliveries.of(source, self.files)]


@pytest.fixture
def office(tmp_path) -> Office:
    return Office(tmp_path)


def test_each_source_gets_its_own_files_and_each_is_looked_at_once(office):
    office.put("1.txt", "apples")
    office.put("2.txt", "pears")
    deliveries = office.sorted()
    assert office.names(deliveries, office.source("apples")) == ["1.txt"]
    assert office.names(deliveries, office.source("pears")) == ["2.txt"]
    assert sorted(office.asked) == [(word, name) for word in ("apples", "pears") for name in ("1.txt", "2.txt")]


def test_the_next_run_opens_only_what_changed(office):
    office.put("1.txt", "apples")
    office.put("2.txt", "pears")
    office.names(office.sorted(), office.source("apples"))
    office.asked.clear()
    office.put("2.txt", "apples too")
    office.put("3.txt", "pears")
    again = office.sorted()
    assert office.names(again, office.source("apples")) == ["1.txt", "2.txt"]
    assert office.names(again, office.source("pears")) == ["3.txt"]
    assert {name for _, name in office.asked} == {"2.txt", "3.txt"}


def test_a_source_that_knows_other_files_by_now_is_asked_about_all_of_them(office):
    office.put("1.txt", "apples")
    office.put("2.csv", "pears")
    assert office.names(office.sorted(), office.source("apples")) == ["1.txt"]
    office.asked.clear()
    wider = office.source("apples", 2, ("*.csv",))
    assert office.names(office.sorted(wider, office.source("pears")), wider) == ["1.txt", "2.csv"]
    assert office.asked == [("apples", "1.txt")]


def test_whoever_asks_again_has_the_folder_looked_through_again(office):
    """As when a visit failed and is tried once more."""
    deliveries = office.sorted()
    assert office.names(deliveries, office.source("apples")) == []
    office.put("1.txt", "apples")
    assert office.names(deliveries, office.source("pears")) == []
    assert office.names(deliveries, office.source("apples")) == ["1.txt"]


def test_a_source_that_stumbles_over_a_file_keeps_no_other_from_its_own(office):
    office.put("1.txt", "odd")
    office.put("2.txt", "pears")
    deliveries = office.sorted()
    assert office.names(deliveries, office.source("pears")) == ["2.txt"]
    for _ in range(2):
        with pytest.raises(ValueError, match="stumbles"):
            deliveries.of(office.source("apples"), office.files)
    office.put("1.txt", "apples")
    assert office.names(deliveries, office.source("apples")) == ["1.txt"]


def test_a_file_that_is_taken_away_meanwhile_is_nobodys(office):
    office.put("1.txt", "apples")
    office.put("2.txt", "apples")
    apples = office.source("apples")

    def taking_away(head):
        (office.files / "2.txt").unlink(missing_ok=True)
        return apples.recognises(head)

    assert office.names(office.sorted(replace(apples, recognises=taking_away)), apples) == ["1.txt"]


def test_a_source_that_misses_a_file_of_its_own_hides_none(office):
    office.put("1.txt", "pears")

    def missing(head):
        raise FileNotFoundError("reference table")

    apples, pears = replace(office.source("apples"), recognises=missing), office.source("pears")
    deliveries = office.sorted(apples, pears)
    assert office.names(deliveries, pears) == ["1.txt"]
    with pytest.raises(FileNotFoundError, match="reference"):
        deliveries.of(apples, office.files)


def test_a_file_that_was_taken_away_since_it_was_looked_at_is_passed_over(office):
    deliveries, apples, _ = office.looked_at()
    (office.files / "1.txt").unlink()
    report = apples.fetch(office.settings, office.landing, deliveries=deliveries)
    assert [payload.name for payload in report.landed] == ["2.txt"]


def test_another_sources_file_that_came_to_the_place_of_one_since_does_not_land_here(office):
    deliveries, apples, pears = office.looked_at()
    office.put("1.txt", "pears, and more of them")
    office.put("2.txt", "apples, and more of them")
    report = apples.fetch(office.settings, office.landing, deliveries=deliveries)
    assert [payload.text() for payload in report.landed] == ["apples, and more of them"]
    again = office.sorted(apples, pears)
    assert [p.name for p in pears.fetch(office.settings, office.landing, deliveries=again).landed] == ["1.txt"]
    assert apples.fetch(office.settings, office.landing, deliveries=again).landed == ()


@pytest.mark.parametrize(
    "damage", ["", "null", "[]", '{"1.txt": 3}', '{"1.txt": ["a"]}', '{"version": "1", "places": {"1.txt": []}}']
)
def test_a_sources_own_notes_that_are_damaged_only_cost_reading_again(office, damage):
    office.put("1.txt", "apples")
    apples = office.source("apples")
    apples.fetch(office.settings, office.landing)
    notes = office.settings.landing_dir / ".apples.looks"
    assert list(json.loads(notes.read_text())) == ["1.txt"]
    notes.write_text(damage)
    report = apples.fetch(office.settings, office.landing)
    assert (report.landed, report.known) == ((), 1)
    assert list(json.loads(notes.read_text())) == ["1.txt"]


_DAMAGED = [
    "",
    "no json",
    "null",
    "[]",
    '{"versions": 1, "files": 2}',
    '{"versions": 1, "files": {}}',
    '{"versions": {}, "files": {"1.txt": 3}}',
    '{"versions": {}, "files": {"1.txt": ["a", 3]}}',
]


@pytest.mark.parametrize("damage", _DAMAGED)
def test_notes_that_are_damaged_only_cost_looking_again(office, damage):
    office.put("1.txt", "apples")
    assert office.names(office.sorted(), office.source("apples")) == ["1.txt"]
    (notes,) = [p for p in office.settings.landing_dir.glob(".delivered.*") if p.suffix != ".lock"]
    assert json.loads(notes.read_text())["files"]["1.txt"][1] == ["apples"]
    notes.write_text(damage)
    assert office.names(office.sorted(), office.source("apples")) == ["1.txt"]


def test_what_nobody_knows_is_told(office):
    office.put("1.txt", "apples")
    office.put("2.txt", "plums")
    assert [file.place for file in office.sorted().unclaimed(office.files)] == ["2.txt"]


def test_a_folder_of_its_own_is_looked_through_for_its_source_only(office, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "1.txt").write_text("pears")
    office.put("2.txt", "plums")
    plums = replace(office.source("plums"), root=lambda settings: own, patterns=("*",))
    deliveries = office.sorted(plums, office.source("pears"))
    assert [file.place for file in deliveries.of(plums, own)] == ["1.txt"]
    assert [file.place for file in deliveries.unclaimed(office.files)] == ["2.txt"]
    assert office.names(deliveries, office.source("pears")) == []
