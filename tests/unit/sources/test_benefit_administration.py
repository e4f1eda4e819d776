"""The benefit administration: what lands of its extracts, what never does, and what becomes of what landed."""

import gzip
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from assets.welfare import benefit_cases, closed_cases, early_signals
from groningen_data.contracts.welfare import benefit_cases as cases_contract
from groningen_data.contracts.welfare import closed_cases as closed_contract
from groningen_data.contracts.welfare import early_signals as signals_contract
from groningen_data.gate.gate import Gate
from groningen_data.gate.recipe import BuildContext
from groningen_data.lakehouse import Lakehouse
from groningen_data.landing import Landing, Payload, last_at_each_place
from groningen_data.privacy.pseudonyms import key_file
from groningen_data.privacy.service_numbers import is_test_number
from groningen_data.sample import facts, welfare
from groningen_data.settings import load_settings
from groningen_data.sources import utd19_loops
from groningen_data.sources.base import FileSource, Head
from groningen_data.sources.benefit_administration import (
    CASES,
    CLOSED,
    OUTCOMES,
    SIGNALS,
    STATUTORY,
    parse_cases,
    parse_closed,
    parse_outcomes,
    parse_signals,
    parse_statutory,
)
from groningen_data.sources.parsing import reference_table

SOURCES = (CASES, CLOSED, SIGNALS, STATUTORY, OUTCOMES)
ANNA, BERT, WRONG = "999993653", "999990342", "999993654"
CASE_HEADER = "zaaknummer;bsn;regeling;ingangsdatum;einddatum;buurtcode;reden_instroom;reden_uitstroom\n"
CASE = f"U1;{ANNA};PW;2020-01-31;;BU00140003;11;\n"
CLOSED_HEADER = "zaaknummer;bsn;afgesloten_op;oorzaak;processtap;kanaal;bedrag_eur;onherroepelijk\n"
CLOSED_CASE = f"T1;{ANNA};2025-07-31;inkomen;wijziging_doorgeven;post;1250,50;ja\n"
SIGNAL_HEADER = "signaalnummer;bsn;signaaldatum;partner;buurtcode;status;datum_opgepakt;contact_bereikt;resultaat\n"
SIGNAL = f"V1;{ANNA};2026-03-02;verhuurder;BU00140003;afgesloten;2026-03-09;ja;hulp_aanvaard\n"
STATUTORY_HEADER = "signaalnummer;bsn;zaaknummer;signaalsoort;register;feitdatum;ontvangen_op;al_bekend;status\n"
STATUTORY_SIGNAL = f"S1;{ANNA};U1;Start inkomstenverhouding;UWV;2026-02-02;2026-03-02;nee;open\n"
OUTCOME_HEADER = "onderzoeksnummer;zaaknummer;signaalnummer;bsn;regel;regelversie;uitkomstdatum;uitkomst;nadelig_besluit;gemotiveerd;gehoord;vier_ogen\n"
OUTCOME = f"C1;U1;S1;{ANNA};income_started;1;2026-03-10;feit_juist_rechtmatig;nee;ja;ja;nee\n"
CASE_FILE = "uitkeringen_2026-03-15.csv"
DELIVERIES = {
    CASES: (CASE_FILE, CASE_HEADER, CASE, parse_cases),
    CLOSED: ("afgesloten_zaken_2025K3.csv", CLOSED_HEADER, CLOSED_CASE, parse_closed),
    SIGNALS: ("vroegsignalen_2026-03-15.csv", SIGNAL_HEADER, SIGNAL, parse_signals),
    STATUTORY: ("samenloopsignalen_2026-03-15.csv", STATUTORY_HEADER, STATUTORY_SIGNAL, parse_statutory),
    OUTCOMES: ("controleuitkomsten_2026-03-15.csv", OUTCOME_HEADER, OUTCOME, parse_outcomes),
}


class Office:
    """A folder of extracts, and the data folder that they are fetched to."""

    def __init__(self, folder: Path, data: str = "data") -> None:
        self.files = folder / "files"
        self.files.mkdir(exist_ok=True)
        self.settings = load_settings(profile="real", files=self.files, data_dir=folder / data, as_of="2026-03-16T06:00:00Z")
        self.landing = Landing.of(self.settings)

    def put(self, name: str, content: str | bytes) -> None:
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def fetch(self, source: FileSource = CASES):
        return source.fetch(self.settings, self.landing)

    def landed(self, source: FileSource = CASES) -> list[Payload]:
        return self.landing.payloads(source.name)

    def bytes_made(self) -> bytes:
        """All that is in the data folder, names too, but for the key."""
        made = [p for p in self.settings.data_dir.rglob("*") if p != key_file(self.settings)]
        return b"\n".join([*(str(p).encode() for p in made), *(p.read_bytes() for p in made if p.is_file())])

    def rows(self, source: FileSource = CASES) -> tuple[pl.DataFrame, dict]:
        context = BuildContext(self.settings, lambda table: pl.DataFrame())
        payloads = [p for p in self.landed(source) if p.batches]
        return pl.concat(list(DELIVERIES[source][3](payloads, "any", context))), context.notes


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def one(office: Office, source: FileSource, row: str) -> dict:
    office.put(DELIVERIES[source][0], DELIVERIES[source][1] + row)
    office.fetch(source)
    return office.rows(source)[0].row(0, named=True)


def numbers_in(data: bytes) -> list[bytes]:
    """Test numbers in bytes; others pass the 11-test by chance, in hashes for instance."""
    return [n for n in re.findall(rb"(?<![0-9])[0-9]{9}(?![0-9])", data) if is_test_number(n.decode())]


class TestLanding:
    @pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.name)
    def test_holds_no_identifier_of_an_extract(self, office, source):
        name, header, row, _ = DELIVERIES[source]
        office.put(name, header + row)
        (payload,) = office.fetch(source).landed
        assert payload.problem is None and payload.batches
        made = office.bytes_made()
        assert numbers_in(made) == []
        assert not re.search(row.split(";")[0].encode() + b"\\b", payload.path.read_bytes())

    @pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.name)
    def test_leaves_a_row_without_a_valid_number_out_and_says_so(self, office, source):
        name, header, row, _ = DELIVERIES[source]
        office.put(name, header + row + row.replace(ANNA, WRONG))
        office.fetch(source)
        assert WRONG.encode() not in office.bytes_made()
        rows, notes = office.rows(source)
        assert rows["_problems"].to_list() == [[], ["row.service_number"]]
        assert '"_row":"2"' in rows["_original"][1]
        assert notes["rows_left_out_before_landing_service_number"] == 1

    def test_leaves_other_columns_out_and_says_how_many(self, office):
        office.put(CASE_FILE, f"naam;{CASE_HEADER[:-1]};toelichting\nJansen;{CASE[:-1]};ook bekend als {BERT}\n")
        office.fetch()
        assert b"Jansen" not in office.bytes_made() and numbers_in(office.bytes_made()) == []
        rows, notes = office.rows()
        assert (rows.height, notes["columns_left_out_before_landing"]) == (1, 2)

    def test_knows_a_file_it_has_rewritten_before(self, office):
        office.put(CASE_FILE, CASE_HEADER + CASE)
        (first,) = office.fetch().landed
        office.put("copy/" + CASE_FILE + ".gz", gzip.compress((CASE_HEADER + CASE).encode()))
        assert [(len(r.landed), r.known) for r in (office.fetch(), office.fetch())] == [(0, 2), (0, 2)]
        (payload,) = office.landed()
        assert payload.sha256 == first.sha256
        assert [a.place for a in payload.arrivals] == [CASE_FILE, f"copy/{CASE_FILE}.gz"]

    def test_notices_when_only_an_invalid_row_was_added(self, office):
        office.put(CASE_FILE, CASE_HEADER + CASE)
        office.fetch()
        office.put(CASE_FILE, CASE_HEADER + CASE + CASE.replace(ANNA, WRONG))
        assert len(office.fetch().landed) == 1

    def test_is_the_same_under_the_same_key_and_another_under_another(self, tmp_path):
        first, second, third = (Office(tmp_path, data) for data in ("a", "b", "c"))
        first.put(CASE_FILE, CASE_HEADER + CASE)
        (one,) = first.fetch().landed
        key_file(second.settings).parent.mkdir(parents=True)
        key_file(second.settings).write_bytes(key_file(first.settings).read_bytes())
        key_file(second.settings).chmod(0o600)
        (same,), (other,) = second.fetch().landed, third.fetch().landed
        assert one.sha256 == same.sha256 != other.sha256
        assert first.rows()[0]["person_pseudonym"][0] != third.rows()[0]["person_pseudonym"][0]

    def test_masks_a_number_in_the_name_of_a_file(self, office):
        office.put(f"{ANNA}/uitkeringen_{ANNA}.csv", CASE_HEADER + CASE)
        (payload,) = office.fetch().landed
        assert payload.name == "uitkeringen_*********.csv"
        assert numbers_in(office.bytes_made()) == []

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (b"", "is empty"),
            (CASE_HEADER, "no rows"),
            (CASE * 3, "misses column"),
            (CASE_HEADER + CASE + CASE[:14], "was cut off in its last line"),
            (gzip.compress((CASE_HEADER + CASE * 5000).encode())[:-20], "the gzip stream is broken"),
            ((CASE_HEADER + CASE + "é").encode("latin-1"), "not UTF-8"),
            (CASE_HEADER.replace("ingangsdatum", "begin") + CASE, r"misses column\(s\) ingangsdatum"),
            (f'[{{"bsn": "{ANNA}"}}]', "misses column"),
            (f"<a><bsn>{ANNA}</bsn></a>", "misses column"),
            (CASE_HEADER + CASE * 30_000 + f'U2;"{ANNA}', "not readable as CSV"),
        ],
    )
    def test_takes_nothing_of_what_it_cannot_rewrite(self, office, content, told):
        office.put(CASE_FILE, content)
        (payload,) = office.fetch().unreadable
        assert re.search(told, payload.problem or "") and payload.way_out and payload.batches == ()
        made = office.bytes_made()
        assert numbers_in(made) == [] and b"U1" not in payload.path.read_bytes()
        assert payload.path.read_bytes().startswith(f"{CASE_FILE} did not land".encode())
        assert [(len(r.landed), r.known) for r in (office.fetch(), office.fetch())] == [(0, 1), (0, 1)]

    def test_forgets_the_problem_once_the_file_is_delivered_well(self, office):
        office.put(CASE_FILE, CASE_HEADER)
        office.fetch()
        office.put(CASE_FILE, CASE_HEADER + CASE)
        office.fetch()
        assert [p.problem for p in last_at_each_place(office.landed()).values()] == [None]
        office.put(CASE_FILE, CASE_HEADER)
        office.fetch()
        assert ["no rows" in (p.problem or "") for p in last_at_each_place(office.landed()).values()] == [True]

    def test_holds_only_rewritten_bytes_when_the_run_is_killed(self, office):
        office.put(CASE_FILE, CASE_HEADER + "".join(CASE.replace("U1", f"U{n}") for n in range(45_000)))
        script = (
            "import os\n"
            "from groningen_data.landing import Landing\n"
            "from groningen_data.privacy import extracts\n"
            "from groningen_data.settings import load_settings\n"
            "from groningen_data.sources.benefit_administration import CASES\n"
            "slices, whole = [], extracts._slice\n"
            "def killed(*given):\n"
            "    slices.append(1)\n"
            "    return whole(*given) if len(slices) < 3 else os._exit(9)\n"
            "extracts._slice = killed\n"
            f"settings = load_settings(profile='real', files={str(office.files)!r}, data_dir={str(office.settings.data_dir)!r})\n"
            "CASES.fetch(settings, Landing.of(settings))\n"
        )
        assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
        (half,) = (office.settings.landing_dir / CASES.name).glob(".partial-*")
        assert half.stat().st_size > 1_000_000 and numbers_in(office.bytes_made()) == []
        (payload,) = office.fetch().landed
        assert payload.problem is None and not half.exists() and numbers_in(office.bytes_made()) == []

    def test_never_takes_persons_through_another_source(self, office):
        office.put("loops_x.csv", f"day,interval,detid,flow,occ,error,city,speed,BSN\n2017-09-21,300,S_1,1,1,,x,1,{ANNA}\n")
        (payload,) = office.fetch(utd19_loops.SOURCE).unreadable
        assert "citizen service numbers" in (payload.problem or "")
        assert numbers_in(office.bytes_made()) == []
        assert (office.fetch(utd19_loops.SOURCE).landed, office.fetch(utd19_loops.SOURCE).known) == ((), 1)

    def test_waits_for_a_key_that_others_cannot_read(self, office):
        office.put(CASE_FILE, CASE_HEADER + CASE)
        office.fetch()
        key_file(office.settings).chmod(0o644)
        with pytest.raises(Exception, match="chmod 600"):
            office.fetch()


class TestClaims:
    @pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.name)
    @pytest.mark.parametrize("separator", [";", ",", "\t"])
    def test_an_extract_is_known_by_its_header_whatever_its_name(self, source, separator):
        head = Head("x", ("\ufeff" + DELIVERIES[source][1].upper().replace(";", separator) + "x").encode())
        assert [s for s in SOURCES if s.recognises(head)] == [source]

    def test_nothing_among_the_real_files_is_an_extract(self, real):
        assert [path for source in SOURCES for path in source.find(real)] == []

    @pytest.mark.parametrize("text", ["", "zaaknummer;bsn;regeling\n", "day,interval,detid,flow,occ,error,city,speed\n", "[]"])
    def test_other_files_are_left_alone(self, text):
        assert [s for s in SOURCES if s.recognises(Head("uit.csv", text.encode()))] == []

    def test_closed_cases_may_come_without_persons(self, office):
        office.put("anything.csv", CLOSED_HEADER.replace("bsn;", "") + CLOSED_CASE.replace(f"{ANNA};", ""))
        (payload,) = office.fetch(CLOSED).landed
        assert payload.problem is None


class TestCases:
    def test_a_case_is_read(self, office):
        row = one(office, CASES, CASE)
        assert row["_problems"] == [] and row["person_pseudonym"] != row["case_pseudonym"]
        assert {k: row[k] for k in ("benefit_code", "started_on", "ended_on", "neighbourhood_code")} == {
            "benefit_code": "social_assistance",
            "started_on": date(2020, 1, 31),
            "ended_on": None,
            "neighbourhood_code": "BU00140003",
        }
        assert (row["inflow_reason_code"], row["outflow_reason_code"]) == ("work_ended", None)

    @pytest.mark.parametrize(
        ("old", "new", "problems", "values"),
        [
            (";;BU", ";31-12-2021;BU", [], {"ended_on": date(2021, 12, 31)}),
            (";;BU", ";9999-12-31;BU", [], {"ended_on": None}),
            ("2020-01-31", "1987-05-01", [], {"started_on": date(1987, 5, 1)}),
            ("2020-01-31", "20200131", [], {"started_on": date(2020, 1, 31)}),
            ("2020-01-31", "31-02-2020", ["started_on.type"], {"started_on": None}),
            ("2020-01-31", "0001-01-01", ["started_on.type"], {}),
            ("2020-01-31", "Jansen", ["started_on.type"], {}),
            (";;BU", ";2019-12-31;BU", ["ended_on.before_started_on"], {}),
            (";;BU", ";2020-13-01;BU", ["ended_on.type"], {}),
            ("PW", "nieuw", [], {"benefit_code": "unlisted"}),
            (";11;", ";26;", [], {"inflow_reason_code": "other"}),
            ("BU00140003", "straat", [], {"neighbourhood_code": "unreadable"}),
        ],
    )
    def test_an_odd_value_is_read_or_marked(self, office, old, new, problems, values):
        row = one(office, CASES, CASE.replace(old, new))
        assert row["_problems"] == problems
        assert {k: row[k] for k in values} == values

    def test_the_delivery_of_the_latest_day_counts(self, office):
        office.put("b/uitkeringen_2026-03-15.csv", CASE_HEADER + CASE)
        office.fetch()
        office.put("a/uitkeringen_2026-02-28.csv", CASE_HEADER + CASE + CASE.replace("U1", "U2"))
        office.fetch()
        rows, notes = office.rows()
        assert (rows.height, notes["file"], notes["earlier_deliveries"]) == (1, "uitkeringen_2026-03-15.csv", 1)
        office.put("a/uitkeringen_2026-03-16.csv", CASE_HEADER + CASE + CASE.replace("U1", "U2"))
        office.fetch()
        assert office.rows()[0].height == 2


class TestClosedCases:
    def test_no_person_lands_and_no_case_can_be_joined(self, office):
        row = one(office, CLOSED, CLOSED_CASE.replace("T1", "U1"))
        case = one(office, CASES, CASE)
        assert "person_pseudonym" not in row
        assert row["case_pseudonym"] not in (case["case_pseudonym"], case["person_pseudonym"])
        assert (row["cause_code"], row["process_step_code"], row["channel_code"]) == ("income", "change_report", "letter")
        assert (row["amount_eur"], row["closed_on"], row["is_irrevocable"]) == (1250.5, date(2025, 7, 31), "true")

    @pytest.mark.parametrize(
        ("text", "amount"), [("1250.50", 1250.5), ("1.250,50", 1250.5), ("1.250", 1250.0), ("12.5", 12.5), ("", None)]
    )
    def test_amounts_are_read_in_either_notation(self, office, text, amount):
        row = one(office, CLOSED, CLOSED_CASE.replace("1250,50", text))
        assert (row["amount_eur"], row["_problems"]) == (amount, [])

    def test_an_amount_that_is_none_is_marked(self, office):
        assert one(office, CLOSED, CLOSED_CASE.replace("1250,50", "veel"))["_problems"] == ["amount_eur.type"]

    def test_only_irrevocable_cases_count_and_the_others_are_counted(self, office):
        office.put(
            "afgesloten_zaken_2025K3.csv", CLOSED_HEADER + CLOSED_CASE + CLOSED_CASE.replace("T1", "T2").replace(";ja", ";nee")
        )
        office.fetch(CLOSED)
        rows, notes = office.rows(CLOSED)
        assert (rows.height, notes["rows_read"], notes["rows_not_irrevocable"]) == (1, 2, 1)

    def test_a_case_counts_as_it_was_delivered_last(self, office):
        both = CLOSED_CASE + CLOSED_CASE.replace("T1", "T2")
        office.put("afgesloten_zaken_2025K3.csv", CLOSED_HEADER + both)
        office.put(
            "afgesloten_zaken_2025K4.csv", CLOSED_HEADER + CLOSED_CASE.replace(";ja", ";nee") + CLOSED_CASE.replace("T1", "T3")
        )
        office.fetch(CLOSED)
        rows, notes = office.rows(CLOSED)
        assert rows.height == 2
        assert notes == {"files": 2, "rows_read": 4, "rows_delivered_anew": 1, "rows_not_irrevocable": 1}

    def test_a_corrected_file_takes_the_place_of_the_one_before(self, office):
        office.put("afgesloten_zaken_2025K3.csv", CLOSED_HEADER + CLOSED_CASE + CLOSED_CASE.replace("T1", "T2"))
        office.fetch(CLOSED)
        office.put("afgesloten_zaken_2025K3.csv", CLOSED_HEADER + CLOSED_CASE.replace("post", "balie"))
        office.fetch(CLOSED)
        assert office.rows(CLOSED)[0]["channel_code"].to_list() == ["counter"]

    def test_a_case_that_does_not_say_whether_it_is_irrevocable_is_kept_out_by_the_contract(self, office):
        assert one(office, CLOSED, CLOSED_CASE.replace(";ja", ";bijna"))["is_irrevocable"] == "unreadable"


class TestSignals:
    def test_a_signal_is_read(self, office):
        row = one(office, SIGNALS, SIGNAL)
        assert row["_problems"] == []
        assert {k: v for k, v in row.items() if k.endswith(("_on", "_code")) or k == "is_reached"} == {
            "signalled_on": date(2026, 3, 2),
            "partner_code": "landlord",
            "neighbourhood_code": "BU00140003",
            "status_code": "closed",
            "picked_up_on": date(2026, 3, 9),
            "is_reached": "true",
            "result_code": "help_accepted",
        }

    def test_a_household_cannot_be_joined_to_a_benefit_case(self, office):
        assert one(office, SIGNALS, SIGNAL)["person_pseudonym"] != one(office, CASES, CASE)["person_pseudonym"]

    def test_signals_of_one_household_share_a_pseudonym(self, office):
        office.put(DELIVERIES[SIGNALS][0], SIGNAL_HEADER + SIGNAL + SIGNAL.replace("V1", "V2") + SIGNAL.replace(ANNA, BERT))
        office.fetch(SIGNALS)
        assert office.rows(SIGNALS)[0]["person_pseudonym"].n_unique() == 2

    def test_a_signal_picked_up_before_it_was_sent_is_marked(self, office):
        row = one(office, SIGNALS, SIGNAL.replace("2026-03-09", "2026-03-01"))
        assert row["_problems"] == ["picked_up_on.before_signalled_on"]


class TestCodes:
    @pytest.mark.parametrize(
        ("name", "codes"),
        [
            ("benefit", cases_contract.BENEFITS),
            ("inflow_reason", cases_contract.INFLOW_REASONS),
            ("outflow_reason", cases_contract.OUTFLOW_REASONS),
            ("cause", closed_contract.CAUSES),
            ("process_step", closed_contract.PROCESS_STEPS),
            ("channel", closed_contract.CHANNELS),
            ("partner", signals_contract.PARTNERS),
            ("signal_status", signals_contract.STATUSES),
            ("signal_result", signals_contract.RESULTS),
        ],
    )
    def test_the_list_holds_the_codes_of_the_contract(self, name, codes):
        listed = reference_table("welfare_codes").filter(list=name)
        assert {*listed["code"], "unlisted"} == set(codes)
        assert listed["delivered"].is_unique().all()

    @pytest.mark.parametrize("delivered", ["4", "16", "25", "26", "43"])
    def test_reasons_about_origin_detention_and_health_are_not_told_apart(self, delivered):
        row = reference_table("welfare_codes").filter(list="inflow_reason", delivered=delivered)
        assert row["code"].to_list() == ["other"]


class TestStatutorySignals:
    def test_become_rows_that_join_to_their_case_and_its_person(self, office):
        row, case = one(office, STATUTORY, STATUTORY_SIGNAL), one(office, CASES, CASE)
        assert (row["case_pseudonym"], row["person_pseudonym"]) == (case["case_pseudonym"], case["person_pseudonym"])
        assert (row["signal_type_code"], row["source_code"]) == ("income_started", "employee_insurance_agency")
        assert (row["fact_on"], row["received_on"]) == (date(2026, 2, 2), date(2026, 3, 2))
        assert (row["is_already_known"], row["status_code"], row["_problems"]) == ("false", "open", [])

    def test_about_detention_are_not_told_apart(self, office):
        row = one(office, STATUTORY, STATUTORY_SIGNAL.replace("Start inkomstenverhouding", "Detentie"))
        assert row["signal_type_code"] == "other"
        assert b"etentie" not in office.bytes_made()

    def test_that_came_before_their_fact_are_marked(self, office):
        row = one(office, STATUTORY, STATUTORY_SIGNAL.replace("2026-03-02", "2026-02-01"))
        assert row["_problems"] == ["received_on.before_fact_on"]

    def test_outcomes_join_to_the_signal_and_the_case_and_to_no_person(self, office):
        outcome, found = one(office, OUTCOMES, OUTCOME), one(office, STATUTORY, STATUTORY_SIGNAL)
        assert (outcome["signal_pseudonym"], outcome["case_pseudonym"]) == (found["signal_pseudonym"], found["case_pseudonym"])
        assert "person_pseudonym" not in outcome
        assert (outcome["rule_id"], outcome["rule_version"], outcome["outcome_code"]) == (
            "income_started",
            1,
            "fact_right_lawful",
        )
        assert (outcome["is_adverse"], outcome["is_heard"], outcome["_problems"]) == ("false", "true", [])

    @pytest.mark.parametrize(
        ("change", "problems"),
        [
            (("S1;", ";", "income_started;1", "random_sample;0"), []),
            (("income_started;1", "random_sample;0"), ["rule_version.of_sample"]),
            (("S1;", ";", "income_started;1", "random_sample;1"), ["rule_version.of_sample"]),
            (("income_started;1", "income_started;0"), ["rule_version.of_sample"]),
            (("income_started", "mw Jansen vindt dat"), ["rule_id.type"]),
            ((";1;", ";eerste;"), ["rule_version.type"]),
            (("2026-03-10", "10 maart"), ["checked_on.type"]),
        ],
    )
    def test_outcomes_name_a_rule_and_its_version_or_chance_and_none(self, office, change, problems):
        row = OUTCOME
        for old, new in zip(change[::2], change[1::2], strict=True):
            row = row.replace(old, new, 1)
        assert one(office, OUTCOMES, row)["_problems"] == problems
        assert b"Jansen" not in office.bytes_made()


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> tuple[Office, dict]:
    """The sample's extracts, fetched and gated."""
    office = Office(tmp_path_factory.mktemp("lake"))
    day = date(2026, 3, 15)
    city = facts.City(14, (day,), ZoneInfo("Europe/Amsterdam"), facts.neighbourhoods(), facts.sites())
    for path, data in welfare.payloads(city):
        office.put(path, data)
    results = {}
    for recipe in (benefit_cases.RECIPE, closed_cases.RECIPE, early_signals.RECIPE):
        # The map of neighbourhoods is not built here.
        suite = tuple(e for e in recipe.suite if e.name != "neighbourhoods_are_known")
        (feed,) = recipe.feeds
        office.fetch(feed.source)
        gate = Gate(Lakehouse(office.settings), "run")
        (results[recipe.facts.short_name],) = gate.refresh(replace(recipe, suite=suite, judged_with=()), office.landing).batches
    return office, results


class TestSampleExtracts:
    def test_are_published_and_reconciled(self, lake):
        _, results = lake
        counts = {name: (b.outcome, b.rows_in, b.accepted, b.quarantined, b.collapsed) for name, b in results.items()}
        assert counts == {
            "welfare_benefit_cases": ("published", 11_266, 11_234, 20, 12),
            "welfare_closed_cases": ("published", 4_823, 4_823, 0, 0),
            "welfare_early_signals": ("published", 15_721, 15_692, 17, 12),
        }

    def test_say_that_rows_without_a_valid_number_must_be_delivered_again(self, lake):
        _, results = lake
        for name in ("welfare_benefit_cases", "welfare_early_signals"):
            (failed,) = [c for c in results[name].checks if not c.passed]
            assert (failed.name, failed.severity) == ("numbers_are_valid", "warning")
            assert "must be delivered again" in failed.sentence
            assert results[name].notes["rows_left_out_before_landing_service_number"] == welfare.INVALID_NUMBERS

    def test_leave_no_number_of_a_person_anywhere(self, lake):
        office, _ = lake
        raw = {n for path in (office.files / "welfare").iterdir() for n in re.findall(rb";(9999[0-9]{5});", path.read_bytes())}
        made = office.bytes_made()
        assert len(raw) > 8_000
        assert raw.isdisjoint(re.findall(rb"(?<![0-9])[0-9]{9}(?![0-9])", made))
        assert numbers_in(made) == []

    def test_leave_no_number_in_the_tables_either(self, lake):
        office, _ = lake
        with Lakehouse(office.settings).reader() as con:
            tables = [f"core.{name}" for name in ("welfare_benefit_cases", "welfare_closed_cases", "welfare_early_signals")]
            texts = [
                str(con.execute(f"SELECT * FROM lake.{table}").fetchall())
                for table in (*tables, "quarantine.rows", "ops.batches")
            ]
        assert numbers_in("".join(texts).encode()) == []
