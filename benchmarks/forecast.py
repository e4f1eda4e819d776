"""How good the forecasts of fill levels are, on made-up cities of several seeds and on real sensors of Prague.

On both the readings pass the cleaning of `collective.container_inflow_day`, in a lake in memory; forecasts are made anew from every
third day (Prague: every fifth), each from what was known by then. On made-up cities the chance of overflowing is held against what
truly came in, which no sensor sees once a container is full.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from groningen_data.contracts.collective.forecast_scores import BASELINES, FILL_MODEL
from groningen_data.marts import fill_model
from groningen_data.marts.fill_model import Forecast, History
from groningen_data.marts.forecast_scores import baselines, errors, scores
from groningen_data.sample.city import city_of
from groningen_data.sample.waste_world import world_of
from groningen_data.settings import Settings, load_settings
from tests.pipeline.memory_lake import MemoryLake
from tests.pipeline.payloads import write_payloads

SEEDS = 3
DAYS = 60
HELD_BACK_DAYS = 28
PRAGUE = "waste/prague_fill_levels.parquet"
_EVERY_DAYS, _EVERY_DAYS_PRAGUE = 3, 5
_FIRST_DAYS = 84
_KINDS = ("geography", "containers", "fill levels", "weighings")
_TABLES = ("core.reference_neighbourhoods", "core.waste_containers", "core.waste_fill_levels", "core.waste_emptyings")
_BINS = (0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0)
_TITLES = {FILL_MODEL: "fill model"} | {name: name.replace("_", " ") for name in BASELINES}


def measure(seeds: int, files: Path | None, work: Path) -> list[str]:
    """The section about forecasts.

    Args:
        seeds: How many made-up cities.
        files: Folder of real files, with `waste/prague_fill_levels.parquet`; None: leave Prague out.
        work: Folder for the cities' files.
    """
    scored, chances, seconds = [], [], []
    for seed in range(1, seeds + 1):
        settings = load_settings(profile="sample", data_dir=work / f"forecast-{seed}", sample_days=DAYS, sample_seed=seed)
        history = _sample(settings)
        last = history.days[-1]
        origins = [last - timedelta(days=n) for n in range(7, HELD_BACK_DAYS + 7) if n % _EVERY_DAYS == 0]
        scored.append(errors(history, origins).with_columns(pl.lit(seed).alias("seed")))
        started = time.process_time()
        made = fill_model.forecast(history)
        made.frame(80.0)
        seconds.append((time.process_time() - started, len(made.codes)))
        chances += [_overflowing(settings, history, made) for made in fill_model.rolling(history, origins)]
    cost, containers = sorted(seconds)[len(seconds) // 2]
    table = pl.concat(scored)
    lines = [
        "## Forecasts of fill levels",
        "",
        f"The level at the end of each day ahead if the container is not emptied, in percent of its room. Mean absolute error "
        f"(MAE), continuous ranked probability score (CRPS; for a model without an interval the same as its MAE) and the share of "
        f"levels within the interval of 80 %. One forecast of {containers:,} containers for seven days takes {cost:.1f} CPU seconds, "
        f"after the library is loaded.",
        "",
        f"### Made-up cities: {seeds} seeds of {DAYS} days, the last {HELD_BACK_DAYS + 6} days held back",
        "",
        *_scores_table(scores(table)),
        "",
        *_wins(scores(table, "seed"), "seeds"),
        "",
        "What the chance of overflowing says, against how often it truly came about:",
        "",
        *_reliability(pl.concat(chances)),
        "",
    ]
    if files is not None:
        history, fractions = _prague(files / PRAGUE)
        origins = [day for day in history.days[_FIRST_DAYS:-7] if day.toordinal() % _EVERY_DAYS_PRAGUE == 0]
        table = errors(history, origins).with_columns(pl.col("container_code").replace_strict(fractions).alias("fraction"))
        sensors = table["container_code"].n_unique()
        lines += [
            f"### Prague: {sensors} real sensors, {len(origins)} origins from {origins[0]} to {origins[-1]}",
            "",
            *_scores_table(scores(table)),
            "",
            *_wins(scores(table, "fraction"), "fractions"),
            "",
            "At seven days, by fraction:",
            "",
            *_fraction_table(scores(table.filter(horizon_days=7), "fraction")),
            "",
        ]
    return lines


def _sample(settings: Settings) -> History:
    last = settings.today() - timedelta(days=1)
    if not (settings.sample_dir / "waste").is_dir():
        write_payloads(settings, _KINDS, [last - timedelta(days=n) for n in range(DAYS)])
    lake = MemoryLake(settings)
    lake.read(settings, *_TABLES)
    history = _history(lake)
    lake.con.close()
    return history


def _prague(path: Path) -> tuple[History, dict[str, str]]:
    """The history of Prague's sensors, and the fraction of each."""
    zone = ZoneInfo("Europe/Prague")
    at = pl.col("time_utc").dt.replace_time_zone("UTC").dt.cast_time_unit("us")
    local = at.dt.convert_time_zone(str(zone))
    frame = pl.read_parquet(path).select(
        source_code=pl.lit("prague_sensors"),
        container_code=pl.col("sensor_id").cast(pl.String),
        measured_at=at,
        local_date=local.dt.date(),
        local_hour=local.dt.hour().cast(pl.Int64),
        weekday=local.dt.weekday().cast(pl.Int64),
        fill_pct=pl.col("fill_pct").cast(pl.Float64),
        fraction=pl.col("fraction_code").cast(pl.String),
    )
    lake = MemoryLake(load_settings(profile="sample", as_of=datetime(2025, 12, 1, tzinfo=UTC)))
    lake.put("core.waste_fill_levels", frame.drop("fraction").unique(["container_code", "measured_at"], maintain_order=True))
    registry = frame.select("source_code", "container_code", fraction_code="fraction").unique(maintain_order=True)
    lake.put("core.waste_containers", registry.with_columns(location_status=pl.lit("inside")))
    history = _history(lake)
    lake.con.close()
    return history, dict(registry.select("container_code", "fraction_code").iter_rows())


def _history(lake: MemoryLake) -> History:
    months = lake.ask("SELECT DISTINCT date_trunc('month', local_date)::DATE::VARCHAR FROM core.waste_fill_levels ORDER BY 1")
    lake.make("collective.container_inflow_day", *[month for (month,) in months])
    rows = lake.con.execute(
        "SELECT container_code, fraction_code AS group, local_date, inflow_pct, last_fill_pct, rest_share, weighings "
        "FROM collective.container_inflow_day LEFT JOIN (SELECT DISTINCT ON (container_code) container_code, fraction_code "
        "FROM core.waste_containers ORDER BY ALL) USING (container_code) ORDER BY container_code, local_date"
    )
    return fill_model.history_of(rows.pl())


def _overflowing(settings: Settings, history: History, made: Forecast) -> pl.DataFrame:
    """Of every container and day ahead: the chance of overflowing that each model gave, and whether it truly would have."""
    world = world_of(city_of(settings))
    places = {code: place for place, code in enumerate(world.codes.tolist())}
    rows = np.array([places[code] for code in made.codes], dtype=np.int64)
    days = [made.made_from + timedelta(days=n) for n in range(1, made.inflow.shape[1] + 1)]
    start = world.fill_pct(days[0])[:, 0][rows]
    true = start[:, None] + np.cumsum(np.stack([world.inflow_pct(day)[rows] for day in days], axis=1), axis=1)
    limit = fill_model.OVERFULL_PCT
    said = {FILL_MODEL: made.reaches(limit)}
    for name, inflow in baselines(history, made).items():
        said[name] = (made.start_fill[:, None] + np.cumsum(np.nan_to_num(inflow), axis=1) >= limit).astype(float)
    chances = {name: chance.ravel() for name, chance in said.items()}
    return pl.DataFrame(chances | {"is_overfull": (true >= limit).ravel()})


def _scores_table(found: pl.DataFrame) -> Iterator[str]:
    days = found["horizon_days"].unique().sort().to_list()
    yield f"| | {' | '.join(f'{day} d' for day in days)} |"
    yield f"|---|{'---|' * len(days)}"
    for model, title in _TITLES.items():
        of_model = found.filter(model_code=model).sort("horizon_days")
        yield f"| MAE, {title} | {' | '.join(f'{value:.1f}' for value in of_model['fill_mae_pct'])} |"
    own = found.filter(model_code=FILL_MODEL).sort("horizon_days")
    yield f"| CRPS, fill model | {' | '.join(f'{value:.1f}' for value in own['fill_crps_pct'])} |"
    yield f"| mean error, fill model | {' | '.join(f'{value:+.1f}' for value in own['fill_bias_pct'])} |"
    yield f"| within 80 % | {' | '.join(f'{value:.0%}' for value in own['coverage_80'])} |"
    yield f"| forecasts | {' | '.join(f'{value:,}' for value in own['forecasts'])} |"


def _wins(found: pl.DataFrame, of: str) -> Iterator[str]:
    """In how many of the horizons and cities or fractions the model has the lowest error."""
    own = found.filter(model_code=FILL_MODEL)
    others = found.filter(pl.col("model_code") != FILL_MODEL)
    keys = [name for name in ("horizon_days", "seed", "fraction") if name in found.columns]
    joined = others.join(own, on=keys, suffix="_own")
    joined = joined.with_columns(is_won=pl.col("fill_mae_pct_own") < pl.col("fill_mae_pct"))
    won = dict(joined.group_by("model_code").agg(pl.col("is_won").sum()).iter_rows())
    total = own.height
    parts = [f"{_TITLES[name]} {won[name]} of {total}" for name in BASELINES]
    yield f"The fill model has the lower MAE than, over all horizons and {of}: {'; '.join(parts)}."


def _reliability(chances: pl.DataFrame) -> Iterator[str]:
    yield "| chance given | container days | mean chance | came about |"
    yield "|---|---|---|---|"
    last = len(_BINS) - 2
    for place, (low, high) in enumerate(pairwise(_BINS)):
        within = pl.col(FILL_MODEL).is_between(low, high, closed="both" if place == last else "left")
        part = chances.filter(within)
        if part.height:
            mean, came = (float(np.mean(part[name].cast(pl.Float64).to_numpy())) for name in (FILL_MODEL, "is_overfull"))
            yield f"| {low:.0%} to {high:.0%} | {part.height:,} | {mean:.1%} | {came:.1%} |"
    truth = chances["is_overfull"].cast(pl.Float64).to_numpy()
    brier = {name: float(np.mean((chances[name].to_numpy() - truth) ** 2)) for name in _TITLES}
    yield ""
    yield f"Brier score (lower is better): {'; '.join(f'{title} {brier[name]:.4f}' for name, title in _TITLES.items())}."


def _fraction_table(found: pl.DataFrame) -> Iterator[str]:
    yield f"| fraction | forecasts | {' | '.join(f'MAE, {title}' for title in _TITLES.values())} | within 80 % |"
    yield f"|---|---|{'---|' * len(_TITLES)}---|"
    for fraction in found["fraction"].unique().sort().to_list():
        rows = {row["model_code"]: row for row in found.filter(fraction=fraction).to_dicts()}
        errors_of = " | ".join(f"{rows[name]['fill_mae_pct']:.1f}" for name in _TITLES)
        yield f"| {fraction} | {rows[FILL_MODEL]['forecasts']:,} | {errors_of} | {rows[FILL_MODEL]['coverage_80']:.0%} |"
