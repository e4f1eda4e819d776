"""The keys of the benefit administration: made, lost, put back, rotated and forgotten, without ever being shown."""

import re
import stat
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from assets.welfare import closed_cases
from groningen_data.cli import app
from groningen_data.errors import GroningenError, SettingsError
from groningen_data.gate.gate import Gate
from groningen_data.lakehouse import Lakehouse
from groningen_data.landing import Landing
from groningen_data.privacy import pseudonyms
from groningen_data.privacy.pseudonyms import key_file
from groningen_data.settings import load_settings
from groningen_data.sources import benefit_keys
from groningen_data.sources.benefit_administration import CASES, CLOSED
from groningen_data.sources.benefit_drop import AGE_KEY

ANNA = "999993653"
CLOSED_HEADER = "zaaknummer;bsn;afgesloten_op;oorzaak;processtap;kanaal;bedrag_eur;onherroepelijk\n"
QUARTERS = {
    "afgesloten_zaken_2025K4.csv": f"{CLOSED_HEADER}T1;{ANNA};2025-10-31;inkomen;aanvraag;post;1250,50;ja\n",
    "afgesloten_zaken_2026K1.csv": f"{CLOSED_HEADER}T2;{ANNA};2026-02-28;inkomen;aanvraag;post;10;ja\n",
}
CASE_CSV = (
    "zaaknummer;bsn;regeling;ingangsdatum;einddatum;buurtcode;reden_instroom;reden_uitstroom\n"
    f"U1;{ANNA};PW;2020-01-31;;BU00140003;11;\n"
)


class Office:
    """A folder whose files are removed once they have landed, its data folder, and its lake."""

    def __init__(self, folder):
        self.files, self.data = folder / "files", folder / "data"
        self.files.mkdir(exist_ok=True)
        self.settings = load_settings(
            profile="real", files=self.files, data_dir=self.data, as_of="2026-03-16T06:00:00Z", remove_personal_deliveries=True
        )
        self.landing = Landing.of(self.settings)

    def deliver(self, *names):
        for name in names:
            (self.files / name).write_text(QUARTERS.get(name, CASE_CSV))
        return [source.fetch(self.settings, self.landing) for source in (CASES, CLOSED)]

    def gate(self):
        recipe = replace(closed_cases.RECIPE, suite=(), judged_with=())
        return Gate(Lakehouse(self.settings), "run").refresh(recipe, self.landing).batches

    def pseudonyms(self):
        with Lakehouse(self.settings).reader() as con:
            return {p for (p,) in con.execute("SELECT case_pseudonym FROM lake.core.welfare_closed_cases").fetchall()}

    def state(self):
        return benefit_keys.state(self.settings, self.landing)


@pytest.fixture
def office(tmp_path) -> Office:
    return Office(tmp_path)


@pytest.fixture
def groningen(office, monkeypatch):
    monkeypatch.setenv("GRONINGEN_DATA_DIR", str(office.data))
    monkeypatch.setenv("GRONINGEN_FILES", str(office.files))
    return lambda *words: CliRunner().invoke(app, ["keys", *words, "--profile", "real"])


class TestLoss:
    def test_of_a_key_is_told_and_no_other_is_made_in_its_place(self, office):
        office.deliver("uitkeringen_2026-03-15.csv")
        kept = key_file(office.settings).read_bytes()
        key_file(office.settings).unlink()
        with pytest.raises(SettingsError, match=r"is gone, and pseudonyms were made with it.*put its copy back"):
            office.deliver("uitkeringen_2026-03-16.csv")
        assert not key_file(office.settings).exists() and (office.files / "uitkeringen_2026-03-16.csv").exists()
        assert "is gone" in office.state().problem
        with pytest.raises(SettingsError, match="is gone"):
            benefit_keys.create(office.settings)
        pseudonyms.make_secret(key_file(office.settings), kept)
        assert office.deliver()[0].removes and office.state().problem is None

    def test_another_key_in_its_place_is_refused(self, office):
        office.deliver("uitkeringen_2026-03-15.csv")
        key_file(office.settings).unlink()
        pseudonyms.make_secret(key_file(office.settings), b"x" * 32)
        with pytest.raises(SettingsError, match="holds another key than the one"):
            office.deliver("uitkeringen_2026-03-16.csv")

    def test_is_noticed_in_a_landing_that_was_restored_without_its_notes(self, office):
        office.deliver("uitkeringen_2026-03-15.csv")
        (office.settings.landing_dir / ".welfare.key").unlink()
        key_file(office.settings).unlink()
        with pytest.raises(SettingsError, match="is gone"):
            office.deliver("uitkeringen_2026-03-16.csv")

    def test_is_overcome_by_rotating(self, office):
        office.deliver("uitkeringen_2026-03-15.csv")
        key_file(office.settings).unlink()
        pseudonyms.rotate(office.settings)
        assert office.state().standing[0] == benefit_keys.Standing("benefit_cases", 0, ("uitkeringen_2026-03-15.csv",))
        assert len(office.deliver("uitkeringen_2026-03-15.csv")[0].landed) == 1
        assert office.state().standing[0] == benefit_keys.Standing("benefit_cases", 1, ())


class TestRotation:
    def test_keeps_the_table_as_it_was_until_all_is_delivered_anew_and_then_counts_no_case_twice(self, office):
        office.deliver(*QUARTERS)
        assert [b.outcome for b in office.gate()] == ["published"]
        before = office.pseudonyms()
        pseudonyms.rotate(office.settings)
        office.deliver("afgesloten_zaken_2025K4.csv")
        (rejected,) = office.gate()
        assert rejected.outcome == "rejected" and "earlier key" in str(rejected.reason)
        assert office.pseudonyms() == before
        office.deliver("afgesloten_zaken_2026K1.csv")
        assert [b.outcome for b in office.gate()] == ["published"]
        after = office.pseudonyms()
        assert len(after) == 2 and not after & before

    def test_forgets_what_the_old_key_made_once_nothing_of_it_counts(self, office):
        office.deliver(*QUARTERS)
        office.gate()
        before = office.pseudonyms()
        pseudonyms.rotate(office.settings)
        with pytest.raises(GroningenError, match=r"2 deliveries under an earlier key still count .*2025K4"):
            benefit_keys.forget(office.settings, office.landing)
        office.deliver(*QUARTERS)
        office.gate()
        after = office.pseudonyms()
        assert benefit_keys.forget(office.settings, office.landing) == 2
        landed = b"".join(p.read_bytes() for p in office.settings.landing_dir.rglob("*") if p.is_file())
        assert not [p for p in before if p.encode() in landed] and [p for p in after if p.encode() in landed]
        assert not [b for b in office.gate() if b.outcome == "rejected"] and office.pseudonyms() == after
        assert [len(r.landed) for r in office.deliver()] == [0, 0]
        assert benefit_keys.forget(office.settings, office.landing) == 0

    @pytest.mark.parametrize("when", ["before the key", "before the note"])
    def test_that_is_killed_leaves_the_old_key_or_one_that_is_refused_until_it_is_done_again(self, office, when, monkeypatch):
        office.deliver("uitkeringen_2026-03-15.csv")
        broken = "_write" if when == "before the key" else "_note"

        def killed(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(pseudonyms, broken, killed)
        with pytest.raises(KeyboardInterrupt):
            pseudonyms.rotate(office.settings)
        monkeypatch.undo()
        if when == "before the key":
            assert office.state().problem is None
        else:
            assert "another key" in office.state().problem
        pseudonyms.rotate(office.settings)
        assert len(office.deliver("uitkeringen_2026-03-15.csv")[0].landed) == 1

    def test_makes_a_file_for_its_owner_alone(self, office):
        office.deliver("uitkeringen_2026-03-15.csv")
        before = key_file(office.settings).read_bytes()
        pseudonyms.rotate(office.settings)
        assert stat.S_IMODE(key_file(office.settings).stat().st_mode) == 0o600
        assert len(key_file(office.settings).read_bytes()) == 32 and key_file(office.settings).read_bytes() != before


class TestCommand:
    def test_shows_how_keys_stand_and_never_a_key(self, office, groningen):
        shown = [groningen("status").output]
        assert "is made at the first fetch" in shown[0] and not key_file(office.settings).exists()
        shown += [groningen("create").output, groningen("create", "--age").output]
        office.deliver("uitkeringen_2026-03-15.csv")
        again = [groningen("create"), groningen("create", "--age"), groningen("rotate")]
        assert [r.exit_code for r in again] == [1, 1, 1]
        good = groningen("status")
        assert good.exit_code == 0 and "benefit_cases: 1 deliveries under this key, 0 under an earlier one" in good.output
        rotated = groningen("rotate", "--yes")
        assert "to be delivered anew: benefit_cases  uitkeringen_2026-03-15.csv" in rotated.output
        forgot = groningen("forget", "--force")
        assert "1 payloads of earlier keys removed" in forgot.output
        age_file = office.data / "keys" / AGE_KEY
        assert stat.S_IMODE(age_file.stat().st_mode) == 0o600
        public = re.search(r"age1[a-z0-9]+", age_file.read_text()).group()
        told = "".join([*shown, *(r.output + str(r.exception) for r in again), good.output, rotated.output, forgot.output])
        assert public in told and "AGE-SECRET-KEY" not in told
        assert key_file(office.settings).read_bytes().hex() not in told

    def test_fails_when_a_key_is_lost_or_open_to_others(self, office, groningen):
        groningen("create", "--age")
        office.deliver("uitkeringen_2026-03-15.csv")
        (office.data / "keys" / AGE_KEY).chmod(0o644)
        found = groningen("status")
        assert found.exit_code == 1 and "chmod 600" in found.output
        (office.data / "keys" / AGE_KEY).write_text("nonsense")
        key_file(office.settings).unlink()
        found = groningen("status")
        assert found.exit_code == 1 and "is gone" in found.output and "no private key of age" in found.output
