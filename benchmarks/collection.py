"""Whether the collection plan beats the fixed schedule, on made-up cities of several seeds and on every fraction.

Readings and weighings pass the parsers, the contracts and the cleaning, in a lake in memory; the last whole weeks of each city
are replayed under the three policies of `collective.collection_backtest`, one after another, so that what a policy left in the
containers counts in the next. `python -m benchmarks.collection --seeds 3` prints the table of
`docs/cases/waste.md`; `--prize-km` and `--iterations` show what the two settings that matter most do.
"""

import argparse
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import ibis
import polars as pl

from assets import all_recipes
from groningen_data.gate.derive import named_tables
from groningen_data.gate.recipe import AnalysisContext
from groningen_data.marts import collection_backtest
from groningen_data.settings import Settings, load_settings
from tests.pipeline.memory_lake import MemoryLake
from tests.pipeline.payloads import write_payloads

HISTORY_DAYS = 29
FRACTIONS = ("residual", "paper", "glass", "plastic", "organic", "textile")
_TABLE = "collective.collection_backtest"
_KINDS = ("geography", "containers", "fill levels", "weighings", "fleet")
_CORE = (
    "core.reference_neighbourhoods",
    "core.waste_containers",
    "core.waste_depots",
    "core.waste_emptyings",
    "core.waste_fill_levels",
    "core.waste_vehicles",
)


def lake_of(settings: Settings) -> MemoryLake:
    """A city's containers, vehicles, readings, weighings and inflow of five weeks."""
    last = settings.today() - timedelta(days=1)
    days = [last - timedelta(days=ago) for ago in range(settings.sample_days)]
    write_payloads(settings, _KINDS, days)
    lake = MemoryLake(settings)
    lake.read(settings, *_CORE)
    lake.make("collective.container_inflow_day", *sorted({f"{day:%Y-%m}-01" for day in days}))
    return lake


def replay_of(lake: MemoryLake, settings: Settings, weeks: int) -> pl.DataFrame:
    """The last whole weeks under each policy, one after another."""
    recipe = all_recipes()[_TABLE]
    last = settings.today() - timedelta(days=1)
    monday = last - timedelta(days=last.isoweekday() % 7 + 7 * weeks - 1)

    def frame(expression: ibis.Table) -> pl.DataFrame:
        return lake.con.execute(str(ibis.to_sql(expression, dialect="duckdb"))).pl()

    context = AnalysisContext(named_tables(lake.con, recipe), settings, lambda _: True, frame, {}, pl.DataFrame)
    nothing = pl.DataFrame(schema={"local_date": pl.Date, "fraction_code": pl.String, "inputs_code": pl.String})
    return pl.concat(collection_backtest.replayed(context, monday, nothing, 7 * weeks))


def summary(rows: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """What policies come to."""
    sums = rows.group_by(*by, "policy_code").agg(
        pl.col("overfull_hours", "distance_km", "stops", "work_hours", "weight_kg").sum(), pl.col("fill_at_emptying_pct").mean()
    )
    tonnes = (pl.col("weight_kg") / 1000 / pl.col("work_hours")).alias("tonnes_per_hour")
    return sums.with_columns(tonnes).drop("weight_kg").sort(*by, "policy_code")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--prize-km", type=float, nargs="+", default=[])
    parser.add_argument("--iterations", type=int, nargs="+", default=[])
    parser.add_argument("--fractions", nargs="+", default=list(FRACTIONS))
    parser.add_argument("--weeks", type=int, default=1)
    given = parser.parse_args()
    pl.Config.set_tbl_rows(200).set_tbl_cols(20).set_tbl_width_chars(200).set_tbl_formatting(
        "ASCII_MARKDOWN"
    ).set_float_precision(2)
    found = []
    for seed in range(1, given.seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            settings = load_settings(
                profile="sample", data_dir=Path(folder), sample_days=HISTORY_DAYS + 7 * given.weeks, sample_seed=seed
            )
            lake = lake_of(settings)
            base = settings.model_copy(update={"collection_backtest_fractions": tuple(given.fractions)})
            variants = [("default", base)]
            variants += [(f"prize {km:g} km", base.model_copy(update={"collection_prize_km": km})) for km in given.prize_km]
            variants += [(f"{n} iterations", base.model_copy(update={"collection_iterations": n})) for n in given.iterations]
            for name, variant in variants:
                started = time.process_time()
                rows = replay_of(lake, variant, given.weeks).with_columns(
                    pl.lit(seed).alias("seed"), pl.lit(name).alias("variant")
                )
                rows = rows.with_columns(week=(pl.col("local_date") - pl.col("local_date").min()).dt.total_days() // 7 + 1)
                print(f"seed {seed}, {name}: {time.process_time() - started:.1f} CPU seconds", flush=True)
                found.append(rows)
            print(summary(pl.concat(found[-len(variants) :]), ["variant"]), flush=True)
            lake.con.close()
    rows = pl.concat(found)
    print(summary(rows, ["variant", "seed"]))
    print(summary(rows, ["variant", "week"]))
    print(summary(rows, ["variant", "fraction_code"]))
    print(summary(rows, ["variant"]))


if __name__ == "__main__":
    main()
