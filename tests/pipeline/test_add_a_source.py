"""A source is added as `docs/add-a-source.md` says, to the letter; then the services tell what the files tell."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from groningen_data.catalogue.documents import quoted_files
from groningen_data.settings import PROJECT
from tests.pipeline.some_tables import from_files

NEIGHBOURHOODS, CHARGE_POINTS = "core.reference_neighbourhoods", "core.traffic_charge_points"
TABLES = (NEIGHBOURHOODS, "core.reference_districts", "core.waste_containers", CHARGE_POINTS)
COPIED = (
    "groningen_data",
    "assets",
    "checks",
    "resources",
    "data/reference",
    "tests/__init__.py",
    "tests/pipeline/__init__.py",
    "tests/pipeline/some_tables.py",
)
FIVE = (
    "groningen_data/contracts/traffic/charge_points.py",
    "groningen_data/sources/charge_points.py",
    "checks/traffic/charge_points.py",
    "assets/traffic/charge_points.py",
    "groningen_data/profiles/live/charge_points.toml",
)
TO_TRY_IT = ("groningen_data/replica/services/charge_points.py", "tests/unit/sources/test_charge_points.py")
PAGE = quoted_files((PROJECT / "docs" / "add-a-source.md").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("product")


@pytest.fixture(scope="module")
def read(folder: Path) -> dict[str, pl.DataFrame]:
    return from_files(folder, TABLES)


def test_the_page_quotes_the_product():
    assert tuple(PAGE) == (*FIVE, *TO_TRY_IT)
    for path, text in PAGE.items():
        assert (PROJECT / path).read_text(encoding="utf-8") == text, f"{path}: run `make docs`"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it was before: without the files of the page."""
    tree = tmp_path_factory.mktemp("before") / "tree"
    for name in COPIED:
        source, target = PROJECT / name, tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    for path in PAGE:
        (tree / path).unlink(missing_ok=True)
    return tree


@pytest.fixture(scope="module")
def before(tree: Path) -> dict[str, str]:
    return hashes(tree)


@pytest.fixture(scope="module")
def pulled(tree: Path, before: dict[str, str], folder: Path, read: object) -> dict[str, pl.DataFrame]:
    """Rows that the project pulls from its replica once it has the files of the page."""
    for path, text in PAGE.items():
        target = tree / path
        assert not target.exists()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    shutil.copytree(folder / "sample-city", tree / "data" / "sample-city")
    said = run(tree, "-m", "tests.pipeline.some_tables", "data", *TABLES)
    assert f"code: {tree / 'groningen_data'}" in said
    return {table: pl.read_parquet(tree / "data" / f"{table}.parquet") for table in TABLES}


def test_nothing_else_of_the_product_knows_the_source(tree, before):
    knowing = [path for path in before if path.endswith((".py", ".toml")) and "charge_points" in (tree / path).read_text()]
    assert knowing == ["groningen_data/sample/city.py"]


@pytest.mark.parametrize("table", TABLES)
def test_who_follows_the_page_pulls_the_rows_that_the_product_reads_from_files(read, pulled, table):
    assert read[table].height > 10
    assert pulled[table].equals(read[table])


def test_five_files_are_new_for_the_product_and_none_was_changed(tree, before, pulled):
    now = hashes(tree)
    assert {path: now.get(path) for path in before} == before
    assert now.keys() - before.keys() == {*FIVE, *TO_TRY_IT}


def hashes(tree: Path) -> dict[str, str]:
    """The files of a project by path; not what is made at run time."""
    made = (tree / "data", *tree.rglob("__pycache__"))
    kept = [p for p in tree.rglob("*") if p.is_file() and (tree / "data/reference" in p.parents or not {*p.parents} & {*made})]
    return {str(p.relative_to(tree)): hashlib.sha256(p.read_bytes()).hexdigest() for p in kept}


def run(tree: Path, *arguments: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GRONINGEN_", "DAGSTER_"))}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env=kept | {"PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
