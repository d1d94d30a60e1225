"""A message that only its receiver judges is written as it is, and otherwise like any other."""

from dataclasses import replace

import pytest

from connector.domain.errors import Refused
from connector.domain.messages import CreditTransfer
from connector.iso20022.engine import Engine

MESSAGE = "pain.001.001.09"


def test_valid_message_is_the_same_either_way(connector: Engine, transfer: CreditTransfer) -> None:
    unseen = connector.compose("generic", MESSAGE, transfer, validated=False)
    assert unseen == connector.compose("generic", MESSAGE, transfer)


def test_what_the_sender_does_not_validate_the_receiver_refuses(
    connector: Engine, bank: Engine, transfer: CreditTransfer
) -> None:
    wrong = replace(transfer, payment_information_id="X" * 36)
    with pytest.raises(Refused):
        connector.compose("generic", MESSAGE, wrong)
    body = connector.compose("generic", MESSAGE, wrong, validated=False).body
    with pytest.raises(Refused):
        bank.read(body)
