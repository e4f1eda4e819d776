"""JSON schemas of OGC API Features, Part 1: Core 1.0.0 and Part 2: Coordinate Reference Systems, as the standard publishes them.

Source: http://schemas.opengis.net/ogcapi/features/part1/1.0/openapi/ogcapi-features-1.yaml and
…/part2/1.0/openapi/ogcapi-features-2.yaml; `nullable` of OpenAPI is written as a type here, descriptions and examples are left out.
"""

from typing import Any

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


def _list(items: Any, fewest: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": fewest}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _geometry(kind: str, coordinates: dict[str, Any]) -> dict[str, Any]:
    return _object(["type", "coordinates"], type={"type": "string", "enum": [kind]}, coordinates=coordinates)


_TEXT, _COUNT = {"type": "string"}, {"type": "integer", "minimum": 0}
_POSITION = _list({"type": "number"}, 2)
_BOX = {"type": "array", "items": {"type": "number"}, "oneOf": [{"minItems": n, "maxItems": n} for n in (4, 6)]}
_SIMPLE = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")

DEFINITIONS: dict[str, Any] = {
    "link": _object(["href"], href=_TEXT, rel=_TEXT, type=_TEXT, hreflang=_TEXT, title=_TEXT, length={"type": "integer"}),
    "landingPage": _object(["links"], title=_TEXT, description=_TEXT, links=_list(_ref("link"))),
    "confClasses": _object(["conformsTo"], conformsTo=_list(_TEXT)),
    "exception": _object(["code"], code=_TEXT, description=_TEXT),
    "extent": _object([], spatial=_object([], bbox=_list(_BOX, 1), crs={"type": "string", "enum": [CRS84]})),
    "collection": _object(
        ["id", "links"],
        id=_TEXT,
        title=_TEXT,
        description=_TEXT,
        links=_list(_ref("link")),
        extent=_ref("extent"),
        itemType=_TEXT,
        crs=_list(_TEXT),
        storageCrs={"type": "string", "format": "uri"},
    ),
    "collections": _object(["links", "collections"], links=_list(_ref("link")), collections=_list(_ref("collection"))),
    "Point": _geometry("Point", _POSITION),
    "MultiPoint": _geometry("MultiPoint", _list(_POSITION)),
    "LineString": _geometry("LineString", _list(_POSITION, 2)),
    "MultiLineString": _geometry("MultiLineString", _list(_list(_POSITION, 2))),
    "Polygon": _geometry("Polygon", _list(_list(_POSITION, 4))),
    "MultiPolygon": _geometry("MultiPolygon", _list(_list(_list(_POSITION, 4)))),
    "geometry": {"oneOf": [*map(_ref, _SIMPLE), _ref("geometryCollection")]},
    "geometryCollection": _object(
        ["type", "geometries"], type={"type": "string", "enum": ["GeometryCollection"]}, geometries=_list(_ref("geometry"))
    ),
    "feature": _object(
        ["type", "geometry", "properties"],
        type={"type": "string", "enum": ["Feature"]},
        geometry=_ref("geometry"),
        properties={"type": ["object", "null"]},
        id={"oneOf": [{"type": "string"}, {"type": "integer"}]},
        links=_list(_ref("link")),
    ),
    "featureCollection": _object(
        ["type", "features"],
        type={"type": "string", "enum": ["FeatureCollection"]},
        features=_list(_ref("feature")),
        links=_list(_ref("link")),
        timeStamp={"type": "string", "format": "date-time"},
        numberMatched=_COUNT,
        numberReturned=_COUNT,
    ),
}


def schema(name: str) -> dict[str, Any]:
    """The schema of one kind of answer."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": DEFINITIONS, **_ref(name)}
