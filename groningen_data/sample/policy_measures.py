"""Policy measures of the sample city, as a department lists them. All made up, on real sites.

What they do to traffic is decided in `traffic_world`: one of them works, one does not, and one has only just begun.
"""

from datetime import timedelta

import polars as pl

from groningen_data.sample.facts import City
from groningen_data.sample.traffic_world import MEASURE_SITES, MEASURE_STARTS_BEFORE_LAST
from groningen_data.sample.wire import Payloads

WORKING, IDLE, RECENT = "M-2026-01", "M-2026-02", "M-2026-03"
IDLE_SITES = ("PGR08_Lopendediep_NO_HTN2242", "PGR08_Lopendediep_ZW_V1_HTN2243")
"""Sites of a measure that changes nothing."""
RECENT_SITES = ("PGR08_Schuitendiep_N_V1_HTN2241", "PGR08_Schuitendiep_Z_V1_HTN2240")
RECENT_STARTS_BEFORE_LAST = 3

_COLUMNS = (
    "nummer",
    "titel",
    "titel_en",
    "maat",
    "meetlocaties",
    "controlelocaties",
    "begin",
    "eind",
    "verwacht_effect_pct",
    "besluit",
)


def payloads(city: City) -> Payloads:
    """The list of measures, the same for every seed."""
    yield "traffic/policy_measures.csv", measures(city).write_csv(separator=";").encode()


def measures(city: City) -> pl.DataFrame:
    """The columns of the list of measures."""
    last = city.days[-1]
    begin = str(last - timedelta(days=MEASURE_STARTS_BEFORE_LAST))
    recent = str(last - timedelta(days=RECENT_STARTS_BEFORE_LAST))
    rows = (
        (
            WORKING,
            "Rijksstraatweg autoluw (verzonnen)",
            "Rijksstraatweg: through traffic kept out (made up)",
            "verkeer",
            "|".join(MEASURE_SITES),
            None,
            begin,
            None,
            "-15",
            "Verzonnen besluit 1",
        ),
        (
            IDLE,
            "Lopendediep: belijning (verzonnen)",
            "Lopendediep: new road marking (made up)",
            "verkeer",
            "|".join(IDLE_SITES),
            None,
            begin,
            None,
            "-10",
            "Verzonnen besluit 2",
        ),
        (
            RECENT,
            "Schuitendiep: venstertijden (verzonnen)",
            "Schuitendiep: trial of delivery hours (made up)",
            "verkeer",
            "|".join(RECENT_SITES),
            None,
            recent,
            None,
            "-5",
            "Verzonnen besluit 3",
        ),
    )
    return pl.DataFrame(rows, schema=dict.fromkeys(_COLUMNS, pl.String), orient="row")
