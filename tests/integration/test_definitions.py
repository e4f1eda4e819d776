"""The asset graph as a tested artefact, and what Dagster records of a night, a backfill and a process that died."""

import ast
import json
import os
import shutil
import subprocess
import sys
import textwrap
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from assets import all_recipes
from assets.factory import WRITER_POOL, table_key
from groningen_data.contracts.base import columns_of
from groningen_data.definitions import STORES, build_defs
from groningen_data.lakehouse import Lakehouse
from groningen_data.settings import Settings, load_settings
from resources.launcher import WatchfulRunLauncher
from tests.integration.graph import WRITTEN, graph_of

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_defs(load_settings(profile="sample", data_dir=tmp_path_factory.mktemp("graph")))


class TestGraph:
    def test_graph_and_jobs_are_exactly_those_written_down(self, defs):
        found, written = graph_of(defs), json.loads(WRITTEN.read_text(encoding="utf-8"))
        hint = "if the change is meant, run `python -m tests.integration.graph`"
        assert found["assets"].keys() == written["assets"].keys(), hint
        changed = {name: facts for name, facts in found["assets"].items() if facts != written["assets"][name]}
        assert changed == {}, hint
        assert found["jobs"] == written["jobs"], hint

    def test_the_job_of_a_store_has_its_sources_and_tables_and_all_marts(self, defs):
        graph = graph_of(defs)
        marts = {name for name, facts in graph["assets"].items() if facts["group"] in ("collective", "serving")}
        for store in STORES:
            tables = {name for name, facts in graph["assets"].items() if facts["group"] == store}
            sources = {
                parent for name in tables for parent in graph["assets"][name]["stands_on"] if parent.startswith("landing/")
            }
            assert set(graph["jobs"][f"refresh_{store}"]) == marts | tables | sources
        assert set(graph["jobs"]["nightly"]) == set(graph["assets"])

    def test_schedule_and_sensors_are_exactly_these(self, defs):
        assert [(s.name, s.cron_schedule, s.execution_timezone) for s in defs.schedules] == [
            ("every_night", "0 2 * * *", "Europe/Amsterdam")
        ]
        assert {s.name for s in defs.sensors} == {"tell_of_failed_runs", "tell_of_the_night"}

    def test_only_tables_in_daily_batches_of_payloads_have_partitions(self, defs):
        graph = defs.resolve_asset_graph()
        partitioned = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).is_partitioned}
        assert partitioned == {
            "core/traffic_counts",
            "core/traffic_historical_counts",
            "core/waste_emptyings",
            "core/waste_fill_levels",
            "core/waste_open_reports",
            "core/waste_public_report_counts",
        }

    @pytest.mark.parametrize("table", sorted(all_recipes()))
    def test_every_table_says_what_it_is(self, defs, table):
        recipe, node = all_recipes()[table], defs.resolve_asset_graph().get(table_key(table))
        assert node.group_name == recipe.facts.store
        assert len(node.owners) == 1
        assert "duckdb" in node.kinds
        assert recipe.facts.title_nl in node.description
        columns = node.metadata["dagster/column_schema"].columns
        assert [column.name for column in columns] == list(columns_of(recipe.contract))
        assert all(column.description for column in columns)
        assert "contract" in {check.name for check in node.check_keys}
        assert {check.name for check in node.check_keys} - {"contract"} == {e.name for e in recipe.suite}

    def test_only_fetching_is_ever_retried(self, defs):
        retried = {asset.op.name for asset in defs.assets if asset.op.retry_policy}
        assert retried == {asset.op.name for asset in defs.assets if asset.op.name.startswith("landing__")}
        assert retried

    def test_only_one_step_writes_to_the_lake_at_a_time(self, defs):
        writing = {asset.op.name for asset in defs.assets if asset.op.pool == WRITER_POOL}
        assert writing == {name.replace(".", "__") for name in all_recipes()}


class TestImports:
    def test_only_the_composition_roots_of_the_data_logic_know_dagster(self):
        roots = {PROJECT / "groningen_data" / name for name in ("definitions.py", "cli.py")}
        found = {path for path in (PROJECT / "groningen_data").rglob("*.py") if "dagster" in _imported(path)}
        assert found <= roots
        assert PROJECT / "groningen_data" / "definitions.py" in found


def _imported(path: Path) -> set[str]:
    """First words of all modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


NEW_TABLE = {
    "groningen_data/contracts/waste/litter_bins.py": '''
        """Contract of the litter bins."""

        from groningen_data.contracts.base import Contract, column, table


        class WasteLitterBins(Contract):
            """Litter bins and how full they may be."""

            bin_id: str = column("Baknummer", "Bin id")
            volume_m3: float = column("Inhoud", "Volume", unit="m³", gt=0)

            class Config(Contract.Config):
                metadata = table(
                    name="core.waste_litter_bins",
                    title_nl="Afvalbakken",
                    title_en="Litter bins",
                    grain="one litter bin",
                    key=("bin_id",),
                    owner="Stadsbeheer",
                    purpose="To plan collection.",
                    legal_basis="Wet milieubeheer art. 10.21",
                    classification="public",
                    retention="5 years",
                    freshness_days=30,
                    load_mode="snapshot",
                    tolerance=0.5,
                )
    ''',
    "groningen_data/sources/litter_bins.py": '''
        """Lists of litter bins as CSV."""

        import io

        import polars as pl

        from groningen_data.sources.base import FileSource


        def parse_litter_bins(payloads, batch_key, context):
            """Rows of `core.waste_litter_bins` from the last list."""
            yield pl.read_csv(io.BytesIO(payloads[-1].read()), infer_schema=False)


        SOURCE = FileSource(
            name="litter_bins",
            title="Litter bins",
            patterns=("litter_bins*.csv",),
            recognises=lambda head: False,
            batches=lambda payload: ("snapshot",),
        )
    ''',
    "assets/waste/litter_bins.py": '''
        """Litter bins, from the delivered lists."""

        from checks.waste.litter_bins import SUITE
        from groningen_data.contracts.waste.litter_bins import WasteLitterBins
        from groningen_data.gate.recipe import Feed, Recipe
        from groningen_data.sources import litter_bins

        RECIPE = Recipe(contract=WasteLitterBins, suite=SUITE, feeds=(Feed(litter_bins.SOURCE, litter_bins.parse_litter_bins),))
    ''',
    "checks/waste/litter_bins.py": '''
        """Suite of the litter bins."""

        from groningen_data.gate.suite import Expectation

        SUITE = (
            Expectation(
                "some_litter_bins",
                "expect_table_row_count_to_be_between",
                "There are litter bins.",
                kwargs={"min_value": 1},
            ),
        )
    ''',
    "tests/integration/test_litter_bins.py": '''
        """A new table from file to lake."""

        import dagster as dg
        import groningen_data
        from groningen_data.definitions import STORES, build_defs
        from groningen_data.lakehouse import Lakehouse
        from groningen_data.settings import load_settings


        def test_litter_bins_reach_the_lake(tmp_path):
            settings = load_settings(profile="real", files=tmp_path, data_dir=tmp_path / "data")
            (tmp_path / "litter_bins_2026.csv").write_text("bin_id,volume_m3\\nA1,5.0\\nA2,-1\\n")
            defs = build_defs(settings)
            table = defs.resolve_asset_graph().get(dg.AssetKey(["core", "waste_litter_bins"]))
            assert table.group_name == "waste"
            assert {check.name for check in table.check_keys} == {"contract", "some_litter_bins"}
            assert defs.resolve_job_def("refresh_waste").asset_layer.has(dg.AssetKey(["landing", "litter_bins"]))
            job = defs.resolve_implicit_global_asset_job_def()
            keys = [dg.AssetKey(["landing", "litter_bins"]), table.key]
            assert job.execute_in_process(asset_selection=keys).success
            with Lakehouse(settings).reader() as con:
                assert con.execute("FROM lake.core.waste_litter_bins").fetchall() == [("A1", 5.0)]
            print("module:", groningen_data.__file__)
    ''',
}


def test_a_new_table_is_new_files_only(tmp_path):
    tree = tmp_path / "tree"
    for folder in ("groningen_data", "assets", "checks", "resources", "data/reference"):
        shutil.copytree(PROJECT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in NEW_TABLE.items():
        path = tree / name
        assert not path.exists(), f"{name} would change an existing file"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "--import-mode=importlib",
         "tests/integration/test_litter_bins.py"],
        cwd=tree, env=_environment(PYTHONPATH=str(tree)), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"module: {tree}" in done.stdout


def _environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GRONINGEN_", "DAGSTER_"))}
    return kept | more


class Night:
    """The sample city after one night: ten days, of which the fifth has bad loops."""

    def __init__(self, folder: Path) -> None:
        self.settings: Settings = load_settings(profile="sample", data_dir=folder, sample_days=10)
        self.instance = dg.DagsterInstance.ephemeral()
        self.defs = build_defs(self.settings)
        self.first = self.settings.today() - timedelta(days=10)
        self.result = self.defs.resolve_job_def("nightly").execute_in_process(instance=self.instance, raise_on_error=False)

    def day(self, number: int) -> str:
        return (self.first + timedelta(days=number - 1)).isoformat()

    def backfill(self, table: str, days: list[str], instance: dg.DagsterInstance | None = None) -> dg.ExecuteInProcessResult:
        """What the UI's backfill does: one run over one table for one day or for a range of days."""
        job = self.defs.resolve_implicit_global_asset_job_def()
        chosen = {"partition_key": days[0]} if len(days) == 1 else {}
        tags = {} if chosen else {"dagster/asset_partition_range_start": days[0], "dagster/asset_partition_range_end": days[-1]}
        return job.execute_in_process(
            asset_selection=[table_key(table)],
            instance=instance or self.instance,
            raise_on_error=False,
            tags=tags,
            **chosen,
        )

    def batches_of(self, run_id: str) -> dict[str, str]:
        with Lakehouse(self.settings).reader() as con:
            sql = "SELECT batch_key, outcome FROM lake.ops.batches WHERE run_id = ?"
            return dict(con.execute(sql, [run_id]).fetchall())


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    return Night(tmp_path_factory.mktemp("night"))


class TestNight:
    def test_a_night_with_a_rejected_day_succeeds(self, night):
        assert night.result.success

    def test_good_days_are_recorded_as_materialised_and_bad_ones_not(self, night):
        loops = night.instance.get_materialized_partitions(table_key("core.traffic_counts"))
        assert loops == {night.day(n) for n in range(1, 11)} - {night.day(5)}
        reports = night.instance.get_materialized_partitions(table_key("core.waste_open_reports"))
        assert reports == {night.day(n) for n in range(1, 11)}

    def test_a_rejected_day_is_a_failed_check_that_says_which(self, night):
        failed = {
            (e.asset_key.to_user_string(), e.check_name): e.description
            for e in night.result.get_asset_check_evaluations()
            if not e.passed and e.severity == dg.AssetCheckSeverity.ERROR
        }
        assert set(failed) == {("core/traffic_counts", "contract")}
        assert f"{night.day(5)}/loops" in failed["core/traffic_counts", "contract"]

    def test_every_asset_of_the_night_is_materialised(self, night):
        done = {event.asset_key.to_user_string() for event in night.result.get_asset_materialization_events()}
        assert done == set(graph_of(night.defs)["assets"])

    def test_a_backfill_of_one_day_gates_that_day_again(self, night):
        run = night.backfill("core.waste_open_reports", [night.day(3)])
        assert run.success
        assert night.batches_of(run.run_id) == {night.day(3): "unchanged"}

    def test_a_backfill_of_a_bad_day_fails_and_stays_missing(self, night):
        run = night.backfill("core.traffic_counts", [night.day(5)])
        assert not run.success
        assert night.batches_of(run.run_id) == {f"{night.day(5)}/loops": "rejected"}
        assert night.day(5) not in night.instance.get_materialized_partitions(table_key("core.traffic_counts"))

    def test_a_backfill_of_several_days_gates_all_of_them_in_one_run(self, night):
        run = night.backfill("core.traffic_counts", [night.day(n) for n in (4, 5, 6)])
        assert run.success
        outcomes = night.batches_of(run.run_id)
        assert {key: outcomes[f"{key}/loops"] for key in (night.day(4), night.day(5), night.day(6))} == {
            night.day(4): "unchanged",
            night.day(5): "rejected",
            night.day(6): "unchanged",
        }
        assert night.day(5) not in night.instance.get_materialized_partitions(table_key("core.traffic_counts"))


def test_a_run_with_nothing_new_shows_the_last_verdict_of_every_check(night):
    tables = ("core.traffic_counts", "core.waste_fill_levels", "core.welfare_sample_cases", "collective.error_patterns")
    job = night.defs.resolve_implicit_global_asset_job_def()
    chosen = [table_key(table) for table in tables]
    result = job.execute_in_process(asset_selection=chosen, instance=night.instance, raise_on_error=False)
    assert result.success
    told = {e.asset_check_key: e for e in result.get_asset_check_evaluations()}
    with Lakehouse(night.settings).reader() as con:
        judged = con.execute(
            "SELECT DISTINCT table_name, check_name FROM lake.ops.checks WHERE table_name IN ?", [tables]
        ).fetchall()
    # Of a table of which nothing can be said yet only the contract was judged.
    assert set(told) == {dg.AssetCheckKey(table_key(table), name) for table, name in judged}
    assert {table for table, _ in judged} == set(tables)
    counts = told[dg.AssetCheckKey(dg.AssetKey(["core", "traffic_counts"]), "vehicles_follow_from_flow")]
    assert counts.passed and counts.description.startswith("nothing new; ")


class TestInstance:
    @pytest.fixture
    def instance(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
        monkeypatch.setenv("GRONINGEN_DAGSTER_DIR", str(tmp_path / "dagster"))
        with dg.DagsterInstance.from_config(str(PROJECT)) as instance:
            yield instance

    def test_nothing_leaves_the_machine_and_all_is_kept_in_its_folder(self, instance, tmp_path):
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert str(tmp_path / "dagster") in instance.storage_directory()
        assert (tmp_path / "dagster" / "history").is_dir()

    def test_one_run_and_one_writing_step_at_a_time(self, instance):
        config = instance.get_concurrency_config()
        assert config.run_queue_config.max_concurrent_runs == 1
        assert config.pool_config.default_pool_limit == 1

    def test_slots_of_dead_runs_are_given_back(self, instance):
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_settings["free_slots_after_run_end_seconds"] > 0
        assert instance.run_monitoring_max_runtime_seconds > 0
        assert isinstance(instance.run_launcher, WatchfulRunLauncher)

    def test_the_workspace_loads_in_a_process_of_its_own(self, tmp_path):
        environment = _environment(
            DAGSTER_HOME=str(PROJECT), GRONINGEN_DAGSTER_DIR=str(tmp_path / "dagster"), GRONINGEN_DATA_DIR=str(tmp_path)
        )
        done = subprocess.run(
            [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"],
            cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "Validation successful for code location groningen" in done.stdout + done.stderr


class TestLauncher:
    @pytest.fixture
    def launcher(self) -> WatchfulRunLauncher:
        launcher = WatchfulRunLauncher()
        self.instance = dg.DagsterInstance.ephemeral()
        launcher.register_instance(self.instance)
        return launcher

    def run_of(self, pid: int | None) -> dg.DagsterRun:
        @dg.job
        def empty() -> None: ...

        run = self.instance.create_run_for_job(empty, status=dg.DagsterRunStatus.STARTED)
        if pid is not None:
            data = EngineEventData(metadata={"pid": dg.MetadataValue.text(str(pid))})
            self.instance.report_engine_event(f"Started process for run (pid: {pid}).", run, data)
        return run

    def test_a_run_whose_process_exists_is_running(self, launcher):
        assert launcher.check_run_worker_health(self.run_of(os.getpid())).status.value == "RUNNING"

    def test_a_run_whose_process_is_gone_is_noticed(self, launcher):
        process = subprocess.Popen([sys.executable, "-c", ""])
        process.wait()
        health = launcher.check_run_worker_health(self.run_of(process.pid))
        assert health.status.value == "NOT_FOUND"
        assert str(process.pid) in health.msg

    def test_a_run_that_never_said_its_process_is_left_alone(self, launcher):
        assert launcher.check_run_worker_health(self.run_of(None)).status.value == "RUNNING"
