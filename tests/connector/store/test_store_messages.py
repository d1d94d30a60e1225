"""Retail messages: ids are used once, reversals may come first, and only one decision is made."""

import pytest

from connector.domain.retail import RetailKind
from connector.store import Store
from connector.store.vouchers.messages import Claim, Message, MessageDecision, MessageId, MessageOutcome, Verdict

pytestmark = pytest.mark.cluster

ID = MessageId("till", "0000aaaa-0000-0000-0000-000000000001")
ASKED = Message(ID, RetailKind.REDEMPTION, 5.0, serial=10**15, draft="what was asked")
ANSWERED = Message(ID, RetailKind.REDEMPTION, 5.0, serial=10**15, redemption="1-1", approved_minor=300)
CONFIRMED, REVERSED = MessageDecision.CONFIRMED, MessageDecision.REVERSED


async def decide(store: Store, decision: MessageDecision, advice: str, final: int | None = None):
    return await store.messages.decide(ID, RetailKind.REDEMPTION, decision, advice, final)


async def answered(store: Store) -> None:
    await store.messages.claim(ASKED, "t1")
    await store.messages.keep(ANSWERED, MessageOutcome.APPROVED, "the answer")


async def test_an_id_is_claimed_once_and_its_own_repetition_is_no_duplicate(store: Store) -> None:
    assert await store.messages.claim(ASKED, "t1") == (Claim.NEW, "")
    assert await store.messages.claim(ASKED, "t1") == (Claim.NEW, "")
    assert await store.messages.claim(ASKED, "t2") == (Claim.SEEN, "")
    in_capitals = Message(MessageId("till", ID.id.upper()), RetailKind.REFUND, 5.0)
    assert await store.messages.claim(in_capitals, "t3") == (Claim.SEEN, "")


async def test_two_clients_may_use_the_same_id(store: Store) -> None:
    await store.messages.claim(ASKED, "t1")
    other = Message(MessageId("other", ID.id), RetailKind.PROVISION, 5.0)
    assert await store.messages.claim(other, "t2") == (Claim.NEW, "")
    assert await store.messages.is_somebody_elses(ID.id)
    assert not await store.messages.is_somebody_elses(ID.id.replace("a", "b"))


async def test_what_was_asked_and_answered_is_kept_sealed_and_the_first_answer_stays(store: Store) -> None:
    await store.messages.claim(ASKED, "t1")
    assert await store.messages.find(ID) == ASKED
    assert await store.messages.keep(ANSWERED, MessageOutcome.APPROVED, "the answer") == (None, "")
    await store.messages.keep(ASKED, MessageOutcome.REFUSED, "another")
    found = await store.messages.find(ID)
    assert (found.answer, found.draft, found.outcome) == ("the answer", "", MessageOutcome.APPROVED)
    assert (found.redemption, found.approved_minor) == ("1-1", 300)
    for key in await store.link.ask("KEYS", "*:message:*:*"):
        assert b"the answer" not in b"".join(await store.link.ask("HVALS", key))


async def test_a_reversal_before_its_request_is_remembered(store: Store) -> None:
    assert await decide(store, REVERSED, "A1") == (Verdict.UNKNOWN, "")
    assert await decide(store, REVERSED, "A2") == (Verdict.UNKNOWN, "")
    assert await decide(store, CONFIRMED, "A3") == (Verdict.REVERSED, "A1")
    assert await store.messages.find(ID) is None
    assert await store.messages.claim(ASKED, "t1") == (Claim.EARLY, "A1")


async def test_an_early_reversal_concerns_its_own_kind_only(store: Store) -> None:
    await store.messages.decide(ID, RetailKind.REFUND, REVERSED, "A1", None)
    assert await store.messages.claim(ASKED, "t1") == (Claim.NEW, "")
    assert await store.messages.decide(ID, RetailKind.REFUND, REVERSED, "A1", None) == (Verdict.UNKNOWN, "")


async def test_the_first_decision_stays_and_its_advice_may_be_repeated(store: Store) -> None:
    await answered(store)
    assert await decide(store, CONFIRMED, "A1") == (Verdict.DONE, "A1")
    assert await decide(store, CONFIRMED, "A1") == (Verdict.DONE, "A1")
    assert await decide(store, CONFIRMED, "A2") == (Verdict.CONFIRMED, "A1")
    assert await decide(store, REVERSED, "A3") == (Verdict.CONFIRMED, "A1")
    assert await decide(store, REVERSED, "A1") == (Verdict.CONFIRMED, "A1")


async def test_a_request_without_an_answer_can_be_reversed_but_not_confirmed(store: Store) -> None:
    await store.messages.claim(ASKED, "t1")
    assert await decide(store, CONFIRMED, "A1") == (Verdict.UNANSWERED, "")
    assert await decide(store, REVERSED, "A2", 100) == (Verdict.UNANSWERED, "")
    assert await decide(store, REVERSED, "A3") == (Verdict.DONE, "A3")
    assert await store.messages.keep(ANSWERED, MessageOutcome.APPROVED, "late") == (REVERSED, "A3")
    assert (await store.messages.find(ID)).outcome is None
    await store.messages.keep(ASKED, MessageOutcome.REFUSED, "reversed")
    assert (await store.messages.find(ID)).answer == "reversed"
    assert await decide(store, REVERSED, "A3") == (Verdict.DONE, "A3")


async def test_what_was_refused_is_neither_confirmed_nor_reversed(store: Store) -> None:
    await store.messages.claim(ASKED, "t1")
    await store.messages.keep(ASKED, MessageOutcome.REFUSED, "no")
    assert await decide(store, CONFIRMED, "A1") == (Verdict.REFUSED, "")
    assert await decide(store, REVERSED, "A1") == (Verdict.REFUSED, "")


async def test_what_stands_after_an_advice_is_never_more_than_was_approved(store: Store) -> None:
    await answered(store)
    assert await decide(store, CONFIRMED, "A1", 301) == (Verdict.BEYOND, "")
    assert await decide(store, REVERSED, "A2", 301) == (Verdict.BEYOND, "")
    assert await decide(store, REVERSED, "A3", 150) == (Verdict.DONE, "A3")
    assert (await store.messages.find(ID)).approved_minor == 150
    assert await decide(store, CONFIRMED, "A4") == (Verdict.REVERSED, "A3")


async def test_what_cannot_be_reversed_says_so_and_can_still_be_confirmed(store: Store) -> None:
    await store.messages.claim(Message(ID, RetailKind.REDEMPTION, 5.0, reversible=False), "t1")
    assert await decide(store, REVERSED, "A1") == (Verdict.FORBIDDEN, "")
    await store.messages.keep(ANSWERED, MessageOutcome.APPROVED, "the answer")
    assert await decide(store, REVERSED, "A1") == (Verdict.FORBIDDEN, "")
    assert await decide(store, CONFIRMED, "A2") == (Verdict.DONE, "A2")


async def test_a_redemption_has_one_open_refund(store: Store) -> None:
    hold, drop = store.messages.hold_refund, store.messages.drop_refund
    assert await hold("1-1", 10**15, "R1") is True
    assert await hold("1-1", 10**15, "R1") is True
    assert await hold("1-1", 10**15, "R2") is False
    await drop("1-1", 10**15, "R2", for_good=True)
    assert await hold("1-1", 10**15, "R1") is True
    await drop("1-1", 10**15, "R1", for_good=False)
    assert await hold("1-1", 10**15, "R2") is None
    assert await hold("1-1", 10**15, "R3") is True
