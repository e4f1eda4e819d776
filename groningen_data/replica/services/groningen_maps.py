"""Groningen's GeoServer: WFS 1.0.0, 1.1.0 and 2.0.0 of the layer `geo-data:CONTAINERS`, as GeoJSON.

https://maps.groningen.nl/geoserver/geo-data/wfs (and …/ows, also without the workspace). Names of parameters in any case. Errors are
XML with status 200: an OWS ExceptionReport, in 1.0.0 a ServiceExceptionReport. The layer has no primary key: paging without
`sortBy` is refused, and the ids of its features are made up anew for each answer. GML, the default format, is not served here.
"""

import json
from collections.abc import Sequence
from functools import cache
from itertools import count
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from groningen_data.replica.world import Service, World
from groningen_data.sources.container_wfs import SOURCE

_LAYER = "geo-data:CONTAINERS"
_VERSIONS = ("1.0.0", "1.1.0", "2.0.0")
_MOST = 1_000_000
_JSON = ("application/json", "json")
_DEGREES = (
    "EPSG:4326",
    "urn:ogc:def:crs:EPSG::4326",
    "urn:x-ogc:def:crs:EPSG:4326",
    "http://www.opengis.net/gml/srs/epsg.xml#4326",
)
_NO_ORDER = "Cannot do natural order without a primary key, please add it or specify a manual sort over existing attributes"

Feature = dict[str, Any]


class _ExceptionError(Exception):
    """What an exception report says: its code, the parameter it is about, and its text."""

    def __init__(self, code: str, locator: str, text: str) -> None:
        super().__init__(text)
        self.code, self.locator, self.text = code, locator, text


def _routes(world: World) -> Sequence[BaseRoute]:
    numbers = count(1)

    @cache
    def features() -> list[Feature]:
        return [f for path in world.files(SOURCE) for f in json.loads(path.read_bytes())["features"]]

    def get_feature(request: Request, query: dict[str, str], version: str) -> Response:
        is_two = version == "2.0.0"
        layer = query.get("typenames" if is_two else "typename", query.get("typename", ""))
        if not layer:
            raise _ExceptionError(
                "MissingParameterValue", "typeNames" if is_two else "typeName", "The query should specify a layer"
            )
        if layer.split(":")[-1] != _LAYER.split(":")[-1]:
            raise _ExceptionError("InvalidParameterValue", "typeName", f"Feature type {layer} unknown")
        if query.get("srsname", _DEGREES[0]) not in _DEGREES:
            raise _ExceptionError("InvalidParameterValue", "srsName", "Only degrees are served here")
        if query.get("outputformat", "").split(";")[0] not in _JSON:
            raise _ExceptionError("InvalidParameterValue", "outputFormat", "Failed to find response for output format")
        start, most = _number(query, "startindex", 0), min(_MOST, _number(query, "count" if is_two else "maxfeatures", _MOST))
        found = _sorted(features(), query.get("sortby", ""), paged="startindex" in query)
        if start and world.fault(request, "duplicate_pages"):
            start = max(0, start - most)
        page = found[start : start + most]
        if world.fault(request, "out_of_order"):
            page = page[::-1]
        crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4326"}}
        made_up = [{**f, "id": f"CONTAINERS.fid-{next(numbers):x}"} for f in page]
        body = {
            "type": "FeatureCollection",
            "features": made_up,
            "totalFeatures": len(found),
            "numberMatched": len(found),
            "numberReturned": len(page),
            "timeStamp": f"{world.now:%Y-%m-%dT%H:%M:%S.000Z}",
            "crs": crs,
        }
        return JSONResponse(body)

    async def answer(request: Request) -> Response:
        query = {name.lower(): value for name, value in request.query_params.items()}
        asked = query.get("version", query.get("acceptversions", "2.0.0").split(",")[0])
        version = asked if asked in _VERSIONS else "2.0.0"
        try:
            if query.get("service", "WFS").upper() != "WFS":
                raise _ExceptionError("InvalidParameterValue", "service", f"No service: ( {query['service']} )")
            match query.get("request", "").lower():
                case "getcapabilities":
                    return _xml(_capabilities(str(request.url.replace(query="")).rstrip("?"), version))
                case "getfeature":
                    return get_feature(request, query, version)
                case "":
                    raise _ExceptionError("MissingParameterValue", "request", "Could not determine the request")
                case other:
                    raise _ExceptionError("OperationNotSupported", other, f"No such operation {other}")
        except _ExceptionError as error:
            return _xml(_report(error, version))

    paths = [f"/geoserver{workspace}/{name}" for workspace in ("/geo-data", "") for name in ("wfs", "ows")]
    return [Route(path, answer) for path in paths]


def _number(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit():
        raise _ExceptionError("InvalidParameterValue", name, f"Could not parse {name} as a number")
    return int(text)


def _sorted(features: list[Feature], order: str, *, paged: bool) -> list[Feature]:
    """The features by the attributes of `sortBy`, each with an optional A or D."""
    if not order:
        if paged:
            raise _ExceptionError("NoApplicableCode", "", _NO_ORDER)
        return features
    found = features
    for part in reversed(order.split(",")):
        name, _, direction = part.strip().partition(" ")
        if not features or name not in features[0]["properties"]:
            raise _ExceptionError("InvalidParameterValue", "sortBy", f"Illegal property name: {name}")
        found = sorted(found, key=lambda f: str(f["properties"][name]), reverse=direction.upper().startswith("D"))
    return found


def _xml(text: str) -> Response:
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n', media_type="text/xml")


def _report(error: _ExceptionError, version: str) -> str:
    code, locator, text = quoteattr(error.code), quoteattr(error.locator), escape(error.text)
    if version == "1.0.0":
        inside = f"<ServiceException code={code} locator={locator}>{text}</ServiceException>"
        return f'<ServiceExceptionReport version="1.2.0" xmlns="http://www.opengis.net/ogc">{inside}</ServiceExceptionReport>'
    space = "http://www.opengis.net/ows/1.1" if version == "2.0.0" else "http://www.opengis.net/ows"
    inside = (
        f"<ows:Exception exceptionCode={code} locator={locator}><ows:ExceptionText>{text}</ows:ExceptionText></ows:Exception>"
    )
    return f'<ows:ExceptionReport xmlns:ows="{space}" version="{version}">{inside}</ows:ExceptionReport>'


def _capabilities(address: str, version: str) -> str:
    layer = f"<Name>{_LAYER}</Name><Title>CONTAINERS</Title>"
    if version == "1.0.0":
        types = f"<FeatureTypeList><FeatureType>{layer}<SRS>EPSG:4326</SRS></FeatureType></FeatureTypeList>"
        return f'<WFS_Capabilities version="1.0.0" xmlns="http://www.opengis.net/wfs">{types}</WFS_Capabilities>'
    two = version == "2.0.0"
    wfs, ows = ("http://www.opengis.net/wfs/2.0", "ows/1.1") if two else ("http://www.opengis.net/wfs", "ows")
    crs = "<DefaultCRS>urn:ogc:def:crs:EPSG::4326</DefaultCRS>" if two else "<DefaultSRS>urn:x-ogc:def:crs:EPSG:4326</DefaultSRS>"
    get = f"<ows:DCP><ows:HTTP><ows:Get xlink:href={quoteattr(address)}/></ows:HTTP></ows:DCP>"
    operations = "".join(f'<ows:Operation name="{name}">{get}</ows:Operation>' for name in ("GetCapabilities", "GetFeature"))
    return (
        f'<wfs:WFS_Capabilities version="{version}" xmlns="{wfs}" xmlns:wfs="{wfs}" xmlns:ows="http://www.opengis.net/{ows}" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink"><ows:OperationsMetadata>{operations}</ows:OperationsMetadata>'
        f"<FeatureTypeList><FeatureType>{layer}{crs}</FeatureType></FeatureTypeList></wfs:WFS_Capabilities>"
    )


SERVICE = Service(hosts=("maps.groningen.nl",), routes=_routes)
