"""Code lists and forms that contracts of the traffic store share; no table is declared here."""

VEHICLE_CLASS = r"^[A-Za-z0-9_.+]+$"
"""`any`, `unknown`, a length class (`length_1.85_2.40`), or vehicle types as DATEX II names them (`car+lorry`)."""
LONGITUDES = {"min_value": 3.2, "max_value": 7.3}
LATITUDES = {"min_value": 50.7, "max_value": 53.8}
EARTH_LONGITUDES = {"min_value": -180, "max_value": 180}
EARTH_LATITUDES = {"min_value": -90, "max_value": 90}
