"""Suite of the scores of the forecasts of fill levels."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "all_models_on_the_same_days",
        "unexpected_rows_expectation",
        "Every model is scored on as many forecasts as the others.",
        kwargs={
            "unexpected_rows_query": "SELECT month, horizon_days FROM {batch} GROUP BY ALL "
            "HAVING count(*) <> 4 OR min(forecasts) <> max(forecasts)"
        },
    ),
    Expectation(
        "forecast_beats_simple_ones",
        "unexpected_rows_expectation",
        "The level forecast is nearer to what came about than the last day's rate and than the same weekday of the week before.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT m.* FROM {batch} m JOIN {batch} b ON b.month = m.month "
            "AND b.horizon_days = m.horizon_days AND b.model_code IN ('last_rate', 'same_weekday') "
            "WHERE m.model_code = 'fill_model' AND m.forecasts >= 500 AND m.fill_mae_pct >= b.fill_mae_pct"
        },
    ),
    Expectation(
        "intervals_hold",
        "unexpected_rows_expectation",
        "The interval of 80 % holds between 70 and 90 % of the levels.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE model_code = 'fill_model' AND forecasts >= 500 "
            "AND coverage_80 NOT BETWEEN 0.7 AND 0.9"
        },
    ),
)
