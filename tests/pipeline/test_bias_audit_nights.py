"""The bias audit through the gate: a night without bias, the night that a rule turns out to be biased, and what is told of it."""

from pathlib import Path

import numpy as np
import pytest

from assets import all_recipes
from groningen_data.alerts import summarise
from groningen_data.gate.gate import Gate, TableResult
from groningen_data.lakehouse import Lakehouse
from groningen_data.landing import Landing
from groningen_data.sample.audit_counts import half_year
from groningen_data.settings import Settings, load_settings
from groningen_data.sources.audit_counts import SOURCE

TABLES = ("core.welfare_audit_counts", "collective.bias_audit", "collective.bias_incidents")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("nights")
    (folder / "files").mkdir()
    return load_settings(
        profile="real", data_dir=folder / "data", files=folder / "files", as_of="2026-03-16T06:00:00Z", memory_limit_mb=300
    )


def deliver(settings: Settings, half: int, bias: float, biased_process: str) -> None:
    """Release a half-year in which one process selects with bias."""
    rows = half_year(np.random.default_rng(half), 2025, half, bias).write_csv(separator=";")
    swapped = (
        rows.replace("menselijke_selectie", "-")
        .replace(biased_process, "menselijke_selectie")
        .replace("-;", f"{biased_process};")
    )
    assert settings.files is not None
    (Path(settings.files) / f"auditcijfers_2025HJ{half:02}.csv").write_text(swapped, encoding="utf-8")


def night(settings: Settings, run: str) -> dict[str, TableResult]:
    landing = Landing(settings.landing_dir)
    SOURCE.fetch(settings, landing)
    gate = Gate(Lakehouse(settings), run)
    return {name: gate.refresh(all_recipes()[name], landing) for name in TABLES}


def test_a_night_without_bias_publishes_no_incident_and_one_with_bias_warns_by_kind(settings):
    deliver(settings, 1, 1.0, "vehicle")
    fair = night(settings, "fair")
    assert {name: bool(result.published) for name, result in fair.items()} == dict.fromkeys(TABLES, True)
    assert not fair[TABLES[2]].warnings and summarise(Lakehouse(settings), "fair").counts["warnings"] == 0

    deliver(settings, 2, 2.0, "vehicle")
    found = night(settings, "biased")
    assert [check.name for _, check in found[TABLES[2]].warnings] == ["no_rule_is_biased"]
    told = summarise(Lakehouse(settings), "biased")
    assert told.needs_attention
    assert "collective.bias_incidents snapshot: no_rule_is_biased. No rule selects a group more often" in told.text()
    with Lakehouse(settings).reader() as con:
        incidents = con.execute("SELECT DISTINCT process_code, status_code, consequence_code FROM lake.collective.bias_incidents")
        assert incidents.fetchall() == [("vehicle", "open", "rule_suspended")]

    # What was counted wrongly is released anew: the incident was none.
    deliver(settings, 2, 1.0, "vehicle")
    mended = night(settings, "mended")
    assert mended[TABLES[2]].published and not mended[TABLES[2]].warnings
    with Lakehouse(settings).reader() as con:
        assert con.execute("SELECT count(*) FROM lake.collective.bias_incidents").fetchall() == [(0,)]


def test_a_half_year_of_which_a_withheld_count_can_be_worked_out_is_rejected(settings):
    deliver(settings, 1, 1.0, "vehicle")
    path = Path(settings.files or "") / "auditcijfers_2025HJ01.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    row = next(n for n, line in enumerate(lines) if line.startswith("vehicle;2025HJ01;geslacht;vrouw;"))
    cells = lines[row].split(";")
    cells[6:-1] = [""] * len(cells[6:-1])
    lines[row] = ";".join(cells)
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    [batch] = night(settings, "secondary")[TABLES[0]].rejected
    assert batch.key == "2025HJ01" and "no_withheld_selection_can_be_worked_out" in batch.reason
