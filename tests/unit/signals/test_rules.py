"""The compiler of signal rules: what it accepts, and each thing it refuses."""

import re
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groningen_data.contracts.base import columns_of
from groningen_data.contracts.welfare.statutory_signals import WelfareStatutorySignals
from groningen_data.errors import GroningenError, RuleError
from groningen_data.privacy.service_numbers import test_numbers as numbers_for_tests
from groningen_data.settings import load_settings
from groningen_data.signals.conditions import Field, fields_of, parsed
from groningen_data.signals.denied import denied_words, why_denied
from groningen_data.signals.rules import compiled, register, texts

RULE = {
    "id": "study_finance",
    "version": 1,
    "title_nl": "Studiefinanciering",
    "legal_basis": "Participatiewet art. 13",
    "source": "statutory_signals",
    "processing_activity": "urn:groningen:verwerking:samenloopsignalen",
    "purpose": "Vragen of een studie is doorgegeven",
    "allowed_fields": ["signal_type_code"],
    "valid_from": date(2025, 6, 1),
    "valid_to": date(2026, 5, 31),
    "owner": "Teammanager",
    "approved_by": "Functionaris gegevensbescherming",
    "approved_on": date(2025, 5, 1),
    "dpia": "DPIA 2025",
    "algorithm_register": "Register",
    "reason_nl": "Wij hoorden van DUO dat u studeert. Wij willen er graag met u over praten.",
    "condition": "signal_type_code = 'study_finance'",
}
FIELDS = fields_of(WelfareStatutorySignals)
USABLE = [name for name, field in FIELDS.items() if not field.names_a_person]


def toml(**changes) -> str:
    def told(value) -> str:
        if isinstance(value, list):
            return f"[{', '.join(map(told, value))}]"
        return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, int) else f"'''{value}'''"

    return "\n".join(f"{name} = {told(value)}" for name, value in (RULE | changes).items() if value is not None)


def refusal(**changes) -> str:
    with pytest.raises(RuleError) as caught:
        compiled(toml(**changes), "rule.toml")
    return caught.value.problem


def asked(condition: str) -> str:
    """Why a condition is refused when every usable field is allowed; empty when it is accepted."""
    return "; ".join(parsed(condition, USABLE, FIELDS)[1])


class TestARuleIsAccepted:
    def test_with_its_condition_in_one_spelling_and_the_fields_it_looks_at(self):
        found = compiled(toml(condition="signal_type_code='vehicle'"), "r")
        assert (found.condition.text, found.condition.fields) == ("signal_type_code = 'vehicle'", ("signal_type_code",))

    def test_in_the_sample_city_each_of_them(self):
        entries = register(load_settings(profile="sample"))
        assert [(entry.file, entry.problem) for entry in entries] == [
            ("income_started_1", None),
            ("study_finance_1", None),
            ("vehicle_1", None),
        ]

    def test_and_none_elsewhere_unless_a_folder_is_named(self, tmp_path):
        assert register(load_settings(profile="real", files=tmp_path)) == []
        (tmp_path / "a.toml").write_text(toml(), encoding="utf-8")
        named = load_settings(profile="real", files=tmp_path, signal_rules=tmp_path)
        assert [entry.problem for entry in register(named)] == [None]
        assert [name for name, _ in texts(named)] == ["a.toml"]

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            ("signal_type_code = 'vehicle'", [0, 1]),
            ("signal_type_code IN ('vehicle', 'assets') AND NOT is_already_known", [0, 2]),
            ("is_already_known IS NULL", [3]),
            ("is_already_known IS NOT NULL AND is_already_known <> TRUE", [0, 2]),
            ("date_diff('day', fact_on, received_on) <= 30", [0, 3]),
            ("date_diff('day', received_on, fact_on) > 0", []),
            ("fact_on BETWEEN DATE '2026-01-01' AND DATE '2026-01-31'", [0, 1]),
            ("(fact_on < DATE '2026-01-05' OR received_on >= DATE '2026-06-01') AND 'assets' <> signal_type_code", [1]),
        ],
    )
    def test_and_finds_the_signals_it_means(self, condition, expected):
        import ibis

        rows = pl.DataFrame(
            {
                "number": [0, 1, 2, 3],
                "signal_type_code": ["vehicle", "vehicle", "assets", "other"],
                "is_already_known": [False, True, False, None],
                "fact_on": [date(2026, 1, 10), date(2026, 1, 1), date(2026, 3, 1), date(2026, 3, 2)],
                "received_on": [date(2026, 2, 1), date(2026, 3, 1), date(2026, 6, 1), date(2026, 3, 4)],
            }
        )
        accepted, problems = parsed(condition, USABLE, FIELDS)
        assert problems == []
        signals = ibis.memtable(rows)
        assert sorted(signals.filter(accepted.holds(signals)).to_polars()["number"]) == expected


class TestARuleIsRefused:
    @pytest.mark.parametrize("name", sorted(RULE))
    def test_without_any_of_its_parts(self, name):
        assert f"has no {name}" in refusal(**{name: None})

    @pytest.mark.parametrize("name", sorted(name for name, value in RULE.items() if isinstance(value, str)))
    def test_with_a_blank_instead_of_a_part(self, name):
        assert f"has no {name}" in refusal(**{name: "  "})

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"legal_basis": "Participatiewet"}, "names no article"),
            ({"processing_activity": "ergens"}, "no URI"),
            ({"source": "early_signals"}, "another source"),
            ({"valid_to": date(2026, 6, 2)}, "more than twelve months"),
            ({"valid_to": date(2025, 5, 31)}, "ends before it begins"),
            ({"approved_on": date(2025, 6, 2)}, "after it came into force"),
            ({"reason_nl": " ".join(["woord"] * 21)}, "a sentence of 21 words"),
            ({"id": "random_sample"}, "has an id other than"),
            ({"id": "Rule 1"}, "has an id other than"),
            ({"version": 0}, "no number from 1 up"),
            ({"version": "one"}, "no number from 1 up"),
            ({"valid_from": "soon"}, "no date in valid_from"),
            ({"title_nl": 7}, "no text in title_nl"),
            ({"allowed_fields": "signal_type_code"}, "no list of names"),
            ({"score": 7}, "gives no score"),
            ({"weight": 7}, "gives no score"),
            ({"legalbasis": "x"}, "mind its spelling"),
            ({"allowed_fields": ["signal_type_code", "signal_type_code"]}, "a field twice"),
            ({"allowed_fields": ["signal_type_code", "source_code"]}, "without looking at it"),
            ({"allowed_fields": ["source_code"]}, "looks at signal_type_code, which is not among its allowed_fields"),
            ({"allowed_fields": ["signal_type_code", "amount_eur"]}, "'amount_eur', which the signals do not have"),
            (
                {"allowed_fields": ["signal_type_code", "case_pseudonym"]},
                "allows 'case_pseudonym', which is on the list of denied",
            ),
            ({"allowed_fields": ["signal_type_code", "postcode"]}, "on the list of proxies"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_when_its_papers_are_wrong(self, changes, problem):
        assert problem in refusal(**changes)

    @pytest.mark.parametrize(
        ("today", "problem"), [(date(2025, 5, 31), "is not in force before"), (date(2026, 6, 1), "expired on")]
    )
    def test_outside_its_time(self, today, problem):
        with pytest.raises(RuleError, match=problem):
            compiled(toml(), "r").require_in_force(today)

    @pytest.mark.parametrize("today", [date(2025, 6, 1), date(2026, 5, 31)])
    def test_but_not_on_its_first_and_last_day(self, today):
        compiled(toml(), "r").require_in_force(today)

    @pytest.mark.parametrize("place", ["purpose", "condition", "owner", "id"])
    def test_with_a_citizen_service_number_which_is_not_told(self, tmp_path, place):
        number = numbers_for_tests()[0]
        (tmp_path / f"{number}.toml").write_text(toml(**{place: number}), encoding="utf-8")
        [entry] = register(load_settings(profile="sample", signal_rules=tmp_path))
        assert "citizen service number" in str(entry.problem) and number not in f"{entry.file} {entry.problem}"

    def test_when_its_file_cannot_be_read(self, tmp_path):
        with pytest.raises(RuleError, match="not readable as TOML"):
            compiled("id = ", "r")
        (tmp_path / "a.toml").write_bytes(b"id = '\xff'")
        [entry] = register(load_settings(profile="sample", signal_rules=tmp_path))
        assert (entry.compiled, entry.problem) == (None, "is not UTF-8 text")

    def test_when_two_files_speak_of_it_at_the_same_time(self, tmp_path):
        for name, changes in {
            "a": {},
            "b": {"version": 2, "valid_from": date(2026, 5, 31), "valid_to": date(2026, 8, 1)},
            "c": {"version": 3, "valid_from": date(2026, 9, 1), "valid_to": date(2026, 10, 1)},
            "d": {"version": 3, "valid_from": date(2027, 9, 1), "valid_to": date(2027, 10, 1)},
            "e": {"id": "vehicle"},
        }.items():
            (tmp_path / f"{name}.toml").write_text(toml(**changes), encoding="utf-8")
        problems = {e.file: e.problem for e in register(load_settings(profile="sample", signal_rules=tmp_path))}
        assert "same time as b" in problems["a"] and "same time as a" in problems["b"]
        assert "id and version of d" in problems["c"] and "id and version of c" in problems["d"]
        assert problems["e"] is None

    def test_with_all_that_is_wrong_at_once_and_what_to_do(self):
        with pytest.raises(GroningenError, match=r"rule\.toml: names no article .*postcode.* → mend the rule"):
            compiled(toml(legal_basis="wet", condition="postcode = 9712"), "rule.toml")


class TestAConditionIsRefused:
    @pytest.mark.parametrize(
        ("condition", "problem"),
        [
            # denied and proxies, in English and Dutch
            ("nationality = 'x'", "denied fields"),
            ("birthplace = 'x'", "denied fields"),
            ("herkomst = 'x'", "denied fields"),
            ("language = 'x'", "denied fields"),
            ("geslacht = 'v'", "denied fields"),
            ("sex = 'f'", "denied fields"),
            ("age > 30", "denied fields"),
            ("leeftijd > 30", "denied fields"),
            ("gezondheid = 'x'", "denied fields"),
            ("postcode = '9712'", "proxies"),
            ("buurtcode = 'x'", "proxies"),
            ("neighbourhood_code = 'BU00140000'", "proxies"),
            ("wijk = 'x'", "proxies"),
            ("housing_type = 'caravan'", "proxies"),
            ("waste_reports > 1", "proxies"),
            ("kenteken IS NOT NULL", "proxies"),
            ("meldingen > 1", "proxies"),
            ("vroegsignalen > 1", "proxies"),
            # fields there are not, or that are of somebody
            ("amount_eur > 100", "which the signals do not have"),
            ("benefit_cases.benefit_code = 'x'", "field of another table"),
            ("case_pseudonym = 'abc'", "Names one person"),
            # scores
            ("date_diff('day', fact_on, received_on) * 2 > 10", "computes (MUL)"),
            ("date_diff('day', fact_on, received_on) + 3 > 10", "computes (ADD)"),
            ("CASE WHEN is_already_known THEN 1 ELSE 0 END > 0", "computes (CASE)"),
            ("if(is_already_known, 1, 0) > 0", "computes (IF)"),
            ("-date_diff('day', fact_on, received_on) < 0", "computes (NEG)"),
            ("coalesce(is_already_known, false)", "computes (COALESCE)"),
            ("sum(1) > 0", "computes (SUM)"),
            ("is_already_known::INTEGER > 0", "other than a date that is written out"),
            # ranking
            ("is_already_known ORDER BY fact_on", "ranks or picks"),
            ("is_already_known LIMIT 10", "ranks or picks"),
            ("is_already_known QUALIFY true", "ranks or picks"),
            ("row_number() OVER (ORDER BY fact_on) < 10", "ranks or picks"),
            ("rank() OVER (PARTITION BY source_code ORDER BY fact_on) = 1", "ranks or picks"),
            # sub-queries
            ("source_code IN (SELECT x FROM y)", "question within the question"),
            ("EXISTS (SELECT 1 FROM y)", "question within the question"),
            ("is_already_known UNION SELECT 1", "question within the question"),
            ("fact_on > (SELECT max(fact_on) FROM signals)", "question within the question"),
            ("source_code IN unnest(['municipality'])", "question within the question"),
            # functions and operators
            ("lower(source_code) = 'municipality'", "uses the function 'LOWER'"),
            ("random() < 0.1", "uses the function"),
            ("getenv('HOME') = 'x'", "uses the function 'getenv'"),
            ("md5(source_code) = 'x'", "uses the function"),
            ("source_code LIKE '%a'", "uses LIKE"),
            ("source_code ~ 'a'", "uses REGEXPLIKE"),
            ("current_date > fact_on", "uses the function"),
            ("date_diff('month', fact_on, received_on) < 3", "other than days"),
            ("date_diff('day', source_code, received_on) < 3", "no dates"),
            # what cannot be meant
            ("", "has no condition"),
            ("(((", "not readable as SQL"),
            ("is_already_known; DROP TABLE signals", "several statements"),
            ("is_already_known GROUP BY source_code", "more than a condition"),
            ("is_already_known, postcode", "more than a condition"),
            ("fact_on", "is a date, and not a yes or no"),
            ("1 = 1", "no fields of the signal"),
            ("status_code = 'opn'", "no code of status_code"),
            ("status_code IN ('open', 'x')", "no code of status_code"),
            ("status_code > 'open'", "have no order"),
            ("fact_on = '2026-01-01'", "compares a date with a text"),
            ("fact_on > DATE '2026-13-01'", "a date that is written out"),
            ("date_diff('day', fact_on, received_on) < 1.5", "whole number of days"),
            ("fact_on IS TRUE", "uses IS other than"),
            ("source_code AND is_already_known", "other than conditions"),
            # what looks at a fact and asks for everybody
            ("is_already_known OR TRUE", "TRUE or FALSE in the place of a condition"),
            ("is_already_known AND NOT (FALSE)", "TRUE or FALSE in the place of a condition"),
            ("TRUE", "TRUE or FALSE in the place of a condition"),
            ("is_already_known OR fact_on = fact_on", "a value with itself"),
            ("is_already_known OR (fact_on) = fact_on", "a value with itself"),
            ("is_already_known OR date_diff('day', DATE '2026-01-01', DATE '2026-01-02') = 1", "no fields of the signal"),
            # what only looks like a code, a number or a date
            ("signal_type_code = ('9712')", "no code of signal_type_code"),
            ("signal_type_code IN (('vehicle'), ('9712'))", "no code of signal_type_code"),
            ("date_diff('day', fact_on, received_on) < 123456", "whole number of days"),
            (f"date_diff('day', fact_on, received_on) < {'9' * 60}", "whole number of days"),
            ("date_diff('day', fact_on, received_on) < ²", "which the signals do not have"),
            ("fact_on > DATE '2026-W01-1'", "a date that is written out"),
            ("fact_on > DATE '20260101'", "a date that is written out"),
            # what parsers read in their own way, or stumble over
            ("is_already_known |> LIMIT 1", "not readable as SQL"),
            ("COLUMNS('post.*') = 'x'", "uses the function"),
            ("роstсоdе = 'x'", "which the signals do not have"),
            ("pos\u200btcode = 'x'", "proxies"),
            ("signals.is_already_known", "field of another table"),
            ("is_already_known.postcode", "proxies"),
            ("is_already_known USING SAMPLE 10", "more than a condition"),
            ("is_already_known = ANY (TRUE)", "question within the question"),
            ("(signal_type_code, source_code) = ('vehicle', 'other')", "uses TUPLE"),
            ("signal_type_code = 'veh' || 'icle'", "computes (DPIPE)"),
            (f"is_already_known{' OR is_already_known' * 100}", "more than 1,000 characters"),
            (f"{'NOT (' * 160}is_already_known{')' * 160}", "not readable as SQL"),
        ],
        ids=lambda value: str(value)[:45],
    )
    def test_when_it_asks_what_it_may_not(self, condition, problem):
        assert problem in asked(condition)

    def test_a_comment_is_no_part_of_it(self):
        assert parsed("is_already_known -- postcode = 1", USABLE, FIELDS)[0].text == "is_already_known"


class TestDeniedFields:
    def test_every_word_of_the_list_says_how_it_counts_and_why(self):
        assert {(match, kind) for _, match, kind, _ in denied_words()} <= {
            (match, kind) for match in ("part", "word") for kind in ("denied", "proxy")
        }
        assert [word for word, _, _, why in denied_words() if not why or not re.fullmatch("[a-z]+", word)] == []

    def test_no_usable_field_of_the_signals_is_on_the_list(self):
        assert [name for name in USABLE if why_denied(name)] == []

    @pytest.mark.parametrize(
        "name",
        [
            "Post-Code",
            "post code",
            "postCode",
            "POSTCODE4",
            "p_o_s_t_c_o_d_e",
            "ｗｉｊｋ",
            "Nationalitéit",
            "person_age",
            "woonplaats",
            "residence_municipality",
            "straatnaam",
            "huishoudgrootte",
            "aantal_kinderen",
            "land",
            "lat",
            "fraud_probability",
            "gewicht",
            "prioriteit",
            "personAge",
            "AGE_2",
        ],
    )
    def test_other_spellings_count(self, name):
        assert why_denied(name)

    def test_fields_of_other_tables_about_places_and_people_are_denied(self):
        from groningen_data.contracts import all_contracts

        found = {
            c for contract in all_contracts().values() for c in columns_of(contract) if "neighbourhood" in c or "container" in c
        }
        assert found and [name for name in found if not why_denied(name)] == []


SPELLINGS = st.sampled_from(
    [
        str,
        str.upper,
        str.title,
        lambda w: f"persoon_{w}",
        lambda w: f"{w}_code",
        lambda w: f"{w}2",
        lambda w: "_".join(w),
        lambda w: f"{w}s",
    ]
)
PLACES = st.sampled_from(
    [
        "{field} = 'x'",
        "is_already_known AND {field} > 3",
        "NOT ({field} IS NULL)",
        "is_already_known OR date_diff('day', fact_on, {field}) > 3",
        "source_code = {field}",
        "signals.{field} = 1",
        "lower({field}) = 'x'",
        "CASE WHEN {field} THEN 1 ELSE 2 END = 1",
        "fact_on IN (SELECT {field} FROM core.welfare_benefit_cases)",
        "is_already_known ORDER BY {field}",
        "{field} IN ('a', 'b') AND is_already_known",
        "is_already_known = ({field} BETWEEN 1 AND 2)",
        "row_number() OVER (PARTITION BY {field}) = 1",
    ]
)


@settings(max_examples=300, deadline=None)
@given(entry=st.sampled_from(denied_words()), spelt=SPELLINGS, place=PLACES, is_quoted=st.booleans())
def test_no_denied_field_gets_in_even_when_the_signals_had_it_and_the_rule_allowed_it(entry, spelt, place, is_quoted):
    word, match, _, _ = entry
    name = spelt(word)
    if match == "word" and why_denied(name) is None:
        # Short words count as whole words only: `sex` is one, in `sexs` it is none.
        return
    known = FIELDS | {name: Field("text", ("a", "b", "x"), False), name.lower(): Field("number", None, False)}
    written = f'"{name}"' if is_quoted else name
    with pytest.raises(RuleError):
        compiled(toml(condition=place.format(field=written), allowed_fields=[*USABLE, name]), "r", known)
    condition, problems = parsed(place.format(field=written), [*USABLE, name], known)
    assert condition is None and problems


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abcdefiklnorstuwy_='()<>0123456789 ,;*+-/\"ANDORTSELCFM", max_size=60))
def test_whatever_is_written_is_refused_with_a_reason_or_looks_at_usable_fields_only(text):
    condition, problems = parsed(text, USABLE, FIELDS)
    assert bool(problems) == (condition is None)
    assert condition is None or set(condition.fields) <= set(USABLE)
