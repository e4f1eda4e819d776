"""Suite of the mart of the usual course of a day per site."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "missing_profiles_say_why",
        "unexpected_rows_expectation",
        "A profile that is missing says why, and one that is there says nothing.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (profile_veh_h IS NULL) <> (profile_missing_reason IS NOT NULL)"
        },
    ),
    Expectation(
        "imputed_hours_are_some_of_all",
        "unexpected_rows_expectation",
        "No more hours are imputed than there are, and a profile that is there rests on some that are not.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE imputed_hours > detector_hours "
            "OR (profile_veh_h IS NOT NULL AND imputed_share >= 1)"
        },
    ),
    Expectation(
        "little_is_imputed",
        "expect_column_mean_to_be_between",
        "On the whole less than a fifth of the detector hours is imputed.",
        severity="warning",
        kwargs={"column": "imputed_share", "max_value": 0.2},
    ),
)
