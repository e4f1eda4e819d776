"""The embedded city through the whole path: what is published, what is rejected, and that a second run does nothing."""

import duckdb
import pytest

from groningen_data.gate.quarantine import export, kept_back, rows_of
from groningen_data.lakehouse import Lakehouse
from groningen_data.settings import Settings
from tests.pipeline.conftest import sample_settings
from tests.pipeline.drive import refresh

POISONED = "2026-03-10/loops"


@pytest.fixture(scope="module")
def lake(sample_lake: Settings):
    with Lakehouse(sample_lake).reader() as con:
        yield con


def test_every_row_that_came_in_is_accepted_quarantined_or_collapsed(lake):
    wrong = lake.execute(
        "SELECT table_name, batch_key FROM lake.ops.batches WHERE rows_in <> rows_accepted + rows_quarantined + rows_collapsed"
    ).fetchall()
    assert wrong == []


def test_the_poisoned_day_is_rejected_and_every_other_day_is_published(lake):
    verdicts = lake.execute("SELECT batch_key, outcome FROM lake.ops.batches WHERE table_name = 'core.traffic_counts'").fetchall()
    assert [key for key, outcome in verdicts if outcome == "rejected"] == [POISONED]
    assert len(verdicts) == 15
    assert lake.execute("SELECT count(*) FROM lake.core.traffic_counts WHERE local_date = DATE '2026-03-10'").fetchone() == (0,)


def test_the_rejection_names_the_rules_the_count_and_examples(lake):
    reason = lake.execute("SELECT reason FROM lake.ops.batches WHERE outcome = 'rejected'").fetchone()[0]
    assert "of 17,568 rows quarantined" in reason
    assert "flow_veh_h" in reason
    assert "for example feed_code=loops, site_id=" in reason


def test_the_rejected_batch_stays_for_inspection(lake):
    staged, quarantined = (
        lake.execute(f"SELECT count(*) FROM lake.{source} WHERE {column} = ?", [POISONED]).fetchone()[0]
        for source, column in (("staging.traffic_counts", "_batch_key"), ("quarantine.rows", "batch_key"))
    )
    assert staged + quarantined == 17_568


def test_quarantined_rows_keep_their_original_values(sample_lake, tmp_path):
    lakehouse = Lakehouse(sample_lake)
    kept = {(k.table, k.key): k for k in kept_back(lakehouse)}
    batch = kept["core.traffic_counts", POISONED]
    assert batch.outcome == "rejected"
    rows = rows_of(lakehouse, "core.traffic_counts", POISONED, limit=5)
    assert all(row["rules"] and "flow" in row["original"] for row in rows)
    target = tmp_path / "bad.csv"
    assert export(lakehouse, "core.traffic_counts", POISONED, target) == batch.quarantined
    assert duckdb.sql(f"SELECT count(*) FROM '{target}'").fetchone() == (batch.quarantined,)


def test_the_mart_has_every_neighbourhood_once_a_month(lake):
    rows = lake.execute(
        "SELECT month, count(*), count(DISTINCT neighbourhood_code) FROM lake.collective.neighbourhood_month GROUP BY 1"
    ).fetchall()
    assert [(str(month), n, distinct) for month, n, distinct in rows] == [("2026-03-01", 151, 151)]


def test_the_mart_agrees_with_a_plain_count_of_reports(lake):
    mart = dict(
        lake.execute(
            "SELECT neighbourhood_code, waste_reports FROM lake.collective.neighbourhood_month WHERE waste_reports > 0"
        ).fetchall()
    )
    plain = dict(
        lake.execute(
            "SELECT neighbourhood_code, count(DISTINCT report_id) FROM lake.core.waste_open_reports "
            "WHERE waste_kind IS NOT NULL AND neighbourhood_code IS NOT NULL AND created_on >= DATE '2026-03-01' GROUP BY 1"
        ).fetchall()
    )
    assert mart == plain


def test_the_mart_agrees_with_a_plain_mean_of_weekday_traffic(lake):
    mart = dict(
        lake.execute(
            "SELECT neighbourhood_code, weekday_vehicles FROM lake.collective.neighbourhood_month WHERE weekday_vehicles IS NOT NULL"
        ).fetchall()
    )
    plain = dict(
        lake.execute(
            "SELECT neighbourhood_code, avg(v) FROM (SELECT site_id, local_date, sum(vehicles) AS v, count(vehicles) AS good, "
            "count(DISTINCT series_code) * 288 AS expected FROM lake.core.traffic_counts WHERE vehicle_class = 'any' AND weekday <= 5 "
            "GROUP BY ALL) JOIN lake.core.traffic_sites USING (site_id) WHERE good >= 0.8 * expected AND neighbourhood_code IS NOT NULL GROUP BY 1"
        ).fetchall()
    )
    assert mart == pytest.approx(plain)


def test_a_corrected_day_rebuilds_its_month_and_a_second_run_does_nothing(tmp_path):
    settings = sample_settings(tmp_path, sample_days=3)
    first = refresh(settings)
    assert all(r.published for r in first.values())
    again = refresh(settings, "again")
    assert {name: r.batches for name, r in again.items() if r.batches} == {}

    day = sorted((settings.sample_dir / "waste" / "open_reports").glob("*.json.gz"))[-1]
    import gzip
    import json

    from groningen_data.sample.wire import packed

    reports = json.loads(gzip.decompress(day.read_bytes()))
    day.write_bytes(packed(json.dumps(reports[:-1]).encode()))
    corrected = refresh(settings, "corrected")
    touched = {name: [b.key for b in r.batches] for name, r in corrected.items() if r.batches}
    assert touched["core.waste_open_reports"] == [day.name[:10]]
    assert set(touched) == {"core.waste_open_reports", "core.waste_reports", "collective.neighbourhood_month"}
    assert touched["collective.neighbourhood_month"] == ["2026-03-01"]
