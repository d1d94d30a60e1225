"""The magic values of banks. Account suffixes and amounts are published in docs/simulators.md.

The payer bank looks at amounts (its own checks) and at the suffixes that make its report misbehave; the payee bank
looks at the suffixes that say what is wrong with the account.
"""

from typing import Final

from simulators.faults import RETURN_DAYS, Magic, Then, rejects

ACCOUNT_REASONS: Final = {
    "9901": "AC01",  # unknown account
    "9902": "AC02",
    "9903": "AC03",
    "9904": "AC04",  # closed account
    "9906": "AC06",  # blocked account
    "9907": "AG01",  # transaction forbidden on this account
    "9908": "BE01",  # name does not match the account
    "9909": "MD07",  # holder deceased
    "9910": "RR04",  # regulatory reason
    "9911": "AC14",
    "9912": "AM05",  # seen as a duplicate
    "9913": "NARR",
}
RETURNS: Final = {
    "9920": Then(return_after_days=RETURN_DAYS, reason="AC04"),
    "9921": Then(return_after_days=0, reason="MD07"),
    "9922": Then(return_after_days=30, reason="FOCR"),
}
REPORTS_BY_SUFFIX: Final = {
    "9940": Then(report="silent"),
    "9941": Then(report="late"),
    "9942": Then(report="twice"),
    "9943": Then(report="out-of-order"),
    "9944": Then(report="malformed"),
    "9945": Then(report="wrong-totals"),
    "9946": Then(report="parts"),
    "9947": Then(report="mute"),
    "9948": Then(report="pending"),
    "9949": Then(report="unknown-message"),
    "9950": Then(report="lost-answer"),
    "9951": Then(status="RJCT", reason="NARR", information="Refused as a whole on request.", whole_message=True),
    "9952": Then(status="RJCT", reason="DU01", information="Seen as a duplicate message.", whole_message=True),
}
AMOUNT_REASONS: Final = {
    999_902: "AM02",  # amount not allowed
    999_904: "AM04",  # insufficient funds for this payment
    999_905: "AM05",  # duplicate payment
    999_914: "AM14",  # above the agreed maximum
    999_921: "AM21",  # limit exceeded
}

PAYEE: Final = Magic(accounts={**rejects(ACCOUNT_REASONS), **RETURNS})
PAYER: Final = Magic(
    accounts=REPORTS_BY_SUFFIX,
    amounts={amount: Then(status="RJCT", reason=code) for amount, code in AMOUNT_REASONS.items()},
)
