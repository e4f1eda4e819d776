"""The serving database end to end: published from hand-made lake rows, swapped under readers, questioned by analysts."""

import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import duckdb
import pytest

from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import facts_of, sql_types
from groningen_data.errors import GroningenError, LakehouseError
from groningen_data.lakehouse import Lakehouse
from groningen_data.lakehouse.ledger import BatchRecord, CheckResult, record
from groningen_data.lakehouse.tables import ensure_table
from groningen_data.serving import parts, publish
from groningen_data.serving.parts import served_contracts
from groningen_data.serving.publish import publish_serving
from groningen_data.serving.query import QueryError, query, render, tables
from groningen_data.settings import Settings, load_settings

MART, DISTRICTS = "collective.neighbourhood_month", "core.reference_districts"
PROJECT = Path(__file__).parents[2]
KILLED = 9
# Tables with a Parquet file per month; without rows, they have an empty one.
BY_MONTH = {
    "approach_hour",
    "collection_backtest",
    "container_day",
    "container_inflow_day",
    "intersection_hour",
    "site_hour",
    "site_quality",
}

# recipients and inhabitants (in all and of 15 and older) of neighbourhood 0 to 5
PEOPLE = [(0, 1234, 1001), (9, 1234, 1001), (14, 56, 44), (900, 1500, 1000), (None, None, None), (3, 4, 4)]


@pytest.fixture
def lakehouse(tmp_path):
    return Lakehouse(load_settings(data_dir=tmp_path / "data", sql_timeout_s=30.0, memory_limit_mb=300))


@pytest.fixture
def published(lakehouse):
    fill(lakehouse)
    publish_serving(lakehouse)
    return lakehouse


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    """The settings of a data folder in which everything was published once; for tests that only read."""
    lakehouse = Lakehouse(load_settings(data_dir=tmp_path_factory.mktemp("published"), memory_limit_mb=300))
    fill(lakehouse)
    publish_serving(lakehouse)
    return lakehouse.settings


def fill(lakehouse: Lakehouse, people=tuple(PEOPLE), reports: int = 12) -> None:
    """Replace the mart and the districts by hand-made rows, given in descending order of the key, and note it in the ledger."""
    contracts = all_contracts()
    with lakehouse.writer("test") as con:
        for name in (MART, DISTRICTS):
            ensure_table(con, contracts[name])
        con.execute("BEGIN")
        con.execute(f"DELETE FROM lake.{MART}")
        con.execute(f"DELETE FROM lake.{DISTRICTS}")
        con.execute(f"INSERT INTO lake.{DISTRICTS} VALUES ('WK001400', 'Centrum', 'GM0014', 2024, ?, 123.4)", [reports])
        for number, (recipients, inhabitants, older) in reversed(list(enumerate(people))):
            row = dict.fromkeys(sql_types(contracts[MART])) | {
                "neighbourhood_code": f"BU0014000{number}",
                "neighbourhood_name": f"Buurt {number}",
                "district_code": "WK001400",
                "month": "2026-03-01",
                "waste_reports": reports,
                "waste_reports_completeness": 1.0,
                "containers": 0,
                "fill_completeness": 0.0,
                "collected_completeness": 0.0,
                "traffic_sites": 0,
                "traffic_completeness": 0.0,
                "cyclists_completeness": 0.0,
                "weather_completeness": 0.0,
                "weekday_vehicles_reason": "no_site",
                "recipients": recipients,
                "inhabitants": inhabitants,
                "inhabitants_15_plus": older,
            }
            con.execute(f"INSERT INTO lake.{MART} VALUES ({', '.join('?' * len(row))})", list(row.values()))
        for table, passed in ((MART, True), (DISTRICTS, False)):
            checks = (
                CheckResult("rows_expected", "error", True, "There are rows.", observed="6"),
                CheckResult("usual_maximum", "warning", passed, "The maximum is usual.", observed="1234"),
            )
            moment = datetime.now(UTC)
            batch = BatchRecord(
                f"{table}-{moment.isoformat()}", table, "2026-03", "id", "published", 6, 6, 0, 0, moment, "run", "six rows",
                touched_months=("2026-03",) if table == MART else (), checks=checks, lineage=(("table", DISTRICTS, "1"),),
            )  # fmt: skip
            record(con, [batch])
        con.execute("COMMIT")


def rows_of(settings: Settings, sql: str, at: datetime | None = None) -> list[tuple]:
    return list(query(settings, sql, at).rows)


class TestPublishing:
    def test_counts_of_people_are_protected_in_database_and_parquet(self, settings):
        columns = "recipients, recipients_suppressed, inhabitants, recipients_per_1000, recipients_per_1000_suppressed"
        expected = [
            (None, "below_minimum", 1230, None, "numerator_suppressed"),
            (None, "below_minimum", 1230, None, "numerator_suppressed"),
            (10, None, 60, 250.0, None),
            (None, "dominant_share", 1500, None, "numerator_suppressed"),
            (None, None, None, None, None),
            (None, "below_minimum", None, None, "numerator_suppressed"),
        ]
        assert rows_of(settings, f"SELECT {columns} FROM neighbourhood_month") == expected
        parquet = settings.serving_dir / "neighbourhood_month.parquet"
        assert duckdb.sql(f"SELECT {columns} FROM '{parquet}'").fetchall() == expected

    def test_rows_are_stored_in_the_order_of_the_key(self, settings):
        expected = [(f"BU0014000{n}",) for n in range(6)]
        assert rows_of(settings, "SELECT neighbourhood_code FROM neighbourhood_month") == expected
        parquet = settings.serving_dir / "neighbourhood_month.parquet"
        assert duckdb.sql(f"SELECT neighbourhood_code FROM '{parquet}'").fetchall() == expected

    def test_exact_counts_are_nowhere_in_the_served_files(self, lakehouse):
        exact = 7_654_321_987_654_321
        fill(lakehouse, [(12, exact, exact + 2)])
        publish_serving(lakehouse)
        files = [p for p in lakehouse.settings.serving_dir.rglob("*") if p.is_file()]
        assert {p.suffix for p in files} >= {".duckdb", ".parquet"}
        for value in (exact, exact + 2):
            assert not [p.name for p in files if value.to_bytes(8, "little") in p.read_bytes()]

    def test_a_plain_client_without_extensions_reads_it(self, settings):
        config = {"autoload_known_extensions": False, "autoinstall_known_extensions": False}
        with duckdb.connect(str(settings.serving_dir / "marts.duckdb"), read_only=True, config=config) as con:
            assert con.execute("SELECT count(*) FROM neighbourhood_month").fetchone() == (6,)
            assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE comment IS NULL").fetchone() == (0,)
            assert con.execute("SELECT count(*) FROM duckdb_columns() WHERE NOT internal AND comment IS NULL").fetchone() == (0,)

    def test_every_served_contract_is_there_even_before_it_has_rows(self, lakehouse):
        with lakehouse.writer("test"):
            pass
        report = publish_serving(lakehouse)
        served = sorted(served_contracts())
        found = [name for (name,) in rows_of(lakehouse.settings, "SELECT name FROM (SHOW TABLES)")]
        assert found == served
        assert (report.tables, report.rows, report.changed) == (len(served), 0, True)
        files = sorted(p.stem for p in lakehouse.settings.serving_dir.rglob("*.parquet"))
        assert files == sorted([*set(served) - BY_MONTH, *["empty"] * len(BY_MONTH)])
        empty = lakehouse.settings.serving_dir / "site_hour" / "*.parquet"
        assert "vehicles" in duckdb.sql(f"FROM '{empty}'").columns

    def test_publishing_without_a_lake_says_what_to_do(self, lakehouse):
        with pytest.raises(LakehouseError, match="make refresh"):
            publish_serving(lakehouse)

    def test_equal_content_is_not_written_again_but_the_refresh_is_noted(self, published):
        folder = published.settings.serving_dir
        before = {p.name: p.stat().st_mtime_ns for p in folder.glob("*.[dp]*") if p.name != "refreshed.json"}
        first = json.loads((folder / "refreshed.json").read_text())
        report = publish_serving(published, datetime.now(UTC) + timedelta(hours=1))
        second = json.loads((folder / "refreshed.json").read_text())
        assert not report.changed
        assert before == {p.name: p.stat().st_mtime_ns for p in folder.glob("*.[dp]*") if p.name != "refreshed.json"}
        assert second["refreshed_at"] > first["refreshed_at"]
        assert second["marts_sha256"] == first["marts_sha256"]

    def test_changed_content_is_written_and_dated(self, published):
        fill(published, reports=13)
        moment = datetime(2030, 1, 1, tzinfo=UTC)
        assert publish_serving(published, moment).changed
        assert rows_of(published.settings, "SELECT content_changed_at = '2030-01-01' FROM dictionary.refresh") == [(True,)]
        assert rows_of(published.settings, "SELECT DISTINCT waste_reports FROM neighbourhood_month") == [(13,)]

    @pytest.mark.parametrize("damage", ["marts.duckdb", "neighbourhood_month.parquet", "refreshed.json"])
    def test_a_missing_file_is_made_again(self, published, damage):
        (published.settings.serving_dir / damage).unlink()
        assert publish_serving(published).changed
        assert (published.settings.serving_dir / damage).is_file()

    def test_a_file_that_somebody_wrote_into_is_replaced(self, published):
        marts = published.settings.serving_dir / "marts.duckdb"
        with duckdb.connect(str(marts)) as con:
            con.execute("CREATE TABLE mine AS SELECT 1")
        (marts.parent / "marts.duckdb.wal").write_bytes(b"a log that somebody left")
        assert publish_serving(published).changed
        assert not (marts.parent / "marts.duckdb.wal").exists()
        with pytest.raises(QueryError, match="mine"):
            query(published.settings, "FROM mine")

    def test_a_table_that_is_no_longer_served_is_withdrawn(self, published):
        withdrawn = published.settings.serving_dir / "formerly_served.parquet"
        withdrawn.write_bytes(b"rows")
        assert publish_serving(published).changed
        assert not withdrawn.exists()

    def test_every_column_of_the_database_is_in_the_dictionary_with_its_type(self, settings):
        assert (
            rows_of(
                settings,
                "SELECT table_name, column_name, position, type FROM dictionary.columns "
                "JOIN dictionary.tables ON name = table_name WHERE is_served "
                "EXCEPT SELECT table_name, column_name, column_index, data_type FROM duckdb_columns() "
                "WHERE database_name = 'marts' AND schema_name = 'main'",
            )
            == []
        )
        served = "SELECT count(*) FROM duckdb_columns() WHERE database_name = 'marts' AND schema_name = 'main'"
        listed = "SELECT count(*) FROM dictionary.columns JOIN dictionary.tables ON name = table_name WHERE is_served"
        assert rows_of(settings, served) == rows_of(settings, listed)

    def test_tables_that_are_not_served_are_known_with_their_reason(self, settings):
        rows = rows_of(settings, "SELECT lake_name, is_served, reason_not_public FROM dictionary.tables ORDER BY ALL")
        assert [row[0] for row in rows] == sorted(all_contracts())
        assert all(reason for name, served, reason in rows if name == "core.welfare_recipients" and not served)

    def test_the_ledger_is_told_without_exact_figures_about_people(self, settings):
        quality = rows_of(settings, "SELECT table_name, check_name, is_passed, observed FROM dictionary.quality ORDER BY ALL")
        assert quality == [
            ("neighbourhood_month", "rows_expected", True, None),
            ("neighbourhood_month", "usual_maximum", True, None),
            ("reference_districts", "rows_expected", True, "6"),
            ("reference_districts", "usual_maximum", False, "1234"),
        ]
        batches = rows_of(settings, "SELECT table_name, outcome, rows_in, reason FROM dictionary.batches ORDER BY ALL")
        assert batches == [("neighbourhood_month", "published", 6, None), ("reference_districts", "published", 6, "six rows")]
        assert ("neighbourhood_month", "table", DISTRICTS) in rows_of(settings, "FROM dictionary.lineage")

    def test_freshness_is_judged_against_the_clock_of_the_platform(self, published):
        late = load_settings(data_dir=published.settings.data_dir, as_of=datetime.now(UTC) + timedelta(days=10))
        fresh = "SELECT name FROM dictionary.tables WHERE is_fresh ORDER BY name"
        assert rows_of(published.settings, fresh) == [("neighbourhood_month",), ("reference_districts",)]
        assert publish_serving(Lakehouse(late)).changed
        assert rows_of(late, fresh) == [("reference_districts",)]


class TestParts:
    """Of a table that is made month by month only the months that changed are made anew."""

    DAYS = "collective.container_day"

    def fill_days(self, lakehouse: Lakehouse, kg: dict[str, float], told: bool = True, ago: timedelta = timedelta(0)) -> None:
        """Put days into some months, in place of what those had; the ledger says that it was so long ago."""
        contract = all_contracts()[self.DAYS]
        with lakehouse.writer("test") as con:
            ensure_table(con, contract)
            for month, weight in kg.items():
                con.execute("BEGIN")
                con.execute(f"DELETE FROM lake.{self.DAYS} WHERE month = DATE '{month}-01'")
                for container in ("2-B", "1-A") if weight else ():
                    counted = {"BIGINT", "DOUBLE", "BOOLEAN"}
                    row = {name: 0 if kind in counted else None for name, kind in sql_types(contract).items()}
                    row |= {"container_code": container, "local_date": f"{month}-05", "month": f"{month}-01", "weight_kg": weight}
                    con.execute(f"INSERT INTO lake.{self.DAYS} VALUES ({', '.join('?' * len(row))})", list(row.values()))
                if told:
                    moment = datetime.now(UTC) - ago
                    facts = (self.DAYS, f"{month}-01", "id", "published", 2, 2, 0, 0, moment, "run")
                    batch = BatchRecord(f"{month}-{uuid4()}", *facts, touched_months=(month,), finished_at=moment)
                    record(con, [batch])
                con.execute("COMMIT")

    def stamps(self, settings: Settings) -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in (settings.serving_dir / "container_day").glob("*")}

    def parts(self, settings: Settings) -> list[tuple]:
        return rows_of(settings, "SELECT strftime(month, '%Y-%m'), rows FROM dictionary.parts WHERE table_name = 'container_day'")

    def weights(self, settings: Settings) -> list[float]:
        return [kg for (kg,) in rows_of(settings, "SELECT weight_kg FROM container_day")]

    def test_a_month_that_changed_is_made_anew_and_none_before_it(self, lakehouse):
        settings = lakehouse.settings
        self.fill_days(lakehouse, {"2026-01": 1.0, "2026-02": 2.0, "2026-03": 3.0})
        publish_serving(lakehouse)
        before = self.stamps(settings)
        assert sorted(before) == ["2026-01.parquet", "2026-02.parquet", "2026-03.parquet"]
        # What the ledger does not tell of is not looked for.
        with lakehouse.writer("test") as con:
            con.execute(f"UPDATE lake.{self.DAYS} SET weight_kg = 99 WHERE month = DATE '2026-01-01'")
        self.fill_days(lakehouse, {"2026-02": 4.0})
        assert publish_serving(lakehouse).changed
        after = self.stamps(settings)
        assert [name for name in before if before[name] != after[name]] == ["2026-02.parquet"]
        assert self.weights(settings) == [1.0, 1.0, 4.0, 4.0, 3.0, 3.0]
        everything = duckdb.sql(f"SELECT weight_kg FROM '{settings.serving_dir}/container_day/*.parquet' ORDER BY ALL").fetchall()
        assert everything == [(1.0,), (1.0,), (3.0,), (3.0,), (4.0,), (4.0,)]
        assert self.parts(settings) == [("2026-01", 2), ("2026-02", 2), ("2026-03", 2)]

    def test_rows_are_in_the_order_of_the_month_and_then_of_the_key_also_after_a_correction(self, lakehouse):
        self.fill_days(lakehouse, {"2026-02": 2.0, "2026-01": 1.0})
        publish_serving(lakehouse)
        expected = [("01", "1-A"), ("01", "2-B"), ("02", "1-A"), ("02", "2-B")]
        ordered = "SELECT strftime(month, '%m'), container_code FROM container_day"
        assert rows_of(lakehouse.settings, ordered) == expected
        self.fill_days(lakehouse, {"2026-01": 3.0})
        publish_serving(lakehouse)
        assert rows_of(lakehouse.settings, ordered) == expected
        file = lakehouse.settings.serving_dir / "container_day" / "2026-02.parquet"
        assert duckdb.sql(f"SELECT container_code FROM '{file}'").fetchall() == [("1-A",), ("2-B",)]

    def test_a_batch_counts_whatever_its_clock_said(self, lakehouse):
        self.fill_days(lakehouse, {"2026-01": 1.0})
        publish_serving(lakehouse)
        self.fill_days(lakehouse, {"2026-01": 2.0}, ago=timedelta(hours=1))
        assert publish_serving(lakehouse).changed
        assert self.weights(lakehouse.settings) == [2.0, 2.0]

    def test_a_month_without_rows_any_more_is_withdrawn_and_a_table_without_any_has_an_empty_file(self, lakehouse):
        self.fill_days(lakehouse, {"2026-01": 1.0, "2026-02": 2.0})
        publish_serving(lakehouse)
        self.fill_days(lakehouse, {"2026-01": 0.0})
        publish_serving(lakehouse)
        assert self.parts(lakehouse.settings) == [("2026-01", 0), ("2026-02", 2)]
        assert list(self.stamps(lakehouse.settings)) == ["2026-02.parquet"]
        self.fill_days(lakehouse, {"2026-02": 0.0})
        publish_serving(lakehouse)
        assert list(self.stamps(lakehouse.settings)) == ["empty.parquet"]

    def test_rows_that_the_ledger_does_not_know_are_served_as_well(self, lakehouse):
        self.fill_days(lakehouse, {"2026-01": 1.0})
        self.fill_days(lakehouse, {"2026-02": 2.0}, told=False)
        publish_serving(lakehouse)
        assert self.parts(lakehouse.settings) == [("2026-01", 2), ("2026-02", 2)]
        self.fill_days(lakehouse, {"2026-02": 4.0}, told=False)
        publish_serving(lakehouse)
        assert self.weights(lakehouse.settings) == [1.0, 1.0, 4.0, 4.0]

    def test_a_file_that_somebody_wrote_over_is_made_again(self, lakehouse):
        self.fill_days(lakehouse, {"2026-01": 1.0})
        publish_serving(lakehouse)
        file = lakehouse.settings.serving_dir / "container_day" / "2026-01.parquet"
        file.write_bytes(b"of somebody else")
        assert publish_serving(lakehouse).changed
        assert duckdb.sql(f"SELECT count(*) FROM '{file}'").fetchall() == [(2,)]

    def test_files_of_others_are_left_alone(self, lakehouse):
        self.fill_days(lakehouse, {"2026-01": 1.0})
        own, stray = (
            lakehouse.settings.serving_dir / place for place in ("my-work/mine.parquet", "container_day/1999-01.parquet")
        )
        for file in (own, stray):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"rows")
        publish_serving(lakehouse)
        assert own.exists() and not stray.exists()

    @pytest.mark.parametrize("base", [b"no database", b""])
    def test_a_base_that_cannot_be_opened_is_no_base(self, lakehouse, base):
        self.fill_days(lakehouse, {"2026-01": 1.0})
        publish_serving(lakehouse)
        folder = lakehouse.settings.serving_dir
        (folder / "marts.duckdb").write_bytes(base)
        told = json.loads((folder / "refreshed.json").read_text()) | {"marts_sha256": hashlib.sha256(base).hexdigest()}
        (folder / "refreshed.json").write_text(json.dumps(told) if base else "[]")
        assert publish_serving(lakehouse).changed
        assert self.weights(lakehouse.settings) == [1.0, 1.0]

    def test_what_somebody_writes_during_a_publication_is_not_taken_for_what_was_published(self, lakehouse, monkeypatch):
        self.fill_days(lakehouse, {"2026-01": 1.0})
        publish_serving(lakehouse)
        original = publish._files

        def meddled(built):
            with duckdb.connect(str(lakehouse.settings.serving_dir / "marts.duckdb")) as con:
                con.execute("UPDATE container_day SET weight_kg = 777")
            return original(built)

        monkeypatch.setattr(publish, "_files", meddled)
        assert not publish_serving(lakehouse).changed
        monkeypatch.setattr(publish, "_files", original)
        assert publish_serving(lakehouse).changed
        assert self.weights(lakehouse.settings) == [1.0, 1.0]

    def test_it_says_the_same_as_one_that_was_made_whole(self, lakehouse):
        settings = lakehouse.settings
        fill(lakehouse)
        self.fill_days(lakehouse, {"2026-01": 1.0, "2026-02": 2.0})
        publish_serving(lakehouse)
        self.fill_days(lakehouse, {"2026-01": 5.0, "2026-03": 3.0})
        fill(lakehouse, reports=13)
        publish_serving(lakehouse)
        facts = "SELECT content_hash, made_whole_at = content_changed_at FROM dictionary.refresh"
        rows = rows_of(settings, "FROM container_day")
        ((content_hash, is_whole),) = rows_of(settings, facts)
        assert not is_whole
        (settings.serving_dir / "refreshed.json").unlink()
        publish_serving(lakehouse)
        assert rows_of(settings, "FROM container_day") == rows
        assert rows_of(settings, facts) == [(content_hash, True)]

    def test_all_of_it_is_made_anew_once_a_week_and_stays_as_old_as_it_is(self, lakehouse):
        self.fill_days(lakehouse, {"2026-01": 1.0})
        started = datetime.now(UTC)
        publish_serving(lakehouse, started)
        facts = "SELECT content_changed_at, made_whole_at FROM dictionary.refresh"
        ((changed_at, _),) = rows_of(lakehouse.settings, facts)
        assert not publish_serving(lakehouse, started + timedelta(days=6)).changed
        assert publish_serving(lakehouse, started + timedelta(days=8)).changed
        assert rows_of(lakehouse.settings, facts) == [(changed_at, started + timedelta(days=8))]
        assert not publish_serving(lakehouse, started + timedelta(days=9)).changed
        # A clock that was ahead must not keep it from being made anew.
        assert publish_serving(lakehouse, started + timedelta(days=1)).changed
        assert rows_of(lakehouse.settings, facts) == [(changed_at, started + timedelta(days=1))]

    def test_other_contracts_or_versions_leave_nothing_of_before(self, lakehouse, monkeypatch):
        self.fill_days(lakehouse, {"2026-01": 1.0})
        publish_serving(lakehouse)
        before = self.stamps(lakehouse.settings)
        monkeypatch.setattr(parts, "rules_hash", lambda: "others")
        later = datetime.now(UTC) + timedelta(hours=1)
        assert publish_serving(lakehouse, later).changed
        assert rows_of(
            lakehouse.settings, "SELECT made_whole_at, content_changed_at < made_whole_at FROM dictionary.refresh"
        ) == [(later, True)]
        assert self.stamps(lakehouse.settings) != before

    def test_files_of_a_swap_that_did_not_end_are_all_replaced(self, lakehouse):
        self.fill_days(lakehouse, {"2026-01": 1.0})
        publish_serving(lakehouse)
        (lakehouse.settings.serving_dir / ".swapping").touch()
        file = lakehouse.settings.serving_dir / "container_day" / "2026-01.parquet"
        file.write_bytes(b"of another publication")
        assert publish_serving(lakehouse).changed
        assert duckdb.sql(f"SELECT count(*) FROM '{file}'").fetchall() == [(2,)]
        assert not (lakehouse.settings.serving_dir / ".swapping").exists()


class TestSwap:
    def test_a_reader_keeps_its_old_file_while_a_new_one_is_swapped_in(self, published):
        sql = "SELECT DISTINCT waste_reports FROM neighbourhood_month"
        with duckdb.connect(str(published.settings.serving_dir / "marts.duckdb"), read_only=True) as reader:
            assert reader.execute(sql).fetchall() == [(12,)]
            fill(published, reports=13)
            publish_serving(published)
            assert reader.execute(sql).fetchall() == [(12,)]
            assert rows_of(published.settings, sql) == [(13,)]

    def test_a_reader_in_another_process_does_not_hold_publication_up(self, published):
        marts = published.settings.serving_dir / "marts.duckdb"
        script = (
            f"import duckdb, sys; c = duckdb.connect({str(marts)!r}, read_only=True); print('open', flush=True)\n"
            "sys.stdin.read(); print(c.execute('SELECT DISTINCT waste_reports FROM neighbourhood_month').fetchall())"
        )
        reader = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert reader.stdout.readline() == "open\n"
        fill(published, reports=13)
        assert publish_serving(published).changed
        assert reader.communicate("")[0] == "[(12,)]\n"

    @pytest.mark.parametrize("renames", range(5))
    def test_a_build_killed_before_any_rename_leaves_a_complete_database(self, published, renames):
        fill(published, reports=13)
        script = (
            "import os, sys; from pathlib import Path; left = int(sys.argv[2]); rename = os.replace\n"
            "def counted(*a):\n    global left\n    left -= 1\n    os._exit(9) if left < 0 else rename(*a)\n"
            "from groningen_data.lakehouse import Lakehouse; from groningen_data.settings import load_settings\n"
            "from groningen_data.serving.publish import publish_serving; os.replace = counted\n"
            "publish_serving(Lakehouse(load_settings(data_dir=Path(sys.argv[1]))))"
        )
        arguments = [sys.executable, "-c", script, str(published.settings.data_dir), str(renames)]
        done = subprocess.run(arguments, cwd=PROJECT, env=os.environ, check=False)
        folder, changed = published.settings.serving_dir, 2
        assert done.returncode == (KILLED if renames < changed + 2 else 0)
        seen = rows_of(published.settings, "SELECT DISTINCT waste_reports FROM neighbourhood_month")
        assert seen == [(12 if renames <= changed else 13,)]
        publish_serving(published)
        assert rows_of(published.settings, "SELECT DISTINCT waste_reports FROM neighbourhood_month") == [(13,)]
        assert duckdb.sql(f"SELECT DISTINCT waste_reports FROM '{folder}/neighbourhood_month.parquet'").fetchall() == [(13,)]
        assert not list(folder.glob(".marts-*"))

    def test_a_build_that_fails_leaves_the_old_database_and_no_leftovers(self, published):
        fill(published, reports=13)
        for file in (published.files_dir / "collective").rglob("*.parquet"):
            file.unlink()
        with pytest.raises(duckdb.Error):
            publish_serving(published)
        assert rows_of(published.settings, "SELECT count(*) FROM neighbourhood_month") == [(6,)]
        assert not list(published.settings.serving_dir.glob(".marts-*"))

    def test_tables_that_changed_together_are_published_together(self, published):
        done = threading.Event()

        def keep_changing():
            reports = 13
            while not done.is_set():
                fill(published, reports=(reports := reports + 1))

        writer = threading.Thread(target=keep_changing)
        writer.start()
        try:
            for _ in range(4):
                publish_serving(published)
                sql = "SELECT DISTINCT waste_reports - neighbourhoods FROM neighbourhood_month JOIN reference_districts"
                assert rows_of(published.settings, f"{sql} USING (district_code)") == [(0,)]
        finally:
            done.set()
            writer.join()

    def test_two_publications_at_once_wait_for_each_other(self, published):
        fill(published, reports=13)
        reports = []
        threads = [threading.Thread(target=lambda: reports.append(publish_serving(published))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(r.changed for r in reports) == [False, True]


class TestQuestions:
    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT 1",
            "FROM neighbourhood_month LIMIT 1",
            "WITH x AS (SELECT 1) FROM x",
            "VALUES (1)",
            "DESCRIBE neighbourhood_month",
            "SHOW TABLES",
            "SHOW ALL TABLES",
            "SUMMARIZE neighbourhood_month",
            "EXPLAIN SELECT 1",
            "FROM dictionary.tables",
            "FROM marts.main.neighbourhood_month",
            "PIVOT neighbourhood_month ON month USING sum(waste_reports) GROUP BY district_code",
            "-- a remark\nSELECT 1;",
        ],
    )
    def test_statements_that_read_are_answered(self, settings, sql):
        result = query(settings, sql)
        assert result.columns
        assert list(result.rows)

    def test_of_several_statements_the_last_one_is_shown(self, settings):
        assert rows_of(settings, "SELECT 1; SELECT 2 AS b; SELECT 3") == [(3,)]

    @pytest.mark.parametrize(
        "sql",
        [
            "INSERT INTO neighbourhood_month SELECT * FROM neighbourhood_month",
            "UPDATE neighbourhood_month SET waste_reports = 0",
            "DELETE FROM neighbourhood_month",
            "DROP TABLE neighbourhood_month",
            "CREATE TABLE mine AS SELECT 1",
            "CREATE TEMP TABLE mine AS SELECT 1",
            "ATTACH 'other.duckdb'",
            "DETACH marts",
            "USE memory",
            "COPY neighbourhood_month TO 'out.csv'",
            "EXPORT DATABASE 'out'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access = true",
            "RESET memory_limit",
            "PRAGMA threads = 1",
            "CALL pragma_version()",
            "BEGIN",
            "CHECKPOINT",
            "PREPARE p AS SELECT 1",
            "SELECT 1; DROP TABLE neighbourhood_month; SELECT 2",
            "SET VARIABLE a = 1",
        ],
    )
    def test_every_other_statement_is_refused_before_anything_runs(self, settings, sql, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        before = sorted(p.name for p in tmp_path.iterdir())
        with pytest.raises(QueryError, match="not allowed: the serving database is read-only"):
            query(settings, sql)
        assert sorted(p.name for p in tmp_path.iterdir()) == before

    @pytest.mark.parametrize(
        "sql",
        [
            "FROM read_csv('/etc/passwd')",
            "FROM read_text('/etc/hostname')",
            "FROM read_parquet('{lake}/files/**/*.parquet')",
            "FROM '{lake}/catalog.sqlite'",
            "FROM glob('/*')",
            "FROM read_csv('https://example.org/x.csv')",
            "FROM sqlite_scan('{lake}/catalog.sqlite', 'ducklake_table')",
            "EXPLAIN ANALYZE COPY neighbourhood_month TO '{lake}/out.csv'",
            "FROM query('FROM read_text(''/etc/hostname'')')",
            "FROM settings",
        ],
    )
    def test_files_network_and_python_are_out_of_reach(self, settings, sql):
        with pytest.raises(QueryError):
            query(settings, sql.format(lake=settings.lake_dir))
        assert not (settings.lake_dir / "out.csv").exists()

    def test_a_file_is_refused_in_words(self, settings):
        with pytest.raises(QueryError, match="files, folders and the network are not allowed here"):
            query(settings, "FROM read_csv('/etc/passwd')")

    @pytest.mark.parametrize(
        ("sql", "message"),
        [
            ("FROM neighborhood", "the tables are: .*neighbourhood_month.*dictionary.tables"),
            ("FROM welfare_recipients", "core.welfare_recipients .internal. is not served: .*the tables are: "),
            ("FROM nowhere.tables", "the tables are:"),
            ("FROM nowhere.main.tables", "the tables are:"),
            ("SELECT\n  month,,\nFROM neighbourhood_month", "LINE 2:"),
            ("SELECT wast_reports FROM neighbourhood_month", 'Candidate bindings: "waste_reports"'),
            ("SELECT no_such_function(1)", "no_such_function"),
            ("SELECT CAST('x' AS INTEGER)", "Could not convert"),
            ("  ", "no statement"),
            ("-- nothing", "no statement"),
            ("EXPLAIN ANALYZE INSERT INTO reference_districts SELECT * FROM reference_districts", "read-only"),
            ("SELECT list(range) FROM range(1_000_000_000)", "more memory than 300 MB"),
        ],
    )
    def test_a_mistake_is_explained_with_a_way_out(self, settings, sql, message):
        with pytest.raises(QueryError, match=message):
            query(settings, sql)

    def test_a_question_before_anything_was_published_says_what_to_do(self, lakehouse):
        for ask in (lambda: query(lakehouse.settings, "SELECT 1"), lambda: tables(lakehouse.settings)):
            with pytest.raises(QueryError, match="make refresh"):
                ask()

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT sum(a.range * b.range) FROM range(10_000_000) a, range(10_000_000) b",
            "SELECT count(*) FROM range(1_000_000_000_000)",
        ],
    )
    def test_a_question_that_takes_too_long_is_stopped(self, settings, sql):
        started = time.monotonic()
        with pytest.raises(QueryError, match=r"longer than 0\.3 s"):
            query(settings.model_copy(update={"sql_timeout_s": 0.3}), sql)
        assert time.monotonic() - started < 5

    def test_a_huge_answer_is_cut_with_a_note(self, settings, capsys):
        result = query(settings.model_copy(update={"sql_row_limit": 1000}), "FROM range(1_000_000_000)")
        assert result.cut_at == 1000
        stream = io.StringIO()
        render(result, "csv", stream)
        assert len(stream.getvalue().splitlines()) == 1001
        assert "first 1,000 rows" in capsys.readouterr().err

    def test_an_answer_of_exactly_the_limit_is_not_called_cut(self, settings):
        result = query(settings.model_copy(update={"sql_row_limit": 6}), "FROM neighbourhood_month")
        assert (len(list(result.rows)), result.cut_at) == (6, None)

    def test_tables_are_listed_with_freshness_and_quality_served_ones_first(self, settings):
        result = tables(settings)
        rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        served = [facts_of(contract).short_name for contract in all_contracts().values() if facts_of(contract).served]
        assert [row["name"] for row in rows if row["is_served"]] == sorted(served)
        assert [row["is_served"] for row in rows] == sorted((row["is_served"] for row in rows), reverse=True)
        by_name = {row["name"]: row for row in rows}
        assert by_name["neighbourhood_month"]["rows"] == 6
        assert by_name["neighbourhood_month"]["freshness"] == "fresh"
        assert by_name["neighbourhood_month"]["last_quality"] == "2 of 2 passed"
        assert by_name["reference_districts"]["last_quality"] == "1 of 2 passed"
        assert by_name["welfare_recipients"]["freshness"] == "no data"

    def test_a_table_is_described_by_its_columns_titles_and_units(self, settings):
        result = tables(settings, "neighbourhood_month")
        rows = {row[0]: dict(zip(result.columns, row, strict=True)) for row in result.rows}
        assert rows["recipients_per_1000"]["unit"] == "per 1 000"
        assert rows["recipients"]["title_nl"] == "Personen met bijstand"
        with pytest.raises(QueryError, match=r"choose one of: .*neighbourhood_month"):
            tables(settings, "nope")

    @pytest.mark.parametrize("format", ["table", "csv", "json"])
    def test_a_whole_table_is_written_in_every_format(self, settings, format):
        stream = io.StringIO()
        render(query(settings, "FROM neighbourhood_month"), format, stream)
        assert stream.getvalue().count("BU0014000") == 6


class TestAsOf:
    def test_a_past_state_is_shown_under_the_same_protection(self, published):
        past = datetime.now(UTC)
        fill(published, [(14, 56, 44)], reports=13)
        publish_serving(published)
        sql = "SELECT neighbourhood_code, waste_reports, recipients, recipients_suppressed FROM neighbourhood_month LIMIT 3"
        assert rows_of(published.settings, sql) == [("BU00140000", 13, 10, None)]
        assert rows_of(published.settings, sql, past) == [
            ("BU00140000", 12, None, "below_minimum"),
            ("BU00140001", 12, None, "below_minimum"),
            ("BU00140002", 12, 10, None),
        ]
        assert rows_of(published.settings, sql, past.replace(tzinfo=None)) == rows_of(published.settings, sql, past)

    def test_the_lake_is_out_of_reach_of_a_question_about_the_past(self, published):
        now = datetime.now(UTC)
        files = published.settings.lake_dir / "**" / "*.parquet"
        for sql in (f"FROM lake.{MART}", "FROM lake.ops.batches", f"FROM read_parquet('{files}')"):
            with pytest.raises(QueryError):
                query(published.settings, sql, now)
        databases = "SELECT database_name FROM duckdb_databases() WHERE NOT internal ORDER BY ALL"
        assert rows_of(published.settings, databases, now) == [("marts",), ("memory",)]

    def test_a_state_is_extracted_once_and_five_are_kept(self, published):
        folder = published.settings.serving_dir / "as-of"
        moments = []
        for reports in range(7):
            fill(published, reports=reports)
            moments.append(datetime.now(UTC))
        for reports, moment in enumerate(moments):
            assert rows_of(published.settings, "SELECT DISTINCT waste_reports FROM neighbourhood_month", moment) == [(reports,)]
        assert len(list(folder.glob("*.duckdb"))) == 5
        newest = {p.name: p.stat().st_ino for p in folder.glob("*.duckdb")}
        rows_of(published.settings, "SELECT 1", moments[-1])
        assert {p.name: p.stat().st_ino for p in folder.glob("*.duckdb")} == newest

    def test_a_table_that_did_not_exist_yet_is_empty(self, lakehouse):
        with lakehouse.writer("test"):
            pass
        past = datetime.now(UTC)
        fill(lakehouse)
        assert rows_of(lakehouse.settings, "FROM neighbourhood_month", past) == []
        assert rows_of(lakehouse.settings, "SELECT count(*) FROM neighbourhood_month", datetime.now(UTC)) == [(6,)]

    def test_columns_that_did_not_exist_yet_are_empty_and_kept_types_are_the_contracts(self, lakehouse):
        with lakehouse.writer("test") as con:
            con.execute(f"CREATE TABLE lake.{DISTRICTS} (district_code VARCHAR, neighbourhoods INTEGER, obsolete VARCHAR)")
            con.execute(f"INSERT INTO lake.{DISTRICTS} VALUES ('WK001400', 6, 'x')")
        districts = rows_of(lakehouse.settings, "FROM reference_districts", datetime.now(UTC))
        assert districts == [("WK001400", None, None, None, 6, None)]

    def test_before_the_first_state_there_is_nothing_to_show(self, published):
        with pytest.raises(GroningenError, match="choose a later instant"):
            query(published.settings, "SELECT 1", datetime(2020, 1, 1, tzinfo=UTC))

    def test_a_past_state_has_its_own_dictionary(self, published):
        past = datetime.now(UTC)
        fill(published, [(14, 56, 44)])
        sql = "SELECT rows FROM dictionary.tables WHERE name = 'neighbourhood_month'"
        assert rows_of(published.settings, sql, past) == [(6,)]
