"""Every setting, table, column, command and target is documented, and the derived documents are current."""

import re
from collections.abc import Iterator

import pytest
import typer.main

from groningen_data.catalogue.documents import documents
from groningen_data.cli import app
from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import columns_of, facts_of
from groningen_data.settings import PROFILES, PROJECT, Settings

COMMANDS = (PROJECT / "docs" / "commands.md").read_text(encoding="utf-8")


def leaves(command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, object]]:
    """Every command of the application by its full name."""
    for name, child in getattr(command, "commands", {}).items():
        yield from leaves(child, (*path, name))
    if not hasattr(command, "commands") or (path and command.invoke_without_command):
        yield " ".join(path), command


CLI = dict(leaves(typer.main.get_command(app)))
TARGETS = re.findall(r"^([a-z]+):.*?## (.+)$", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_derived_documents_are_current(path):
    assert path.read_text(encoding="utf-8") == documents()[path], "run `make docs`"


def test_every_setting_is_documented_with_its_meaning():
    document = (PROJECT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"| `GRONINGEN_{name.upper()}` |" in document and field.description in document, name
    assert [p.stem for p in PROFILES.glob("*.toml") if f"### {p.stem}" not in document] == []


def test_every_table_and_column_is_documented():
    document = (PROJECT / "docs" / "tables.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", document, re.MULTILINE | re.DOTALL))
    assert set(sections) == set(all_contracts())
    for name, contract in all_contracts().items():
        missing = [c for c in columns_of(contract) if f"| `{c}` |" not in sections[name]]
        missing += [rate.name for rate in facts_of(contract).rates if f"| `{rate.name}` |" not in sections[name]]
        assert missing == [], name


@pytest.mark.parametrize("name", CLI)
def test_each_command_is_documented_and_explains_itself(name):
    assert f"| `groningen {name}` |" in COMMANDS
    assert CLI[name].help


@pytest.mark.parametrize("target", [name for name, _ in TARGETS])
def test_each_make_target_is_documented(target):
    assert target == "help" or f"| `make {target}` |" in COMMANDS


def test_the_documented_commands_and_targets_exist():
    assert set(re.findall(r"^\| `groningen ([a-z ]+)` \|", COMMANDS, re.MULTILINE)) == set(CLI)
    assert {*re.findall(r"^\| `make ([a-z]+)` \|", COMMANDS, re.MULTILINE), "help"} == {name for name, _ in TARGETS}


def test_each_option_in_the_commands_table_exists():
    for name, told in re.findall(r"^\| `groningen ([a-z ]+)` \| (.+) \|$", COMMANDS, re.MULTILINE):
        options = {option for parameter in CLI[name].params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert set(re.findall(r"--[a-z-]+", told)) <= options, name


def test_every_make_target_says_what_it_does():
    phony = re.search(r"^\.PHONY: (.+)$", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony and set(phony.group(1).split()) == {name for name, _ in TARGETS}
