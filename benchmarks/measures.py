"""How often effects of measures are found that are there, and that are not: `python -m benchmarks.measures [SEEDS]`.

First on cities with another seed each, whose measures the mart judges as it does in the lake; then on made-up series of which the
noise and the effect are known, to learn what the method can and cannot see. Prints Markdown.
"""

import os
import sys
from datetime import date, timedelta

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import polars as pl

from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.traffic.events import TrafficEvents
from groningen_data.marts.measure_effect import effect_of
from groningen_data.sample import policy_measures, traffic_world
from groningen_data.sample.city import city_of
from groningen_data.sample.facts import City
from groningen_data.settings import load_settings

DAYS = 60
_SPEED_SECONDS = (7 * 3600, 19 * 3600)
_SERIES_SITES, _SERIES_TREATED = 40, 2


def site_days(city: City) -> pl.DataFrame:
    """Vehicles and mean speed by day of each site and day, as they passed: no detector fails."""
    world = traffic_world.TrafficWorld(city)
    ids, of_detector = np.unique([site.id for site in world.sites], return_inverse=True)
    frames = []
    for day in city.days:
        passing = world.passing(day)
        by_day = (passing.seconds >= _SPEED_SECONDS[0]) & (passing.seconds < _SPEED_SECONDS[1])
        flow, weight, speed = (np.zeros(len(ids)) for _ in range(3))
        np.add.at(flow, of_detector, passing.vehicles.sum(axis=1))
        np.add.at(weight, of_detector, passing.vehicles[:, by_day].sum(axis=1))
        np.add.at(speed, of_detector, (passing.vehicles * passing.speed)[:, by_day].sum(axis=1))
        frame = pl.DataFrame({"site_id": ids, "flow": flow, "speed": speed / np.maximum(weight, 1)})
        frames.append(frame.with_columns(local_date=pl.lit(day)))
    return pl.concat(frames)


def measures_of(city: City) -> list[dict[str, object]]:
    """The measures of a city's list, as `core.traffic_measures` holds them."""
    return [
        {
            "measure_id": row["nummer"],
            "title_nl": row["titel"],
            "title_en": row["titel_en"],
            "outcome_code": "flow",
            "site_ids": row["meetlocaties"].replace("|", ","),
            "control_site_ids": None,
            "starts_on": date.fromisoformat(row["begin"]),
            "ends_on": None,
            "expected_effect_pct": float(row["verwacht_effect_pct"]),
            "decision": row["besluit"],
        }
        for row in policy_measures.measures(city).iter_rows(named=True)
    ]


def places_of(city: City) -> pl.DataFrame:
    """Where the sites are."""
    return pl.DataFrame(
        [(site.id, site.longitude, site.latitude) for site in city.sites],
        schema=("site_id", "longitude", "latitude"),
        orient="row",
    )


def no_events() -> pl.DataFrame:
    """A list of events without rows."""
    return pl.DataFrame(schema=polars_schema(TrafficEvents))


def judged(seed: int) -> dict[str, dict[str, object]]:
    """What the mart says of each measure of the city of a seed."""
    city = city_of(load_settings(sample_seed=seed, sample_days=DAYS))
    days, places = site_days(city), places_of(city)
    return {str(m["measure_id"]): effect_of(m, days, places, no_events()) for m in measures_of(city)}


def _cities(seeds: int) -> None:
    found = [judged(seed) for seed in range(seeds)]
    print(
        f"\n{seeds} cities of {DAYS} days\n\n| measure | true effect | verdict `effect` | mean effect | interval holds the truth | doubts |"
    )
    print("|---|---|---|---|---|---|")
    for name, truth in ((policy_measures.WORKING, 100 * (traffic_world.MEASURE_FACTOR - 1)), (policy_measures.IDLE, 0.0)):
        rows = pl.DataFrame([one[name] for one in found])
        holds = rows.select(pl.lit(truth).is_between("effect_low_pct", "effect_high_pct").mean()).item()
        is_found, doubts = (rows["verdict_code"] == "effect").mean(), rows["doubts"].is_not_null().mean()
        print(f"| {name} | {truth:.0f} % | {is_found:.1%} | {rows['effect_pct'].mean():.2f} % | {holds:.1%} | {doubts:.1%} |")
    recent = {one[policy_measures.RECENT]["verdict_code"] for one in found}
    print(f"\n{policy_measures.RECENT} is always {', '.join(map(str, recent))}.")


def _series(seed: int, noise: float, memory: float, effect_pct: float) -> dict[str, object]:
    """Flows of sites with noise of their own that remembers the day before; the first two get an effect half-way."""
    chance = np.random.default_rng(seed)
    shocks = chance.standard_normal((DAYS + 50, _SERIES_SITES)) * np.sqrt(1 - memory**2)
    errors = np.zeros_like(shocks)
    for day in range(1, len(shocks)):
        errors[day] = memory * errors[day - 1] + shocks[day]
    logs = np.log(8_000) + noise * errors[50:] + 0.05 * chance.standard_normal((DAYS, 1))
    logs[DAYS // 2 :, :_SERIES_TREATED] += np.log1p(effect_pct / 100)
    first = date(2026, 1, 15)
    names = [f"S{n:02d}" for n in range(_SERIES_SITES)]
    wide = pl.DataFrame(np.exp(logs), schema=names).with_columns(
        local_date=pl.Series([first + timedelta(days=n) for n in range(DAYS)])
    )
    measure = {
        "measure_id": "M",
        "title_nl": "M",
        "title_en": None,
        "outcome_code": "flow",
        "site_ids": ",".join(names[:_SERIES_TREATED]),
        "control_site_ids": ",".join(names[_SERIES_TREATED:]),
        "starts_on": first + timedelta(days=DAYS // 2),
        "ends_on": None,
        "expected_effect_pct": None,
        "decision": None,
    }
    days = wide.unpivot(index="local_date", variable_name="site_id", value_name="flow")
    places = pl.DataFrame({"site_id": names, "longitude": 6.5, "latitude": 53.2})
    return effect_of(measure, days, places, no_events())


def _known(seeds: int) -> None:
    print(f"\n{seeds} made-up series of {DAYS} days each: share with verdict `effect` (by the p value alone)\n")
    effects = (0, -2, -5, -10, -15)
    print(f"| noise of a site's day | memory of a day | {' | '.join('none' if not e else f'{e} %' for e in effects)} |")
    print(f"|---|---|{'---|' * len(effects)}")
    for noise, memory in ((0.02, 0.0), (0.05, 0.0), (0.05, 0.3), (0.05, 0.6), (0.10, 0.3)):
        cells = []
        for effect in effects:
            rows = pl.DataFrame([_series(seed, noise, memory, effect) for seed in range(seeds)])
            both, alone = (rows["verdict_code"] == "effect").mean(), (rows["p_value"] < 0.05).mean()
            cells.append(f"{both:.1%} ({alone:.1%})")
        print(f"| {noise:.0%} | {memory:.1f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    count = int(sys.argv[1]) if sys.argv[1:] else 200
    _cities(count)
    _known(count)
