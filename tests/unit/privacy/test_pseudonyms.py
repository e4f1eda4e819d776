"""Keyed pseudonyms: stable under one key, unrelated under another, and a key that only its owner reads."""

import os
import re
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from groningen_data.errors import SettingsError
from groningen_data.privacy.pseudonyms import Pseudonymiser, key_file
from groningen_data.settings import Settings, load_settings

NUMBER = "999993653"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path)


def test_the_same_key_gives_the_same_pseudonym_in_every_process(settings):
    here = Pseudonymiser.of(settings).pseudonym("person", NUMBER)
    script = (
        "from groningen_data.privacy.pseudonyms import Pseudonymiser\n"
        "from groningen_data.settings import load_settings\n"
        f"print(Pseudonymiser.of(load_settings(data_dir={str(settings.data_dir)!r})).pseudonym('person', '{NUMBER}'))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == here


def test_another_key_gives_another_pseudonym(tmp_path):
    made = [Pseudonymiser.of(load_settings(data_dir=tmp_path / place)).pseudonym("person", NUMBER) for place in "ab"]
    assert made[0] != made[1]


def test_another_kind_of_thing_gives_another_pseudonym(settings):
    one = Pseudonymiser.of(settings)
    assert one.pseudonym("case", NUMBER) != one.pseudonym("person", NUMBER) != one.pseudonym("person", "999990342")


def test_a_pseudonym_has_letters_only_and_can_pass_for_no_number(settings):
    one = Pseudonymiser.of(settings)
    assert all(re.fullmatch("[a-p]{32}", one.pseudonym("case", str(n))) for n in range(1000))


def test_the_key_is_made_once_for_its_owner_alone(settings):
    Pseudonymiser.of(settings)
    path = key_file(settings)
    key = path.read_bytes()
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    Pseudonymiser.of(settings)
    assert path.read_bytes() == key


def test_many_who_start_at_once_share_one_key(settings):
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(lambda _: Pseudonymiser.of(settings).pseudonym("person", NUMBER), range(64)))
    assert len(made) == 1


def test_a_half_made_key_of_a_killed_run_does_not_count(settings):
    path = key_file(settings)
    path.parent.mkdir()
    path.with_name(f".{path.name}.partial").write_bytes(b"half")
    Pseudonymiser.of(settings)
    assert len(path.read_bytes()) == 32
    assert not path.with_name(f".{path.name}.partial").exists()


def test_a_file_mask_cannot_open_the_key_to_others(settings):
    before = os.umask(0)
    try:
        Pseudonymiser.of(settings)
    finally:
        os.umask(before)
    assert stat.S_IMODE(key_file(settings).stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(settings, mode):
    Pseudonymiser.of(settings)
    key_file(settings).chmod(mode)
    with pytest.raises(SettingsError, match=r"others than its owner may use .*chmod 600"):
        Pseudonymiser.of(settings)


@pytest.mark.parametrize("key", [b"", b"kort"])
def test_a_short_key_is_refused_without_being_shown(settings, key):
    path = key_file(settings)
    path.parent.mkdir()
    path.write_bytes(key)
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="fewer than 32 bytes") as refusal:
        Pseudonymiser.of(settings)
    assert "kort" not in str(refusal.value)


def test_no_text_about_a_pseudonymiser_shows_its_key(settings):
    one = Pseudonymiser(b"geheim" * 6)
    assert "geheim" not in f"{one!r} {one!s}"
