"""Scheme files: what they say, what is taken over, and how a wrong one is refused."""

from decimal import Decimal

import pytest

from connector.domain.errors import Misconfigured, NotFound
from connector.iso20022.engine import Engine
from connector.iso20022.scheme import Envelope, Job, Scheme

FULL = """
name: Instant payments of Sandland
extends: generic
messages: {interbank: pacs.008.001.10}
envelope:
  root: {name: FPEnvelope, namespace: 'urn:sand'}
  header: head.001.001.03
  service: instant
characters:
  allowed: "[A-Za-z0-9 /?:().,'+-]"
  transliterate: latin
  otherwise: {replace: "."}
limits:
  currencies: [EUR, USD]
  amount: {minimum: '0.01', maximum: '999.99'}
  transactions: 1000
  lengths: {remittance: 140}
  required: [creditor_name]
timeouts: {answer_seconds: 20, inquiries: 5}
signature: {make: true, place: document}
"""
WRONG = {
    "no key of a scheme": ("limit: {}", "limit", "has no meaning"),
    "no job": ("messages: {payment: pain.001.001.09}", "messages/payment", "is no job"),
    "no message": ("messages: {initiation: pain.001.001.77}", "messages/initiation", "no schema"),
    "no base": ("extends: nowhere", "extends", "there is no scheme nowhere"),
    "itself as base": ("extends: sand", "extends", "extends itself"),
    "a header without an envelope": ("envelope: {header: head.001.001.03}", "envelope", "root element"),
    "no header": ("envelope: {root: {name: A}, header: pain.001.001.09}", "envelope/header", "no header"),
    "no name for the root": ("envelope: {root: {name: 'A B'}}", "envelope/root", "name of an XML element"),
    "no expression": ('characters: {allowed: "[A-"}', "characters/allowed", "regular expression"),
    "no set": ("characters: {allowed: A+}", "characters/allowed", "in brackets"),
    "two sets": ('characters: {allowed: "[A]|[B]"}', "characters/allowed", "in brackets"),
    "several at once": ('characters: {allowed: "[A]+[B]"}', "characters/allowed", "in brackets"),
    "no table": ('characters: {allowed: "[A-Z]", transliterate: klingon}', "characters/transliterate", "no trans"),
    "a replacement that is forbidden": (
        'characters: {allowed: "[A-Z]", otherwise: {replace: "?"}}',
        "characters/otherwise",
        "itself not allowed",
    ),
    "neither refuse nor replace": (
        'characters: {allowed: "[A-Z]", otherwise: drop}',
        "characters/otherwise",
        "is refuse, or replace",
    ),
    "no currency": ("limits: {currencies: [EURO]}", "limits/currencies", "no currency"),
    "no number": ("limits: {transactions: many}", "limits/transactions", "must be a number"),
    "nothing": ("limits: {transactions: 0}", "limits/transactions", "greater than zero"),
    "not a number": ("limits: {amount: {maximum: nan}}", "limits/amount/maximum", "must be a number"),
    "no field": ("limits: {required: [creditor_shoe]}", "limits/required", "no value has a field"),
    "no length": ("limits: {lengths: {shoe: 42}}", "limits/lengths/shoe", "no value has a field"),
    "neither true nor false": ("signature: {make: perhaps}", "signature/make", "true or false"),
    "no place": ("signature: {place: nowhere}", "signature/place", "header or document"),
    "a signature without a header": ("signature: {require: true}", "signature", "envelope with a header"),
    "a list": ("messages: [pain.001.001.09]", "messages", "mapping"),
}


@pytest.fixture
def engine_with(tmp_path, catalogue, repository):
    def make(**schemes: str) -> Engine:
        for name, text in schemes.items():
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "scheme.yaml").write_text(text, encoding="utf-8")
        return Engine(catalogue, repository / "mappings", tmp_path)

    return make


def test_a_scheme_has_exactly_the_facts_of_its_file(engine_with):
    scheme = engine_with(sand=FULL).scheme("sand")
    assert (scheme.name, scheme.title, scheme.extends) == ("sand", "Instant payments of Sandland", "generic")
    assert scheme.message(Job.INTERBANK) == "pacs.008.001.10"
    assert scheme.envelope == Envelope("FPEnvelope", "urn:sand", "head.001.001.03", "instant")
    assert scheme.characters is not None
    assert (scheme.characters.transliterate, scheme.characters.replacement) == ("latin", ".")
    assert (scheme.limits.minimum, scheme.limits.maximum) == (Decimal("0.01"), Decimal("999.99"))
    assert (scheme.transactions, dict(scheme.limits.lengths)) == (1000, {"remittance": 140})
    assert (scheme.answer_seconds, scheme.inquiries) == (20.0, 5)
    assert (scheme.signature.make, scheme.signature.require, scheme.signature.place) == (True, False, "document")


def test_what_a_scheme_does_not_say_is_that_of_the_one_it_extends(engine_with):
    engine = engine_with(sand=FULL, dune="extends: sand\nlimits: {transactions: 7}\n")
    dune = engine.scheme("dune")
    assert dune.title == ""
    assert dune.message(Job.INTERBANK) == "pacs.008.001.10"
    assert dune.envelope == engine.scheme("sand").envelope
    assert (dune.transactions, dune.limits.currencies) == (7, frozenset())
    assert engine.profiles()["dune"] == engine.profiles()["generic"]


def test_a_scheme_without_a_file_has_the_generic_messages(connector):
    assert connector.scheme("generic") == Scheme("generic")
    assert all(connector.scheme("generic").message(job) for job in Job)
    with pytest.raises(NotFound):
        connector.scheme("nowhere")


@pytest.mark.parametrize("name", WRONG)
def test_wrong_schemes_are_refused_with_line_path_and_reason(engine_with, name):
    text, path, reason = WRONG[name]
    with pytest.raises(Misconfigured, match=reason) as wrong:
        engine_with(sand=f"name: Sand\n{text}\n")
    assert wrong.value.file.endswith("sand/scheme.yaml")
    assert (wrong.value.line, wrong.value.path) == (2, path)
