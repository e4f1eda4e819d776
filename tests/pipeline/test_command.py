"""The `groningen` command as its users run it: refresh, a kill halfway, refresh again, and no traceback on any mistake."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from groningen_data.cli import main

PROJECT = Path(__file__).parents[2]


def groningen(*arguments: str, folder: Path, more: dict[str, str] | None = None, **options):
    """The command in a process of its own, with the data folder below `folder` and `more` in its environment."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GRONINGEN_", "DAGSTER_"))}
    environment |= {"GRONINGEN_DATA_DIR": str(folder), "GRONINGEN_SAMPLE_DAYS": "2", "GRONINGEN_THREADS": "1", **(more or {})}
    command = [sys.executable, "-c", "from groningen_data.cli import main; main()", *arguments]
    return subprocess.Popen(command, cwd=PROJECT, env=environment, text=True, stdout=-1, stderr=-1, **options)


def run(*arguments: str, folder: Path, code: int = 0) -> tuple[str, str]:
    process = groningen(*arguments, folder=folder)
    out, err = process.communicate(timeout=600)
    assert process.returncode == code, (out, err)
    assert "Traceback" not in out + err
    return out, err


@pytest.fixture
def here(folder, monkeypatch, capfd):
    """`here("tables")`: the command in this process, on the folder; what it printed, and its exit code."""
    for name in [name for name in os.environ if name.startswith("GRONINGEN_")]:
        monkeypatch.delenv(name)
    told = {"GRONINGEN_DATA_DIR": folder, "GRONINGEN_DAGSTER_DIR": folder / "dagster", "DAGSTER_HOME": PROJECT}
    for name, value in {**told, "GRONINGEN_SAMPLE_DAYS": 2, "GRONINGEN_THREADS": 1}.items():
        monkeypatch.setenv(name, str(value))

    def ran(*arguments: str) -> tuple[str, str, int]:
        monkeypatch.setattr(sys, "argv", ["groningen", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return out, err, end.value.code

    return ran


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data folder whose first refresh was killed while it wrote, and whose second ran to its end."""
    folder = tmp_path_factory.mktemp("command")
    killed = groningen("refresh", folder=folder)
    catalog = folder / "lake" / "writer.json"
    deadline = time.monotonic() + 300
    while not (catalog.exists() and "waste" in catalog.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    out, _ = run("refresh", folder=folder)
    assert "batches published" in out
    return folder


def test_a_refresh_after_a_kill_ends_and_a_third_has_nothing_to_do(here):
    out, err, code = here("refresh", "--strict")
    assert code == 0, (out, err)
    assert "nothing new published" in out


def test_only_a_whole_refresh_renews_what_the_watch_sees(folder, here):
    before = (folder / "serving" / "refreshed.json").read_text()
    run("drop", "core.reference_weather_days", folder=folder)
    assert "core.reference_weather_days: 1 batch" in here("refresh", "--store", "reference")[0]
    assert json.loads((folder / "serving" / "refreshed.json").read_text())["refreshed_at"] == json.loads(before)["refreshed_at"]


def test_the_killed_run_is_not_left_standing_as_started(folder, monkeypatch):
    monkeypatch.setenv("GRONINGEN_DAGSTER_DIR", str(folder / "dagster"))
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT))
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        statuses = [r.status for r in instance.get_runs()]
    assert dg.DagsterRunStatus.STARTED not in statuses
    assert dg.DagsterRunStatus.FAILURE in statuses


def test_sql_answers_in_every_format(folder):
    question = "SELECT count(*) AS n FROM neighbourhood_month"
    assert "151" in run("sql", question, folder=folder)[0]
    assert run("sql", question, "--format", "csv", folder=folder)[0].split() == ["n", "151"]
    assert '"n": 151' in run("sql", question, "-f", "json", folder=folder)[0]


def test_an_earlier_state_is_answered_and_one_before_the_first_is_refused(folder):
    from datetime import UTC, datetime

    out, _ = run("sql", "SELECT count(*) FROM neighbourhood_month", "--as-of", datetime.now(UTC).isoformat(), folder=folder)
    assert "151" in out
    _, err = run("sql", "SELECT 1", "--as-of", "2001-01-01", folder=folder, code=1)
    assert "there is no state of 2001-01-01" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sql", "DROP TABLE neighbourhood_month"], "read-only"),
        (["sql", "SELECT * FROM nothing"], "the tables are"),
        (["sql", "SELECT 1", "--as-of", "yesterday"], "is not an instant"),
        (["refresh", "--store", "parks"], "there is no store parks"),
        (["refresh", "--from", "2026-03-05", "--to", "2026-03-02"], "lies before"),
        (["refresh", "--profile", "imaginary"], "there is no such profile"),
        (["refresh", "--profile", "real"], "set GRONINGEN_FILES"),
        (["quarantine", "show", "core.waste_reports", "none"], "has no quarantined rows"),
        (["quarantine", "replay", "core.nothing", "none"], "there is no such table"),
        (["drop", "core.nothing"], "core.nothing"),
        (["quarantine", "list", "core.nothing"], "there is no such table"),
        (["quarantine", "export", "core.traffic_counts", "2026-03-14/loops", "/nowhere/at/all.csv"], "lies in no folder"),
        (["backup", "/proc/nowhere"], "check the path"),
        (["tables", "nothing"], "there is no such table"),
    ],
)
def test_a_mistake_gets_one_clear_line(here, arguments, said):
    _, err, code = here(*arguments)
    assert code == 1
    assert said in err and err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["sql", "SELECT 1"], ["tables"], ["watch"], ["quarantine", "list"], ["maintain"]])
def test_without_a_lake_every_command_says_what_to_do(tmp_path, arguments):
    process = groningen(*arguments, folder=tmp_path)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err
    assert "refresh" in out + err


def test_the_rest_of_the_commands_do_their_work(folder, tmp_path):
    assert "fresh" in run("watch", folder=folder)[0] or "refreshed" in run("watch", folder=folder)[0]
    assert "neighbourhood_month" in run("tables", folder=folder)[0]
    run("maintain", folder=folder)
    run("backup", str(tmp_path / "backup"), folder=folder)
    run("restore", str(tmp_path / "backup"), folder=tmp_path / "restored")
    assert "names no whole refresh" in run("watch", folder=tmp_path / "restored", code=1)[1]
    assert "151" in run("sql", "SELECT count(*) FROM neighbourhood_month", folder=tmp_path / "restored")[0]
