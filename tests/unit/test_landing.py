"""The landing: what is delivered is kept as it is, once, whatever happens on the way."""

import gzip
import hashlib
import io
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from groningen_data.errors import PayloadError, SettingsError
from groningen_data.landing import Landing, Payload, last_at_each_place
from groningen_data.settings import load_settings
from groningen_data.sources.base import FileSource


def _days(payload: Payload) -> tuple[str, ...]:
    return tuple(payload.json()) + ((payload.name[:10],) if payload.name.startswith("2026") else ())


SOURCE = FileSource("days", "Days", ("*.json", "*.json.gz"), lambda head: "days" in head.text, _days)


class Place:
    """A folder of source files and the landing they go to."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "files"
        self.files.mkdir()
        self.settings = load_settings(profile="real", files=self.files, data_dir=folder / "data")
        self.landing = Landing(self.settings.landing_dir, 1_000_000)

    def put(self, name: str, content: bytes) -> None:
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def fetch(self, source: FileSource = SOURCE):
        return source.fetch(self.settings, self.landing)

    def landed(self) -> list[Payload]:
        return self.landing.payloads("days")


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)


def landed(landing: Landing, content: bytes, name: str = "a.json") -> Payload:
    payload = landing.land("days", name, io.BytesIO(content))
    landing.keep(payload)
    return payload


class TestBytes:
    @pytest.mark.parametrize("content", [b"", b"{}\r\n", bytes(range(256)) * 5000, gzip.compress(b"[1]", mtime=0)])
    def test_are_kept_as_delivered_under_their_hash(self, tmp_path, content):
        landing = Landing(tmp_path)
        payload = landed(landing, content)
        assert payload.path.read_bytes() == content
        assert (payload.sha256, payload.size) == (hashlib.sha256(content).hexdigest(), len(content))
        assert payload.path == tmp_path / "days" / payload.sha256
        assert landing.payloads("days") == [payload]

    def test_are_unpacked_by_their_content_and_never_by_their_name(self, tmp_path):
        landing = Landing(tmp_path)
        assert landed(landing, gzip.compress(b'{"a": 1}'), "plain.json").json() == {"a": 1}
        assert landed(landing, b'{"b": 1}', "packed.json.gz").json() == {"b": 1}

    def test_of_several_packed_parts_are_read_to_the_end(self, tmp_path):
        assert landed(Landing(tmp_path), gzip.compress(b"[1,") + gzip.compress(b"2]")).json() == [1, 2]

    def test_that_unpack_to_more_than_the_limit_are_refused_before_memory_is_full(self, tmp_path):
        bomb = gzip.compress(bytes(50_000_000))
        assert len(bomb) < 60_000
        payload = landed(Landing(tmp_path, size_limit=1_000_000), bomb)
        with pytest.raises(PayloadError, match=r"unpacks to more than 1 MB.*GRONINGEN_PAYLOAD_LIMIT_MB"):
            payload.read()
        with payload.open() as stream, pytest.raises(PayloadError, match="unpacks to more than 1 MB"):
            for _ in range(100):
                stream.read(65_536)

    def test_of_exactly_the_limit_are_read(self, tmp_path):
        assert len(landed(Landing(tmp_path, size_limit=1000), gzip.compress(bytes(1000))).read()) == 1000

    @pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b[:20], lambda b: b[:30] + b"\0" * 9 + b[39:]])
    def test_of_a_broken_gzip_stream_are_refused(self, tmp_path, damage):
        payload = landed(Landing(tmp_path), damage(gzip.compress(os.urandom(500))))
        with pytest.raises(PayloadError, match="the gzip stream is broken"):
            payload.read()

    def test_that_are_not_utf_8_are_refused_with_the_place(self, tmp_path):
        with pytest.raises(PayloadError, match=r"not UTF-8 text \(byte 3\)"):
            landed(Landing(tmp_path), "caf\xe9".encode("latin-1")).text()

    def test_may_begin_with_a_byte_order_mark(self, tmp_path):
        assert landed(Landing(tmp_path), b"\xef\xbb\xbf[1]").json() == [1]

    @pytest.mark.parametrize(
        ("content", "told"),
        [(b"", "is empty"), (b" \n", "is empty"), (b'{"a": ', "not complete JSON"), (b"[" * 200_000, "not complete JSON")],
    )
    def test_that_are_no_json_are_refused(self, tmp_path, content, told):
        with pytest.raises(PayloadError, match=told):
            landed(Landing(tmp_path), content).json()


class TestKills:
    def test_half_landed_payloads_are_forgotten_and_landed_ones_stay(self, place):
        place.put("a.json", b'{"2026-03-02": 1}')
        place.fetch()
        folder = place.settings.landing_dir / "days"
        kept = sorted(folder.iterdir())
        place.landing.land("days", "b.json", io.BytesIO(b"bytes without facts"))
        (folder / ".partial-1-abc").write_bytes(b"half of the bytes")
        (folder / f"{'0' * 64}.partial-1").write_text("half of the facts")
        assert len(place.landed()) == 1
        assert place.fetch().known == 1
        assert sorted(folder.iterdir()) == kept

    def test_facts_whose_bytes_were_lost_are_landed_again(self, place):
        place.put("a.json", b'{"2026-03-02": 1}')
        place.fetch()
        place.landed()[0].path.unlink()
        assert len(place.fetch().landed) == 1
        assert place.landed()[0].json() == {"2026-03-02": 1}


class TestFetching:
    def test_the_same_bytes_land_once(self, place):
        place.put("a.json", b'{"2026-03-02": 1}')
        first, second = place.fetch(), place.fetch()
        assert (len(first.landed), first.known, len(second.landed), second.known) == (1, 0, 0, 1)
        (payload,) = place.landed()
        assert (payload.name, payload.batches, payload.headers["path"]) == ("a.json", ("2026-03-02",), "a.json")

    def test_what_was_delivered_last_at_a_place_is_last_even_when_it_was_delivered_before(self, place):
        contents = [b'{"2026-03-02": 1}', b'{"2026-03-02": 2}']
        for content in (*contents, *contents):
            place.put("sub/a.json", content)
            place.fetch()
            before = place.landed()
            assert before[-1].path.read_bytes() == content
            assert last_at_each_place(before)["sub/a.json"] == before[-1]
            assert place.fetch().landed == ()
            assert place.landed() == before
        assert len(place.landed()) == 2

    def test_copies_at_two_places_land_once_and_fetching_again_changes_nothing(self, place):
        place.put("a.json", b'{"2026-03-02": 1}')
        place.put("copy/a.json", b'{"2026-03-02": 1}')
        assert len(place.fetch().landed) == 1
        before = place.landed()
        assert [a.place for a in before[0].arrivals] == ["a.json", "copy/a.json"]
        assert place.fetch().known == 2
        assert place.landed() == before

    def test_equal_files_of_two_days_feed_both_days(self, place):
        place.put("2026-03-02.json", b"{}")
        place.put("2026-03-03.json", b"{}")
        place.fetch()
        (payload,) = place.landed()
        assert payload.batches == ("2026-03-02", "2026-03-03")
        assert payload.arrival_for("2026-03-02").place == "2026-03-02.json"

    def test_a_file_that_returns_for_one_day_is_not_newer_for_the_other(self, place):
        place.put("2026-03-02.json", b"{}")
        place.fetch()
        place.put("2026-03-02.json", b"{} ")
        place.fetch()
        place.put("2026-03-03.json", b"{}")
        place.fetch()
        old, new = sorted(place.landed(), key=lambda p: p.size)
        assert old.arrival_for("2026-03-02").at < new.arrival_for("2026-03-02").at < old.arrival_for("2026-03-03").at

    def test_what_could_not_be_read_is_read_again_when_the_parser_was_mended(self, place):
        place.put("a.json", b'{"2026-03-02": 1}')

        def refuses(payload):
            raise PayloadError(payload.name, "has a new form", "adapt the parser")

        (payload,) = place.fetch(replace(SOURCE, batches=refuses)).unreadable
        assert (payload.problem, payload.way_out) == ("has a new form", "adapt the parser")
        place.fetch()
        (healed,) = place.landed()
        assert (healed.problem, healed.batches) == (None, ("2026-03-02",))

    def test_a_superseded_unreadable_file_is_left_as_it_is(self, place):
        place.put("a.json", b"{")
        place.fetch()
        place.put("a.json", b'{"2026-03-02": 1}')
        place.fetch()
        facts = {path: path.read_bytes() for path in place.settings.landing_dir.rglob("*.json")}
        place.fetch()
        assert {path: path.read_bytes() for path in place.settings.landing_dir.rglob("*.json")} == facts

    @pytest.mark.parametrize(
        ("name", "content", "problem"),
        [
            ("a.json", b"", "is empty"),
            ("a.json", b"{}", "holds no rows"),
            ("a.json", b"{", "is not complete JSON"),
            ("a.json", b"3", "cannot be read (TypeError)"),
            ("a.json.gz", gzip.compress(b"{}", mtime=0)[:-4], "the gzip stream is broken"),
            ("a.json", b'{"caf\xe9": 1}', "is not UTF-8"),
        ],
    )
    def test_an_unreadable_file_is_landed_with_its_problem(self, place, name, content, problem):
        place.put(name, content)
        (payload,) = place.fetch().unreadable
        assert payload.problem.startswith(problem) and payload.way_out
        assert place.landed()[0].path.read_bytes() == content

    def test_trouble_of_the_machine_is_not_noted_as_the_files(self, place):
        def unlucky(payload):
            raise OSError("too many open files")

        place.put("a.json", b'{"2026-03-02": 1}')
        with pytest.raises(OSError, match="too many"):
            place.fetch(replace(SOURCE, batches=unlucky))
        assert place.landed() == []
        assert len(place.fetch().landed) == 1

    def test_a_payload_of_an_older_landing_without_a_log_of_deliveries_is_read(self, place):
        place.put("a.json", b'{"2026-03-02": 1}')
        place.fetch()
        (facts,) = place.settings.landing_dir.rglob("*.json")
        facts.write_text(json.dumps({k: v for k, v in json.loads(facts.read_text()).items() if k != "deliveries"}))
        assert place.landed()[0].arrivals[0].place == "a.json"

    def test_a_missing_folder_of_files_is_told(self, tmp_path):
        settings = load_settings(profile="real", files=tmp_path / "gone", data_dir=tmp_path)
        with pytest.raises(SettingsError, match="does not exist"):
            SOURCE.fetch(settings, Landing(tmp_path / "landing"))


def test_forgetting_is_quick_in_a_landing_of_thousands(tmp_path):
    landing = Landing(tmp_path)
    for number in range(500):
        landed(landing, str(number).encode())
    started = time.monotonic()
    landing.forget_partials("days")
    assert len(landing.payloads("days")) == 500
    assert time.monotonic() - started < 5


class TestIndex:
    """A visit reads one file in place of thousands, and never misses what the folder holds."""

    def kept(self, place: Place, *names: str) -> Path:
        for name in names:
            place.put(name, json.dumps({f"2026-03-0{len(name)}": name}).encode())
        place.fetch()
        return place.settings.landing_dir / "days"

    def test_tells_what_the_facts_tell(self, place):
        self.kept(place, "a.json", "bb.json")
        place.put("ccc.json", (place.files / "a.json").read_bytes())
        place.fetch()
        told = Landing(place.settings.landing_dir, 1_000_000).payloads("days")
        (place.settings.landing_dir / ".days.index").unlink()
        assert told == Landing(place.settings.landing_dir, 1_000_000).payloads("days")
        assert [len(p.arrivals) for p in told] == [1, 2]

    def test_is_all_that_is_read(self, place):
        folder = self.kept(place, "a.json", "bb.json")
        for facts in folder.glob("*.json"):
            # In place: the folder itself stays as it was.
            facts.write_text("never read")
        assert [p.name for p in Landing(place.settings.landing_dir).payloads("days")] == ["a.json", "bb.json"]

    def test_follows_another_process_that_lands(self, place):
        reader = Landing(place.settings.landing_dir, 1_000_000)
        for names in (("a.json",), ("bb.json",)):
            self.kept(place, *names)
            assert reader.payloads("days") == place.landed()

    @pytest.mark.parametrize("step", ["_begin", "replace", "_end"])
    def test_counts_no_longer_after_a_kill(self, place, monkeypatch, step):
        folder = self.kept(place, "a.json")
        place.put("bb.json", b'{"2026-03-02": 1}')

        class Killed(BaseException):
            pass

        def kill(*_: object) -> None:
            raise Killed

        monkeypatch.setattr(Path if step == "replace" else Landing, step, kill)
        with pytest.raises(Killed):
            place.fetch()
        monkeypatch.undo()
        place.landing = Landing(place.settings.landing_dir, 1_000_000)
        landed_by_then = {json.loads(p.read_text())["name"] for p in folder.glob("*.json")}
        assert {p.name for p in place.landed()} == landed_by_then
        report = place.fetch()
        assert len(report.landed) + len(landed_by_then) == 2
        assert {p.name for p in Landing(place.settings.landing_dir).payloads("days")} == {"a.json", "bb.json"}

    @pytest.mark.parametrize("damage", [b"", b"[1, {", b"no json\n", b"[1, {}]\n"])
    def test_that_is_damaged_is_written_anew(self, place, damage):
        self.kept(place, "a.json", "bb.json")
        index = place.settings.landing_dir / ".days.index"
        index.write_bytes(damage)
        place.landing = Landing(place.settings.landing_dir, 1_000_000)
        assert [p.name for p in place.landed()] == ["a.json", "bb.json"]
        assert place.fetch().known == 2
        assert len(index.read_bytes().splitlines()) == 2

    def test_sees_what_was_put_in_or_taken_out_by_hand(self, place):
        folder = self.kept(place, "a.json", "bb.json")
        for path in sorted(folder.iterdir())[:2]:
            path.rename(place.files.parent / path.name)
        os.utime(folder)
        assert len(place.landed()) == 1
        for path in place.files.parent.glob("?" * 64 + "*"):
            path.rename(folder / path.name)
        os.utime(folder)
        assert len(place.landed()) == 2


def test_what_was_half_noted_of_a_source_is_removed_and_of_no_other(tmp_path):
    landing = Landing(tmp_path)
    landing.keep_notes("a", "cursor", {"x": 1})
    left = [landing.root / name for name in (".a.partial-7", ".a.cursor.partial-7", ".ab.partial-7")]
    for path in left:
        path.touch()
    landing.forget_partials("a")
    assert [path.exists() for path in left] == [False, False, True]
    assert landing.notes("a", "cursor") == {"x": 1}
