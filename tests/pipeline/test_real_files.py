"""Profile `real` over the shared files: every number of the lake reconciles with the files, counted here in another way."""

import csv
import gzip
import io
import json
from collections import Counter
from pathlib import Path

import duckdb
import polars as pl
import pytest

from groningen_data.lakehouse import Lakehouse
from groningen_data.settings import Settings, load_settings
from tests.pipeline.conftest import SHARED_DATA
from tests.pipeline.drive import refresh

pytestmark = pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="needs ../shared/data, which is there in CI")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(profile="real", data_dir=tmp_path_factory.mktemp("real"), files=SHARED_DATA)


@pytest.fixture(scope="module")
def results(settings):
    return refresh(settings)


@pytest.fixture(scope="module")
def lake(settings, results):
    with Lakehouse(settings).reader() as con:
        yield con


def one(lake, sql: str):
    return lake.execute(sql).fetchone()


def notes(lake, table: str, key: str) -> dict:
    sql = "SELECT notes FROM lake.ops.batches WHERE table_name = ? AND batch_key = ?"
    return json.loads(lake.execute(sql, [table, key]).fetchone()[0])


def test_every_batch_of_the_real_files_is_published(results):
    assert {name: [b.key for b in r.rejected] for name, r in results.items() if r.rejected} == {}
    assert all(r.published for r in results.values())


def test_all_151_outlines_and_20_districts_are_there(lake):
    assert one(lake, "SELECT count(*), min(code_year), max(outline_epsg) FROM lake.core.reference_neighbourhoods") == (
        151,
        2024,
        4326,
    )
    assert one(lake, "SELECT count(*), sum(neighbourhoods) FROM lake.core.reference_districts") == (20, 151)


def test_key_figures_reconcile_with_the_cbs_table(lake):
    raw = pl.read_parquet(SHARED_DATA / "cbs/cbs.v3.84799NED_TypedDataSet.parquet")
    regions = "SELECT count(DISTINCT region_code) FROM lake.core.reference_key_figures WHERE source_table = '84799NED'"
    assert one(lake, regions) == (raw.height,) == (17_341,)
    total = (
        "SELECT sum(value) FROM lake.core.reference_key_figures WHERE source_table = '84799NED' AND measure_code = 'inhabitants'"
    )
    assert one(lake, total) == (float(raw["AantalInwoners_5"].sum()),)
    empty = "SELECT DISTINCT missing_reason FROM lake.core.reference_key_figures WHERE source_table = '84799NED' AND measure_code = 'income_per_inhabitant_keur'"
    assert raw["GemiddeldInkomenPerInwoner_72"].null_count() == raw.height
    assert lake.execute(empty).fetchall() == [("not_yet_released",)]


def test_no_code_is_padded(lake):
    padded = "SELECT count(*) FROM lake.core.reference_key_figures WHERE region_code <> trim(region_code) OR region_name <> trim(region_name)"
    assert one(lake, padded) == (0,)


def test_the_two_code_years_are_reconciled(lake):
    statuses = dict(
        lake.execute(
            "SELECT code_status, count(DISTINCT region_code) FROM lake.core.reference_key_figures "
            "WHERE source_table = '84799NED' AND region_code LIKE 'BU0014%' GROUP BY 1"
        ).fetchall()
    )
    assert statuses == {"same": 148, "recoded": 1, "split": 1}


def test_recipients_reconcile_with_the_cbs_table(lake):
    ours = "FROM lake.core.welfare_recipients WHERE benefit_code = 'social_assistance'"
    assert one(lake, f"SELECT recipients {ours} AND region_code = 'GM0014'") == (10_840,)
    assert one(lake, f"SELECT count(*), count(recipients), sum(recipients) {ours} AND region_code LIKE 'BU0014%'") == (
        150,
        115,
        10_830,
    )
    raw = pl.read_parquet(SHARED_DATA / "cbs/cbs.v3.84799NED_TypedDataSet.parquet")["PersonenPerSoortUitkeringBijstand_83"]
    assert one(lake, f"SELECT count(*), count(recipients), sum(recipients) {ours}") == (
        len(raw),
        len(raw) - raw.null_count(),
        raw.sum(),
    )


def test_all_163592_datex_values_are_accounted_for(lake):
    read = notes(lake, "core.traffic_counts", "2017-03-02/datex")
    assert (read["values_read"], read["flow_values"], read["speed_values"]) == (163_592, 88_095, 75_497)
    rows_in, accepted, quarantined, collapsed = one(
        lake,
        "SELECT rows_in, rows_accepted, rows_quarantined, rows_collapsed FROM lake.ops.batches WHERE batch_key = '2017-03-02/datex'",
    )
    assert rows_in == accepted + quarantined + collapsed == 163_592
    kept = one(
        lake,
        "SELECT count(*) FILTER (WHERE flow_missing_reason IS DISTINCT FROM 'measured_elsewhere'), "
        "count(*) FILTER (WHERE speed_missing_reason IS DISTINCT FROM 'measured_elsewhere') "
        "FROM lake.core.traffic_counts WHERE feed_code = 'datex'",
    )
    assert sum(kept) + quarantined + collapsed == 163_592
    assert one(
        lake, "SELECT count(*) FROM lake.core.traffic_counts WHERE feed_code = 'datex' AND (flow_veh_h < 0 OR speed_km_h < 0)"
    ) == (0,)


def test_the_flow_of_the_datex_feed_adds_up_to_the_flow_in_the_file(lake):
    # Counted with a plain scan: flow rates outside the reference values, without data errors.
    import xml.etree.ElementTree as ElementTree

    name = "{http://datex2.eu/schema/2/2_0}"
    total = 0.0
    with gzip.open(SHARED_DATA / "traffic/ndw_trafficspeed_datex2v2_soap_20170302T1442Z.xml.gz") as stream:
        for _, element in ElementTree.iterparse(stream):
            if element.tag == f"{name}basicData" and (flow := element.find(f"{name}vehicleFlow")) is not None:
                if flow.findtext(f"{name}dataError") != "true" and float(flow.findtext(f"{name}vehicleFlowRate")) >= 0:
                    total += float(flow.findtext(f"{name}vehicleFlowRate"))
            elif element.tag == f"{name}siteMeasurements":
                element.clear()
    held, out = one(lake, "SELECT sum(flow_veh_h), 0 FROM lake.core.traffic_counts WHERE feed_code = 'datex'")
    quarantined = lake.execute("SELECT original FROM lake.quarantine.rows WHERE batch_key = '2017-03-02/datex'").fetchall()
    out = sum(json.loads(original).get("flow_veh_h") or 0 for (original,) in quarantined)
    assert held + out == pytest.approx(total)


def test_loop_counts_reconcile_with_the_file(lake):
    text = gzip.decompress((SHARED_DATA / "traffic/groningen_loops_utd19_2017-09-21.csv.gz").read_bytes()).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    good = [r for r in rows if float(r["error"] or 0) != 1]
    held = one(
        lake,
        "SELECT count(*), count(flow_veh_h), count(*) FILTER (WHERE flow_missing_reason = 'detector_error'), sum(flow_veh_h), "
        "count(DISTINCT site_id), count(DISTINCT (site_id, series_code)) FROM lake.core.traffic_counts WHERE feed_code = 'loops'",
    )
    assert held[:3] == (len(rows), len(good), len(rows) - len(good)) == (14_520, 10_543, 3_977)
    assert held[3] == pytest.approx(sum(float(r["flow"]) for r in good))
    assert held[4:] == (37, len({r["detid"] for r in rows})) == (37, 55)
    assert one(lake, "SELECT count(*) FROM lake.core.traffic_counts WHERE isinf(occupancy_pct) OR isnan(occupancy_pct)") == (0,)


def test_the_loops_lie_in_neighbourhoods_of_groningen(lake):
    placed = one(
        lake,
        "SELECT count(DISTINCT site_id) FROM lake.core.traffic_counts JOIN lake.core.traffic_sites USING (site_id) "
        "WHERE feed_code = 'loops' AND location_status = 'inside'",
    )
    assert placed == (37,)


def test_reports_reconcile_with_the_snapshots(lake):
    listed, last = Counter(), {}
    for path in sorted((SHARED_DATA / "waste/assen_open_reports").glob("*.json.gz")):
        for report in json.loads(gzip.decompress(path.read_bytes())):
            listed[path.name[:10]] += 1
            last[report["id"]] = path.name[:10]
    held = dict(
        lake.execute("SELECT CAST(snapshot_on AS VARCHAR), count(*) FROM lake.core.waste_open_reports GROUP BY 1").fetchall()
    )
    assert held == dict(listed)
    assert (len(held), sum(held.values())) == (59, 20_133)
    assert one(lake, "SELECT count(*), count(*) FILTER (WHERE is_open) FROM lake.core.waste_reports") == (
        len(last),
        sum(day == max(listed) for day in last.values()),
    )


def test_inferred_closing_agrees_with_what_the_installation_says(lake):
    resolved = json.loads((SHARED_DATA / "waste/assen_resolved_until_2026-07-15.json").read_text())
    said = pl.DataFrame([{"report_id": r["id"], "resolved_on": r["resolved_date"]} for r in resolved])
    lake.register("said", said.to_arrow())
    both, same = one(
        lake,
        "SELECT count(*), count(*) FILTER (WHERE abs(closed_on - CAST(resolved_on AS DATE)) <= 1) "
        "FROM said JOIN lake.core.waste_reports USING (report_id) WHERE closed_on IS NOT NULL",
    )
    assert both >= 0.99 * len(resolved)
    assert same >= 0.99 * both


def test_reports_of_another_municipality_are_kept_with_their_reason_and_not_counted(lake):
    statuses = dict(lake.execute("SELECT location_status, count(*) FROM lake.core.waste_reports GROUP BY 1").fetchall())
    assert statuses == {"outside_municipality": 2_405}
    reasons = lake.execute(
        "SELECT DISTINCT waste_reports, waste_reports_reason FROM lake.collective.neighbourhood_month"
    ).fetchall()
    assert reasons == [(None, "source_does_not_cover")]


def test_the_mart_joins_traffic_of_2017_with_recipients_and_population(lake):
    rows, months = one(lake, "SELECT count(*), list(DISTINCT CAST(month AS VARCHAR)) FROM lake.collective.neighbourhood_month")
    assert (rows, months) == (151, ["2017-09-01"])
    # 9 of the 10,840 recipients' neighbourhood sum belong to codes without a successor, or are withheld.
    total, years = one(lake, "SELECT sum(recipients), list(DISTINCT recipients_year) FROM lake.collective.neighbourhood_month")
    split = one(
        lake,
        "SELECT coalesce(sum(recipients), 0) FROM lake.core.welfare_recipients WHERE benefit_code = 'social_assistance' AND code_status = 'split'",
    )[0]
    assert total == 10_830 - split
    assert set(years) <= {2020, None}


def test_served_counts_are_protected(settings, results):
    with duckdb.connect(str(settings.serving_dir / "marts.duckdb"), read_only=True) as con:
        odd = "SELECT count(*) FROM neighbourhood_month WHERE recipients % 10 <> 0 OR recipients < 10 OR inhabitants % 10 <> 0"
        assert con.execute(odd).fetchone() == (0,)
        assert con.execute("SELECT count(*) FROM neighbourhood_month WHERE recipients IS NOT NULL").fetchone()[0] > 50


def test_a_second_run_over_the_same_files_does_nothing(settings, results):
    again = refresh(settings, "again")
    assert {name: [b.key for b in r.batches] for name, r in again.items() if r.batches} == {}


def test_files_without_a_table_are_left_alone(settings, results):
    landed = {json.loads(p.read_text())["name"] for p in settings.landing_dir.glob("*/*.json")}
    assert not {n for n in landed if "woonplaatsen" in n or "resolved" in n or "schouwen" in n or "dexter" in n}
    assert Path(SHARED_DATA / "cbs/84489NED_woonplaatsen_TypedDataSet.odata3.json").is_file()
