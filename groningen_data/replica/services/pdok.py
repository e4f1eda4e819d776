"""PDOK's map of districts and neighbourhoods (CBS): OGC API Features Part 1 (Core, GeoJSON) and Part 2 (CRS), a service per year.

https://api.pdok.nl/cbs/wijken-en-buurten-2024/ogc/v1. Collections `gemeenten`, `wijken` and `buurten`; only neighbourhoods of the
sample city. Ten items unless `limit` says otherwise, a thousand at most (more is cut down to it); the next page has a cursor
that means nothing to others. A parameter that is not known or not readable is a 400, a year or collection that is not there a 404.
A figure that is withheld is -99997. The names of districts are in `wijken` only.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from groningen_data.places import spatial_connection
from groningen_data.replica.world import Service, World
from groningen_data.sources.outlines import SOURCE

_CRS84, _RD = "http://www.opengis.net/def/crs/OGC/1.3/CRS84", "http://www.opengis.net/def/crs/EPSG/0/28992"
_CORE = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
_CONFORMS_TO = (
    f"{_CORE}/core",
    f"{_CORE}/geojson",
    f"{_CORE}/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
)
_DEFAULT_LIMIT, _MOST = 10, 1000
_WITHHELD = -99997
_MUNICIPALITY = "Groningen"
_CODES = {
    "gemeenten": ("gemeentecode",),
    "wijken": ("wijkcode", "gemeentecode"),
    "buurten": ("buurtcode", "wijkcode", "gemeentecode"),
}
_FIGURES = {
    "inwoners": "aantal_inwoners",
    "huishoudens": "aantal_huishoudens",
    "woz_waarde_keur": "gemiddelde_woningwaarde",
    "inkomen_per_inwoner_keur": "gemiddeld_inkomen_per_inwoner",
    "koopwoningen_pct": "percentage_koopwoningen",
    "stedelijkheid": "stedelijkheid_adressen_per_km2",
    "adressendichtheid": "omgevingsadressendichtheid",
    "oppervlakte_land_ha": "oppervlakte_land_in_ha",
}
_GEOJSON = "application/geo+json"

Feature = dict[str, Any]
Answering = Callable[[Request, str, str], Response]


class _RefusedError(Exception):
    """An answer that is an error: its status and what it says."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status, self.description = status, description


def _routes(world: World) -> Sequence[BaseRoute]:
    @cache
    def editions() -> dict[str, dict[str, list[Feature]]]:
        """Features by year and collection."""
        found = {}
        for path in world.files(SOURCE):
            year = re.findall(r"(?<!\d)20\d\d(?!\d)", path.name)[-1]
            found[year] = _edition(json.loads(path.read_bytes())["features"])
        return found

    def collections(request: Request) -> dict[str, list[Feature]]:
        year = request.path_params["year"]
        if year not in editions():
            raise _RefusedError(404, f"there is no edition of {year}")
        return editions()[year]

    def features(request: Request) -> list[Feature]:
        name = request.path_params["collection"]
        if name not in collections(request):
            raise _RefusedError(404, f"there is no collection {name}")
        return collections(request)[name]

    def landing(request: Request, root: str, year: str) -> Response:
        collections(request)
        links = [
            _link(root, "self", "application/json"),
            _link(f"{root}/api", "service-desc", "application/vnd.oai.openapi+json;version=3.0"),
            _link(f"{root}/conformance", "conformance", "application/json"),
            _link(f"{root}/collections", "data", "application/json"),
        ]
        return JSONResponse({"title": f"CBS Wijken en Buurten {year}", "description": "Wijk- en buurtkaart", "links": links})

    def conformance(request: Request, root: str, year: str) -> Response:
        collections(request)
        return JSONResponse({"conformsTo": list(_CONFORMS_TO)})

    def api(request: Request, root: str, year: str) -> Response:
        names = [*(f"/collections/{name}/items" for name in collections(request)), "/collections", "/conformance", "/"]
        info = {"title": f"CBS Wijken en Buurten {year}", "version": "1.0.0"}
        paths = {name: {"get": {"responses": {"200": {"description": "OK"}}}} for name in names}
        document = {"openapi": "3.0.3", "info": info, "servers": [{"url": root}], "paths": paths}
        return JSONResponse(document, media_type="application/vnd.oai.openapi+json;version=3.0")

    def listed(request: Request, root: str, year: str) -> Response:
        all_of_them = [_description(root, name, found) for name, found in collections(request).items()]
        return JSONResponse({"links": [_link(f"{root}/collections", "self", "application/json")], "collections": all_of_them})

    def one_collection(request: Request, root: str, year: str) -> Response:
        return JSONResponse(_description(root, request.path_params["collection"], features(request)))

    def items(request: Request, root: str, year: str) -> Response:
        name, found, query = request.path_params["collection"], features(request), dict(request.query_params)
        _check(query, {"f", "limit", "cursor", "bbox", "bbox-crs", "crs", "datetime", *_CODES[name]})
        limit, start, crs = _limit(query), _start(query), _crs(query.get("crs", _CRS84))
        found = [f for f in found if all(f["properties"][c] == query[c] for c in _CODES[name] if c in query)]
        if "bbox" in query:
            found = _inside(found, query["bbox"], _crs(query.get("bbox-crs", _CRS84)))
        page = _in_crs(found[start : start + limit], crs)
        if world.fault(request, "out_of_order"):
            page = page[::-1]
        # A page that is served twice: the way on leads to the same page once more.
        following = start if world.fault(request, "duplicate_pages") else start + limit
        links = [_link(str(request.url), "self", _GEOJSON), _link(_with(request, f="html"), "alternate", "text/html")]
        if following < len(found):
            links.append(_link(_with(request, cursor=_cursor(following, start)), "next", _GEOJSON))
        body = {
            "type": "FeatureCollection",
            "timeStamp": f"{world.now:%Y-%m-%dT%H:%M:%SZ}",
            "links": links,
            "features": page,
            "numberReturned": len(page),
        }
        return JSONResponse(body, media_type=_GEOJSON, headers={"Content-Crs": f"<{crs}>"})

    def item(request: Request, root: str, year: str) -> Response:
        query = dict(request.query_params)
        _check(query, {"f", "crs"})
        crs, wanted = _crs(query.get("crs", _CRS84)), request.path_params["item"]
        found = [f for f in features(request) if str(f["id"]) == wanted]
        if not found:
            raise _RefusedError(404, f"there is no feature {wanted}")
        upper = f"{root}/collections/{request.path_params['collection']}"
        links = [_link(str(request.url), "self", _GEOJSON), _link(upper, "collection", "application/json")]
        body = {**_in_crs(found, crs)[0], "links": links}
        return JSONResponse(body, media_type=_GEOJSON, headers={"Content-Crs": f"<{crs}>"})

    def route(path: str, answering: Answering, *, parameters: bool = False) -> Route:
        async def answer(request: Request) -> Response:
            root = str(request.url.replace(query="")).split("/ogc/v1")[0].rstrip("?") + "/ogc/v1"
            try:
                if not parameters:
                    _check(dict(request.query_params), {"f"})
                return answering(request, root, request.path_params["year"])
            except _RefusedError as error:
                code = "NotFound" if error.status == 404 else "InvalidParameterValue"
                return JSONResponse({"code": code, "description": error.description}, error.status)

        return Route(f"/cbs/wijken-en-buurten-{{year}}/ogc/v1{path}", answer)

    return [
        route("", landing),
        route("/", landing),
        route("/api", api),
        route("/conformance", conformance),
        route("/collections", listed),
        route("/collections/{collection}", one_collection),
        route("/collections/{collection}/items", items, parameters=True),
        route("/collections/{collection}/items/{item}", item, parameters=True),
    ]


def _edition(delivered: list[Feature]) -> dict[str, list[Feature]]:
    """The collections made of the sample's neighbourhoods; upper levels have all the outlines of those below."""
    is_known = {old: any(f["properties"].get(old) is not None for f in delivered) for old in _FIGURES}
    neighbourhoods = []
    for number, feature in enumerate(delivered, start=1):
        p = feature["properties"]
        codes = {
            "buurtcode": p["buurtcode"],
            "buurtnaam": p["buurtnaam"],
            "wijkcode": p["wijkcode"],
            "gemeentecode": f"GM{p['buurtcode'][2:6]}",
            "gemeentenaam": _MUNICIPALITY,
            "indelingswijziging_wijken_en_buurten": 1,
            "water": "NEE",
            "meest_voorkomende_postcode": p.get("postcode"),
        }
        figures = {new: _WITHHELD if p.get(old) is None and is_known[old] else p.get(old) for old, new in _FIGURES.items()}
        neighbourhoods.append(_feature(number, codes | figures, feature["geometry"]))
    names = {f["properties"]["wijkcode"]: f["properties"]["wijknaam"] for f in delivered}
    districts = []
    for number, code in enumerate(sorted(names), start=1):
        inside = [f for f in neighbourhoods if f["properties"]["wijkcode"] == code]
        properties = {"wijkcode": code, "wijknaam": names[code], "gemeentecode": inside[0]["properties"]["gemeentecode"]}
        districts.append(_feature(number, properties | {"gemeentenaam": _MUNICIPALITY, "water": "NEE"}, _together(inside)))
    municipalities = []
    for number, code in enumerate(sorted({f["properties"]["gemeentecode"] for f in neighbourhoods}), start=1):
        inside = [f for f in neighbourhoods if f["properties"]["gemeentecode"] == code]
        properties = {"gemeentecode": code, "gemeentenaam": _MUNICIPALITY, "water": "NEE"}
        municipalities.append(_feature(number, properties, _together(inside)))
    return {"gemeenten": municipalities, "wijken": districts, "buurten": neighbourhoods}


def _feature(number: int, properties: Mapping[str, Any], geometry: Any) -> Feature:
    return {"type": "Feature", "id": number, "properties": dict(properties), "geometry": geometry}


def _together(features: list[Feature]) -> dict[str, Any]:
    return {"type": "MultiPolygon", "coordinates": [f["geometry"]["coordinates"] for f in features]}


def _description(root: str, name: str, features: list[Feature]) -> dict[str, Any]:
    points = [p for f in features for ring in _rings(f["geometry"]) for p in ring]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    address = f"{root}/collections/{name}"
    return {
        "id": name,
        "title": name.capitalize(),
        "description": f"{name.capitalize()} van het CBS",
        "itemType": "feature",
        "extent": {"spatial": {"bbox": [[min(xs), min(ys), max(xs), max(ys)]], "crs": _CRS84}},
        "crs": [_CRS84, _RD],
        "storageCrs": _RD,
        "links": [_link(address, "self", "application/json"), _link(f"{address}/items", "items", _GEOJSON)],
    }


def _rings(geometry: Mapping[str, Any]) -> list[list[list[float]]]:
    coordinates = geometry["coordinates"]
    return list(coordinates) if geometry["type"] == "Polygon" else [ring for polygon in coordinates for ring in polygon]


def _link(address: str, relation: str, kind: str) -> dict[str, str]:
    return {"href": address, "rel": relation, "type": kind, "title": relation}


def _with(request: Request, **parameters: str) -> str:
    return str(request.url.include_query_params(**parameters))


def _check(query: Mapping[str, str], known: set[str]) -> None:
    if unknown := sorted(set(query) - known):
        raise _RefusedError(400, f"unknown query parameter(s): {', '.join(unknown)}")
    if query.get("f", "json") != "json":
        raise _RefusedError(400, "only f=json is served here")


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(_DEFAULT_LIMIT))
    if not text.isdigit() or int(text) < 1:
        raise _RefusedError(400, "limit must be a positive integer")
    return min(int(text), _MOST)


def _cursor(start: int, came_from: int) -> str:
    """Where a page begins and, so that no two addresses are the same, where one came from."""
    return base64.urlsafe_b64encode(f"{start}|{came_from}".encode()).decode().rstrip("=")


def _start(query: Mapping[str, str]) -> int:
    cursor = query.get("cursor")
    if cursor is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split("|")[0])
    except ValueError:
        raise _RefusedError(400, "the cursor is not valid") from None


def _crs(text: str) -> str:
    if text not in (_CRS84, _RD):
        raise _RefusedError(400, f"crs must be one of {_CRS84}, {_RD}")
    return text


def _in_crs(features: list[Feature], crs: str) -> list[Feature]:
    if crs == _CRS84:
        return features
    shapes = _asked_of_all(features, "ST_AsGeoJSON(ST_Transform(shape, 'EPSG:4326', 'EPSG:28992', always_xy := true))")
    return [{**f, "geometry": json.loads(str(shape))} for f, shape in zip(features, shapes, strict=True)]


def _inside(features: list[Feature], box: str, crs: str) -> list[Feature]:
    """The features whose outline meets a box."""
    try:
        numbers = [float(text) for text in box.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (4, 6):
        raise _RefusedError(400, "bbox must be four or six numbers")
    corners = numbers if len(numbers) == 4 else [numbers[0], numbers[1], numbers[3], numbers[4]]
    meets = _asked_of_all(_in_crs(features, crs), f"ST_Intersects(shape, ST_MakeEnvelope({', '.join(map(str, corners))}))")
    return [feature for feature, is_met in zip(features, meets, strict=True) if is_met]


def _asked_of_all(features: list[Feature], expression: str) -> list[object]:
    """An expression of the outline `shape` of each feature, in SQL; all at once, because the first of a query costs half a second."""
    outlines = [json.dumps(f["geometry"]) for f in features]
    with spatial_connection() as connection:
        asked = "SELECT ST_GeomFromGeoJSON(unnest($1)) AS shape"
        return [found for (found,) in connection.execute(f"SELECT {expression} FROM ({asked})", [outlines]).fetchall()]


SERVICE = Service(hosts=("api.pdok.nl",), routes=_routes)
