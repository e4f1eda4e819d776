"""The benefit administration's drop: encrypted extracts, signed manifests, and what is left of a delivery after it has landed."""

import base64
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from groningen_data.cli import _unclaimed
from groningen_data.errors import SettingsError
from groningen_data.landing import Landing, last_at_each_place
from groningen_data.privacy import service_numbers
from groningen_data.privacy.pseudonyms import key_file
from groningen_data.privacy.service_numbers import is_test_number
from groningen_data.settings import Settings, load_settings
from groningen_data.sources.benefit_administration import CASES, CLOSED, SIGNALS
from groningen_data.sources.benefit_drop import AGE_KEY, Drop

SOURCES = (CASES, CLOSED, SIGNALS)
ANNA = "999993653"
CASE_HEADER = "zaaknummer;bsn;regeling;ingangsdatum;einddatum;buurtcode;reden_instroom;reden_uitstroom\n"
CASE = f"U1;{ANNA};PW;2020-01-31;;BU00140003;11;\n"
CASES_CSV = (CASE_HEADER + CASE).encode()
SIGNALS_CSV = (
    "signaalnummer;bsn;signaaldatum;partner;buurtcode;status;datum_opgepakt;contact_bereikt;resultaat\n"
    f"V1;{ANNA};2026-03-02;verhuurder;BU00140003;afgesloten;2026-03-09;ja;hulp_aanvaard\n"
).encode()
CASE_FILE = "uitkeringen_2026-03-15.csv"
SEALED_FILE = "uitkeringen_2026-03-15.csv.age"
AGE = pyrage.x25519.Identity.generate()
OTHER_AGE = pyrage.x25519.Identity.generate()
SIGNER = Ed25519PrivateKey.generate()


def seal(data: bytes, identity=AGE, **how) -> bytes:
    return pyrage.encrypt(data, [identity.to_public()], **how)


class Drops:
    """A folder of deliveries, and the data folder that they are fetched to."""

    def __init__(self, folder: Path, *, signed: bool = False, removes: bool = False, age: bool = True) -> None:
        self.files = folder / "files"
        self.files.mkdir()
        self.pem = folder / "signer.pem"
        self.pem.write_bytes(SIGNER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        self.settings: Settings = load_settings(
            profile="real",
            files=self.files,
            data_dir=folder / "data",
            as_of="2026-03-16T06:00:00Z",
            secrets={AGE_KEY: f"# public key: {AGE.to_public()}\n{AGE}\n"} if age else None,
            welfare_manifest_key_file=self.pem if signed else None,
            remove_personal_deliveries=removes,
        )
        self.landing = Landing.of(self.settings)

    def put(self, name: str, content: bytes) -> Path:
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def sign(self, *names: str, rows: int = 1, as_text: bool = False, signer=SIGNER, folder: str = "", **other) -> None:
        entries = [
            {"name": n, "rows": rows, "sha256": hashlib.sha256((self.files / folder / n).read_bytes()).hexdigest()} | other
            for n in names
        ]
        text = json.dumps({"files": entries}).encode()
        signature = signer.sign(text)
        self.put(str(Path(folder, "manifest.json")), text)
        self.put(str(Path(folder, "manifest.json.sig")), base64.b64encode(signature) + b"\n" if as_text else signature)

    def fetch(self, *sources):
        return [source.fetch(self.settings, self.landing) for source in sources or SOURCES]

    def problems(self, source=CASES) -> list[str | None]:
        return [p.problem for p in last_at_each_place(self.landing.payloads(source.name)).values()]

    def there(self) -> list[str]:
        return sorted(str(p.relative_to(self.files)) for p in self.files.rglob("*") if p.is_file())

    def numbers_made(self) -> list[bytes]:
        """Test numbers anywhere in the data folder, also in names."""
        made = [p for p in self.settings.data_dir.rglob("*") if p != key_file(self.settings)]
        text = b"\n".join([*(str(p).encode() for p in made), *(p.read_bytes() for p in made if p.is_file())])
        return [n for n in re.findall(rb"(?<![0-9])[0-9]{9}(?![0-9])", text) if is_test_number(n.decode())]


class TestEncrypted:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            (SEALED_FILE, seal(CASES_CSV)),
            ("anything.bin", seal(CASES_CSV)),
            ("anything.csv", seal(CASES_CSV, armored=True)),
            ("uitkeringen_2026-03-15.csv.gz.age", seal(gzip.compress(CASES_CSV))),
        ],
        ids=["by its name", "by its header", "armoured", "packed"],
    )
    def test_lands_as_the_plain_extract_does(self, tmp_path, name, content):
        drops = Drops(tmp_path)
        drops.put("plain/" + CASE_FILE, CASES_CSV)
        (plain,) = drops.fetch(CASES)[0].landed
        drops.put(name, content)
        assert [(len(r.landed), r.known) for r in drops.fetch()] == [(0, 2), (0, 0), (0, 0)]
        assert [p.sha256 for p in drops.landing.payloads(CASES.name)] == [plain.sha256]
        assert drops.numbers_made() == []

    def test_each_source_takes_its_own_whatever_the_name(self, tmp_path):
        drops = Drops(tmp_path)
        drops.put("a.age", seal(CASES_CSV))
        drops.put("b.age", seal(SIGNALS_CSV))
        assert [[p.name for p in r.landed] for r in drops.fetch()] == [["a.age"], [], ["b.age"]]

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (seal(CASES_CSV, OTHER_AGE), "for another key than ours"),
            (seal(CASE_HEADER.encode() + CASE.encode() * 3000)[:-100], "cut off or changed"),
            (seal(CASE_HEADER.encode() + CASE.encode() * 3000)[:-100_000] + b"x" * 100_000, "cut off or changed"),
            (seal(gzip.compress(os.urandom(200_000))[:-9]), "gzip stream is broken|not UTF-8|no rows|misses"),
            (seal(b""), "is empty"),
        ],
        ids=["another key", "cut off", "changed", "packed badly", "empty"],
    )
    def test_that_cannot_be_opened_does_not_land_and_stays(self, tmp_path, content, told):
        drops = Drops(tmp_path, removes=True)
        drops.put(SEALED_FILE, content)
        (problem,) = (drops.fetch(CASES), drops.problems())[1]
        assert re.search(told, problem or "")
        assert drops.there() == [SEALED_FILE] and drops.numbers_made() == []

    def test_without_a_key_is_told_by_one_source_and_lands_once_there_is_one(self, tmp_path):
        drops = Drops(tmp_path, age=False)
        drops.put("a.age", seal(SIGNALS_CSV))
        assert [[p.problem for p in r.landed] for r in drops.fetch()] == [
            ["is encrypted, and the credential benefit_age_key is not set"],
            [],
            [],
        ]
        keys = drops.settings.data_dir / "keys"
        keys.mkdir(exist_ok=True)
        (keys / AGE_KEY).write_text(str(AGE))
        assert [[p.name for p in r.landed] for r in drops.fetch()] == [[], [], ["a.age"]]

    def test_a_key_that_is_none_is_told_without_being_shown(self, tmp_path):
        drops = Drops(tmp_path, age=False)
        settings = drops.settings.model_copy(update={"secrets": load_settings(secrets={AGE_KEY: "geheim"}).secrets})
        drops.put(SEALED_FILE, seal(CASES_CSV))
        CASES.fetch(settings, drops.landing)
        (problem,) = drops.problems()
        assert "no private key of age" in problem and "geheim" not in problem


class TestManifest:
    @pytest.mark.parametrize("as_text", [False, True], ids=["raw signature", "base64 signature"])
    @pytest.mark.parametrize(
        ("name", "content"), [(CASE_FILE, CASES_CSV), (SEALED_FILE, seal(CASES_CSV))], ids=["plain", "sealed"]
    )
    def test_lets_in_what_it_lists(self, tmp_path, name, content, as_text):
        drops = Drops(tmp_path, signed=True)
        drops.put(name, content)
        drops.sign(name, as_text=as_text)
        assert [len(r.landed) for r in drops.fetch()] == [1, 0, 0]
        assert drops.problems() == [None]

    @pytest.mark.parametrize(
        ("spoil", "told"),
        [
            (lambda d: d.put(CASE_FILE, CASES_CSV + CASE.encode()), "its hash is another"),
            (lambda d: d.sign(CASE_FILE, rows=2), "has 1 rows where its manifest promises 2"),
            (lambda d: d.sign(CASE_FILE, signer=Ed25519PrivateKey.generate()), "signature that is not of the key"),
            (lambda d: d.put("manifest.json.sig", b"?"), "signature that is not of the key"),
            (lambda d: (d.files / "manifest.json.sig").unlink(), "has no signature"),
            (lambda d: (d.files / "manifest.json").unlink(), "is listed in no manifest"),
            (lambda d: d.sign(CASE_FILE, name="other.csv"), "is listed in no manifest"),
            (lambda d: d.sign(CASE_FILE, name="../" + CASE_FILE), "is not of the agreed form"),
            (lambda d: d.sign(CASE_FILE, rows="many"), "is not of the agreed form"),
        ],
        ids=["hash", "rows", "signer", "signature", "no signature", "no manifest", "not listed", "path", "form"],
    )
    def test_keeps_out_what_is_not_as_signed(self, tmp_path, spoil, told):
        drops = Drops(tmp_path, signed=True, removes=True)
        drops.put(CASE_FILE, CASES_CSV)
        drops.sign(CASE_FILE)
        spoil(drops)
        drops.fetch(CASES)
        problems = {p.arrival_for().place: p for p in drops.landing.payloads(CASES.name)}
        assert told in problems[CASE_FILE].problem and problems[CASE_FILE].way_out and not problems[CASE_FILE].batches
        assert CASE_FILE in drops.there() and drops.numbers_made() == []

    def test_tells_of_a_file_that_is_missing_by_its_source_and_takes_the_others(self, tmp_path):
        drops = Drops(tmp_path, signed=True, removes=True)
        names = [CASE_FILE, "vroegsignalen_2026-03-15.csv", "iets.csv"]
        for name, content in zip(names, (CASES_CSV, SIGNALS_CSV, b"x"), strict=True):
            drops.put(name, content)
        drops.sign(*names)
        for name in names[1:]:
            (drops.files / name).unlink()
        drops.fetch()
        assert drops.problems(SIGNALS) == ["is listed in manifest.json, and is not there"]
        assert sorted(map(str, drops.problems(CASES))) == ["None", "is listed in manifest.json, and is not there"]
        assert drops.there() == ["manifest.json", "manifest.json.sig"]
        drops.put(names[1], SIGNALS_CSV)
        drops.fetch()
        assert drops.problems(SIGNALS) == [None] and drops.there() == ["manifest.json", "manifest.json.sig"]
        assert [len(r.landed) for r in drops.fetch()] == [0, 0, 0]

    def test_of_one_folder_does_not_speak_for_another(self, tmp_path):
        drops = Drops(tmp_path, signed=True)
        drops.put("a/" + CASE_FILE, CASES_CSV)
        drops.put("b/" + CASE_FILE, CASES_CSV)
        drops.sign(CASE_FILE, folder="a")
        drops.fetch(CASES)
        assert sorted(map(str, drops.problems())) == ["None", "is listed in no manifest beside it"]

    def test_a_key_that_is_no_public_key_is_told(self, tmp_path):
        drops = Drops(tmp_path, signed=True)
        drops.put(CASE_FILE, CASES_CSV)
        drops.pem.write_bytes(SIGNER.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        with pytest.raises(SettingsError, match="no Ed25519 public key"):
            drops.fetch(CASES)

    @pytest.mark.skipif(shutil.which("openssl") is None, reason="the documented command needs openssl")
    def test_can_be_made_with_openssl_as_documented(self, tmp_path):
        drops = Drops(tmp_path, signed=True)
        drops.put(CASE_FILE, CASES_CSV)
        drops.sign(CASE_FILE)
        (drops.files / "manifest.json.sig").unlink()
        private = tmp_path / "private.pem"
        private.write_bytes(SIGNER.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        command = "openssl pkeyutl -sign -rawin -inkey ../private.pem -in manifest.json -out manifest.json.sig"
        assert command.replace("../private.pem", "signer.pem") in Path("docs/sources.md").read_text(encoding="utf-8")
        subprocess.run(command.split(), cwd=drops.files, check=True)
        assert [p.problem for p in drops.fetch(CASES)[0].landed] == [None]


class TestWhatNobodyKnows:
    def test_leaves_out_manifests_and_what_is_encrypted_also_without_the_pseudonym_key(self, tmp_path):
        drops = Drops(tmp_path, signed=True)
        drops.put("a.age", seal(CASES_CSV))
        drops.sign("a.age")
        drops.put("strange.bin", b"?")
        drops.fetch()
        key_file(drops.settings).unlink()
        told = _unclaimed(drops.settings)
        assert "1 files (strange.bin)" in told


class TestRemoval:
    def test_what_has_landed_is_removed_with_its_manifest_and_that_is_no_problem_later(self, tmp_path):
        drops = Drops(tmp_path, signed=True, removes=True)
        drops.put(SEALED_FILE, seal(CASES_CSV))
        drops.put("s.age", seal(SIGNALS_CSV))
        drops.sign(SEALED_FILE, "s.age")
        reports = drops.fetch()
        assert [len(r.landed) for r in reports] == [1, 0, 1] and all(r.removes for r in reports)
        assert drops.there() == []
        assert [(len(r.landed), r.problem) for r in drops.fetch()] == [(0, None)] * 3
        assert drops.problems() == [None] and drops.problems(SIGNALS) == [None]

    def test_stays_where_it_is_not_asked_for(self, tmp_path):
        drops = Drops(tmp_path)
        drops.put(CASE_FILE, CASES_CSV)
        assert not drops.fetch(CASES)[0].removes and drops.there() == [CASE_FILE]

    def test_never_touches_the_sample_city(self, tmp_path):
        settings = load_settings(profile="sample", data_dir=tmp_path, remove_personal_deliveries=True)
        assert not Drop(settings, Landing.of(settings), CASES.name).removes

    def test_is_on_in_profile_live_only(self):
        assert {p: load_settings(profile=p).remove_personal_deliveries for p in ("sample", "real", "live", "replica")} == {
            "sample": False,
            "real": False,
            "live": True,
            "replica": False,
        }

    def test_spares_a_file_that_was_put_in_its_place_meanwhile(self, tmp_path, monkeypatch):
        drops = Drops(tmp_path, removes=True)
        path = drops.put(CASE_FILE, CASES_CSV)
        settle = Landing.settle

        def replaced(landing, payload):
            settle(landing, payload)
            path.with_name(".new").write_bytes(CASES_CSV + CASE.replace("U1", "U2").encode())
            path.with_name(".new").replace(path)

        monkeypatch.setattr(Landing, "settle", replaced)
        drops.fetch(CASES)
        assert drops.there() == [CASE_FILE]
        monkeypatch.undo()
        assert len(drops.fetch(CASES)[0].landed) == 1 and drops.there() == []

    @pytest.mark.parametrize("instant", ["Landing.land", "Landing.keep", "Landing.keep_notes", "Landing.settle", "Path.unlink"])
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_kill_at_any_instant_loses_nothing(self, tmp_path, instant, when, monkeypatch):
        drops = Drops(tmp_path, signed=True, removes=True)
        path = drops.put(SEALED_FILE, seal(CASES_CSV))
        drops.sign(SEALED_FILE)
        owner, name = {"Landing": Landing, "Path": Path}[instant.split(".")[0]], instant.split(".")[1]
        whole = getattr(owner, name)

        def killed(self, *given, **named):
            concerns = name != "unlink" or self == path
            if concerns and when == "before":
                raise KeyboardInterrupt
            done = whole(self, *given, **named)
            if concerns:
                raise KeyboardInterrupt
            return done

        monkeypatch.setattr(owner, name, killed)
        with pytest.raises(KeyboardInterrupt):
            drops.fetch(CASES)
        monkeypatch.undo()
        assert path.exists() or drops.problems() == [None]
        drops.fetch()
        assert drops.problems() == [None] and drops.there() == [] and drops.numbers_made() == []


class TestLargeExtracts:
    def test_pass_in_bounded_memory_and_leave_no_number_behind_when_killed(self, tmp_path):
        """200,000 rows: another process is killed in the middle, then measured on a small and on the whole extract."""
        drops = Drops(tmp_path, removes=True)
        numbers = service_numbers.test_numbers()

        def rows(count: int) -> bytes:
            lines = (f"U{n};{numbers[n % len(numbers)]};PW;2020-01-31;;BU00140003;11;\n" for n in range(count))
            return (CASE_HEADER + "".join(lines)).encode()

        keys = drops.settings.data_dir / "keys"
        keys.mkdir(parents=True)
        (keys / AGE_KEY).write_text(str(AGE))
        target, source = io.BytesIO(), io.BytesIO(rows(200_000))
        pyrage.encrypt_io(source, target, [AGE.to_public()])
        drops.put("uitkeringen_2026-03-15.csv.age", target.getvalue())
        small = tmp_path / "small"
        small.mkdir()
        (small / "uitkeringen_2026-03-01.csv.age").write_bytes(seal(rows(25_000)))
        head = (
            "import os, resource, sys\n"
            "from pathlib import Path\n"
            "from groningen_data.landing import Landing\n"
            "from groningen_data.privacy import extracts\n"
            "from groningen_data.settings import load_settings\n"
            "from groningen_data.sources.benefit_administration import CASES\n"
            "def fetch(files, removes=True):\n"
            f"    settings = load_settings(profile='real', files=files, data_dir={str(drops.settings.data_dir)!r},\n"
            "        remove_personal_deliveries=removes)\n"
            "    return CASES.fetch(settings, Landing.of(settings))\n"
            "def peak():\n"
            "    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        )
        kill = (
            "slices, whole = [], extracts._slice\n"
            "def killed(*given):\n"
            "    slices.append(1)\n"
            "    return whole(*given) if len(slices) < 4 else os._exit(9)\n"
            "extracts._slice = killed\n"
            f"fetch({str(drops.files)!r})\n"
        )
        assert subprocess.run([sys.executable, "-c", head + kill], check=False).returncode == 9
        half = list((drops.settings.landing_dir / CASES.name).glob(".partial-*"))
        assert half and max(p.stat().st_size for p in half) > 1_000_000
        assert drops.numbers_made() == [] and len(drops.there()) == 1
        measure = (
            f"fetch({str(small)!r}); small = peak()\n"
            f"report = fetch({str(drops.files)!r})\n"
            "print(small, peak(), [p.problem for p in report.landed])\n"
        )
        run = subprocess.run([sys.executable, "-c", head + measure], capture_output=True, text=True, check=True)
        before, after, problem = run.stdout.split()
        assert problem == "[None]" and int(after) - int(before) < 40, run.stdout
        assert drops.there() == [] and drops.numbers_made() == []
        (whole,) = [p for p in drops.landing.payloads(CASES.name) if p.name == "uitkeringen_2026-03-15.csv.age"]
        with whole.open() as stream:
            assert sum(1 for _ in iter(lambda: stream.read(1 << 20), b"")) > 1
