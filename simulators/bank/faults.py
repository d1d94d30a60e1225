"""The magic values of banks. Account suffixes and amounts are published in docs/simulators.md.

The payer bank looks at amounts (its own checks) and at the suffixes that make its report misbehave; the payee bank
looks at the suffixes that say what is wrong with the account.
"""

from typing import Final

from simulators.faults import LATE_SECONDS, RETURN_DAYS, SECONDS_A_DAY, Magic, Then, rejects

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
RECALLS_BY_SUFFIX: Final = {
    "9925": Then(recall="refuse", reason="CUST"),  # the payee does not agree
    "9926": Then(recall="refuse", reason="LEGL"),
    "9927": Then(recall="pending", delay_seconds=SECONDS_A_DAY),
    "9928": Then(recall="pending-refuse", reason="NOAS", delay_seconds=SECONDS_A_DAY),
    "9929": Then(recall="silent"),
}
SILENCE: Final = {
    "9930": Then(report="silent"),  # answers when asked
    "9931": Then(report="mute"),  # never answers
    "9932": Then(report="mute"),  # never answers, and the payer's side gives up
}
REQUESTS_BY_SUFFIX: Final = {
    "9961": Then(request="refuse", reason="DS02"),
    "9962": Then(request="pending", delay_seconds=LATE_SECONDS),
    "9963": Then(request="ignore"),  # until it expires
}
STATEMENTS_BY_SUFFIX: Final = {
    "9955": Then(statement="missing"),
    "9956": Then(statement="differing"),
    "9957": Then(statement="unexpected"),
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

PAYEE: Final = Magic(
    accounts={**rejects(ACCOUNT_REASONS), **RETURNS, **RECALLS_BY_SUFFIX, **SILENCE, **STATEMENTS_BY_SUFFIX}
)
DEBTOR: Final = Magic(accounts=REQUESTS_BY_SUFFIX)
"""Of requests to pay, by the account that is to pay."""

PAYER: Final = Magic(
    accounts={
        **REPORTS_BY_SUFFIX,
        **STATEMENTS_BY_SUFFIX,
        "9932": Then(time_out="AB05"),
        "9953": Then(report="lost"),
        "9954": Then(notify=True),
    },
    amounts={amount: Then(status="RJCT", reason=code) for amount, code in AMOUNT_REASONS.items()},
)
