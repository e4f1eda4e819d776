"""How good the scorecard's forecasts and trends are, on series of which the rest is known: `python -m benchmarks.indicators [SEEDS]`.

Prints Markdown.
"""

import os
import sys
from datetime import date, timedelta

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from groningen_data.marts.kpi_indicators import indicators
from groningen_data.marts.kpi_scorecard import Period, forecast, trend

KINDS = {
    "noise around a level": lambda n, e: 50 + 3 * e,
    "random walk": lambda n, e: 50 + np.cumsum(e),
    "falls by 0.5, noise 1": lambda n, e: 50 - 0.5 * np.arange(n) + e,
}
_YEARLY = [indicator for indicator in indicators() if indicator.period == "year"]
_WEEKLY = next(indicator for indicator in indicators() if indicator.trend_period == "week")


def _forecasts(seeds: int) -> None:
    print(
        f"\nForecasts of the next period, {seeds} series each: how often the 95 % interval held the truth, and the mean error\n"
    )
    print("| series | periods known | interval held | mean error | of the last value |\n|---|---|---|---|---|")
    for kind, make in KINDS.items():
        for known in (8, 12, 24):
            held, errors, naive = [], [], []
            for seed in range(seeds):
                series = make(known + 1, np.random.default_rng(seed).standard_normal(known + 1))
                found = forecast(_YEARLY, [Period(date(2001 + n, 1, 1), value, 1.0) for n, value in enumerate(series[:known])])
                held.append(found["forecast_low"] <= series[-1] <= found["forecast_high"])
                errors.append(abs(found["forecast_value"] - series[-1]))
                naive.append(abs(series[-2] - series[-1]))
            print(f"| {kind} | {known} | {np.mean(held):.1%} | {np.mean(errors):.2f} | {np.mean(naive):.2f} |", flush=True)


def _trends(seeds: int) -> None:
    print(f"\nTrends, {seeds} series each: how often one is found\n")
    print("| weeks | no trend | falls by 0.5 a week, noise 1 | no trend, but each week remembers 0.5 of the one before |")
    print("|---|---|---|---|")
    for count in (8, 26):
        found = []
        for slope, memory in ((0.0, 0.0), (-0.5, 0.0), (0.0, 0.5)):
            codes = []
            for seed in range(seeds):
                noise = np.random.default_rng(seed).standard_normal(count + 20)
                for n in range(1, len(noise)):
                    noise[n] += memory * noise[n - 1]
                series = 50 + slope * np.arange(count) + noise[20:]
                weeks = [Period(date(2026, 1, 5) + timedelta(weeks=n), float(value), 1.0) for n, value in enumerate(series)]
                codes.append(trend(_WEEKLY, weeks)["trend_code"] != "none_found")
            found.append(f"{np.mean(codes):.1%}")
        print(f"| {count} | {' | '.join(found)} |", flush=True)


if __name__ == "__main__":
    count = int(sys.argv[1]) if sys.argv[1:] else 200
    _trends(count)
    _forecasts(count)
