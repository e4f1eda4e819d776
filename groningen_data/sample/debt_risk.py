"""CBS's risk of problematic debts per municipality as it publishes it: `;`, decimal comma, ISO-8859-1, mixed line ends.

Municipalities are real, also those that were merged since; their figures are made up.
"""

from groningen_data.sample.facts import City
from groningen_data.sample.wire import Payloads

FILE = "cbs/cbs_schulden_Kaart_risico_GM.csv"
YEARS = (2020, 2024)
SMALLEST_SHOWN = 300
"""With fewer persons at risk the chance of inflow is left empty."""

_HEADER = '"jaar";"gemeentecode";"gemeentenaam";"Risicogroep_aantal";"Risicogroep_aandeel";"Instroomkans"'
# Code, name, persons that CBS looked at, first and last year of the municipality in such files.
_MUNICIPALITIES = (
    ("GM0003", "Appingedam", 8_700, 2018, 2020),
    ("GM0010", "Delfzijl", 18_600, 2018, 2020),
    ("GM0014", "Groningen", 178_000, 2018, 2100),
    ("GM0024", "Loppersum", 7_300, 2018, 2020),
    ("GM0037", "Stadskanaal", 23_900, 2018, 2100),
    ("GM0047", "Veendam", 20_800, 2018, 2100),
    ("GM0080", "Leeuwarden", 93_000, 2018, 2100),
    ("GM0106", "Assen", 51_500, 2018, 2100),
    ("GM0363", "Amsterdam", 690_000, 2018, 2100),
    ("GM0457", "Weesp", 14_600, 2018, 2021),
    ("GM1895", "Oldambt", 29_100, 2018, 2100),
    ("GM1900", "Súdwest-Fryslân", 68_300, 2018, 2100),
    ("GM1950", "Westerwolde", 20_300, 2018, 2100),
    ("GM1952", "Midden-Groningen", 45_700, 2018, 2100),
    ("GM1966", "Het Hogeland", 37_000, 2018, 2100),
    ("GM1969", "Westerkwartier", 48_200, 2018, 2100),
    ("GM1970", "Noardeast-Fryslân", 34_200, 2018, 2100),
    ("GM1979", "Eemsdelta", 34_400, 2021, 2100),
)


def payloads(city: City) -> Payloads:
    """The one file, with both years."""
    lines = [_HEADER]
    for year in YEARS:
        for code, name, persons, first, last in _MUNICIPALITIES:
            if first <= year <= last:
                lines.append(_line(city, year, code, name, persons))
    # CBS's own export ends most lines one way and some the other.
    ends = ["\r\n" if number % 3 else "\n" for number in range(len(lines))]
    yield FILE, "".join(line + end for line, end in zip(lines, ends, strict=True)).encode("iso-8859-1")


def _line(city: City, year: int, code: str, name: str, persons: int) -> str:
    random = city.random("debt risk", code)
    share, inflow = random.uniform(1.4, 3.4), random.uniform(4, 8)
    later = city.random("debt risk", code, year)
    share, inflow = share * later.uniform(0.9, 1.1), inflow * later.uniform(0.9, 1.1)
    at_risk = 10 * round(persons * share / 1000)
    shown = _comma(inflow) if at_risk >= SMALLEST_SHOWN else ""
    written = f'"{year}"' if year == YEARS[-1] else str(year)
    return f'{written};"{code}";"{name}";{at_risk};{_comma(share)};{shown}'


def _comma(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0").replace(".", ",")
