"""Which files the waste sources take, and that no two of them take the same."""

import json

import pytest

from groningen_data.sources import (
    amsterdam_inspections,
    container_wfs,
    enevo,
    fleet,
    inspections,
    kilogram,
    prague_sensors,
    schiedam_containers,
    sidcon,
    signalen,
    telemetry,
)
from groningen_data.sources.base import Head

MODULES = (
    *(amsterdam_inspections, container_wfs, enevo, inspections, kilogram),
    *(prague_sensors, schiedam_containers, sidcon, telemetry, signalen),
)
SOURCES = [m.SOURCE for m in MODULES] + [fleet.VEHICLES, fleet.DEPOTS]


def test_each_real_waste_file_is_claimed_by_one_source_or_none(real):
    claimed: dict[str, list[str]] = {}
    for source in SOURCES:
        for path in source.find(real):
            claimed.setdefault(str(path.relative_to(real)), []).append(source.name)
    assert {name: sources for name, sources in claimed.items() if len(sources) > 1} == {}
    assert {name: sources[0] for name, sources in claimed.items() if "assen_open_reports" not in name} == {
        "waste/amsterdam_schouwen_bijplaatsingen_2025.csv.gz": "amsterdam_inspections",
        "waste/enevo_container_slots.json": "enevo",
        "waste/enevo_container_types.json": "enevo",
        "waste/enevo_containers.json": "enevo",
        "waste/enevo_content_types.json": "enevo",
        "waste/enevo_fill_levels.json": "enevo",
        "waste/enevo_sites.json": "enevo",
        "waste/kilogram_weigh.json": "kilogram",
        "waste/kilogram_weigh42.json": "kilogram",
        "waste/kilogram_weight0.json": "kilogram",
        "waste/prague_fill_levels.parquet": "prague_sensors",
        "waste/schiedam_containers_js_wrapped.geojson": "schiedam_containers",
        "waste/sidcon_response.json": "sidcon",
    }


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("telemetry", "containercode;tijdstip;vulgraad;vullingGewicht\n1;2026-03-02T08:05:00+01:00;5;\n"),
        ("telemetry", "\ufeffVulgraad,Containercode,Tijdstip\r\n"),
        ("telemetry", '{"vulgraadmetingen":[{"containercode":"1","tijdstip":"x","vulgraad":5}]}'),
        ("container_wfs", '{"type":"FeatureCollection","features":[{"properties":{"CONTAINERCODE":"1"}}]}'),
        ("container_wfs", "<ows:ExceptionReport><ows:ExceptionText>geo-data:CONTAINERS unknown</ows:ExceptionText>"),
        (
            "schiedam_containers",
            'var x = {"type": "FeatureCollection", "features": [{"unieknr": null, "locatie": "A", "soort": "B"',
        ),
        ("sidcon", '[{"method": "GetStateView", "result": {"data": [{"Filling": 2}]}}]'),
        ("enevo", '{"href": "https://x", "scope": "fillLevels", "version": 3, "customer": 1, "fillLevels": []}'),
        ("kilogram", '{"Fields": ["SystemId", "Seq", "NettWeight"], "Records": []}'),
        (
            "inspections",
            "schouwnummer;containercode;tijdstip;breedtegraad;lengtegraad;bijplaatsing;grofvuil_stuks;oorzaak;opmerking_code\n",
        ),
        ("fleet_vehicles", "voertuigcode;type;laadvermogen_kg;fracties;depotcode;in_dienst\n"),
        ("fleet_depots", "depotcode;naam;soort;breedtegraad;lengtegraad\n"),
        (
            "amsterdam_inspections",
            ",straatnaam,totaal_schouwen,aantal_niet_aplus,aantal_grofvuil,dumpplek,eerste_melding,laatste_melding,lon,lat\n",
        ),
    ],
)
def test_content_is_recognised_whatever_its_name(source, text):
    assert [s.name for s in SOURCES if s.recognises(Head("x", text.encode()))] == [source]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"Systems": ["4"], "Status": "SUCCESSFUL", "Message": ""}),
        json.dumps({"containers": [{"id": 2830}]}),
        json.dumps([{"container_type": {"id": 27, "name": "Rest 5m3", "volume": 5}}]),
        json.dumps({"href": "x", "scope": "alerts/", "version": 3, "customer": 1, "alerts": []}),
        json.dumps({"href": "x", "scope": "siteContentTypes/", "version": 3, "customer": 1, "containerSlots": []}),
        json.dumps({"count": 12927, "results": [{"id_number": "REF31790", "well": {"id": 3493}}]}),
        '{"type": "FeatureCollection", "features": [{"properties": {"buurtcode": "BU00140000"}}]}',
        "zaaknummer;bsn;regeling\n",
        "depotcode;naam\n",
        "",
    ],
)
def test_files_without_a_table_are_left_alone(text):
    assert [s.name for s in SOURCES if s.recognises(Head("x", text.encode()))] == []
