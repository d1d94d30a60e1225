"""Amounts keep every digit on the way in and out."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from connector.api import models_v1, models_v3
from connector.api.json_body import parse
from connector.api.shapes import json_answer
from connector.domain.money import amount_text, decimal_amount, exponent

CURRENCIES = st.sampled_from(["USD", "JPY", "KWD", "CLF", "EUR"])
MINOR = st.integers(min_value=1, max_value=10**18 - 1)
V1 = TypeAdapter(models_v1.BulkPaymentV1)
V3 = TypeAdapter(models_v3.BatchV3)


def v1_body(text, currency):
    return (
        '{"RequestID":"REQ000000002","SourceBBID":"MINISTRY0001","BatchID":"BATCH0000001","CreditInstructions":'
        '[{"InstructionID":"INSTR00000000001","PayeeFunctionalID":"PERSON00000000000001",'
        f'"Amount":{text},"Currency":"{currency}"}}]}}'
    ).encode()


def v3_body(text, currency):
    return (
        '[{"requestId":"T1","creditParty":[{"key":"functionalId","value":"P"}],"paymentMode":"m",'
        f'"amount":{text},"currency":"{currency}"}}]'
    ).encode()


@given(MINOR, CURRENCIES, st.integers(min_value=0, max_value=3))
def test_no_digit_is_lost_on_the_way_in(minor, currency, zeros):
    text = amount_text(minor, exponent(currency))
    if "." in text:
        text += "0" * zeros
    assert parse(v1_body(text, currency), V1, models_v1.order).accepted().instructions[0].amount_minor == minor
    for written in (text, f'"{text}"'):
        assert parse(v3_body(written, currency), V3, models_v3.instructions).accepted()[0].amount_minor == minor


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_amounts(text):
    written = msgspec.json.encode(text).decode()
    parse(v3_body(written, "USD"), V3, models_v3.instructions)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading_of_bodies(body):
    parse(body, V1, models_v1.order)


@given(MINOR, CURRENCIES)
def test_no_digit_is_lost_on_the_way_out(minor, currency):
    answer = json_answer({"amount": decimal_amount(minor, currency)})
    read = msgspec.json.Decoder(float_hook=Decimal).decode(answer.body)
    assert Decimal(read["amount"]) == decimal_amount(minor, currency)


@pytest.mark.parametrize("text", ["1e2", "1E+2", "100", "100.00", "1.0e2"])
def test_every_way_to_write_a_number_is_the_same_amount(text):
    assert parse(v1_body(text, "USD"), V1, models_v1.order).accepted().instructions[0].amount_minor == 10000
