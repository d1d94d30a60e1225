"""Step 4a: from a chunk to the value of its message. Pure; the same chunk gives the same ids every time."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import repeat

from connector.channels import AuthorisationRequest
from connector.domain.batch import Batch, BatchKind
from connector.domain.chunk import Chunk
from connector.domain.ids import ChunkId, MessageKind, message_id
from connector.domain.instruction import Credit
from connector.domain.messages import AccountToVerify, CreditTransfer, Transfer, VerificationRequest
from connector.flows.routing import Way


def chunk_message_id(kind: BatchKind, chunk: ChunkId) -> str:
    """Name the message under which a chunk of such a batch goes out."""
    return message_id(MessageKind.TRANSFER if kind is BatchKind.DISBURSEMENT else MessageKind.VERIFICATION, chunk)


def transaction_id(chunk: ChunkId, credit: Credit) -> str:
    """Name a credit uniquely among all that IsoGate ever sends (pacs.008 TxId)."""
    return f"{chunk.batch}{credit.position}"


def outgoing(
    batch: Batch, chunk: Chunk, way: Way, now: float, *, traced: bool = False
) -> CreditTransfer | VerificationRequest:
    """Compose what goes out for a chunk; traced: each payment has a UETR also on its way to a payer bank."""
    if batch.kind is BatchKind.PREVALIDATION:
        return _verification(batch, chunk, way, now)
    return _transfer(batch, chunk, way, now, _transfers(chunk, numbered=way.switched, traced=traced or way.switched))


def authorisation(batch: Batch, number: int, way: Way) -> AuthorisationRequest:
    """Compose the question whether the batch's ``number``-th currency may be paid."""
    currency = sorted(batch.expected)[number]
    return AuthorisationRequest(batch.ref, number, way.programme.account, currency, batch.expected[currency].minor)


def _transfer(batch: Batch, chunk: Chunk, way: Way, now: float, transfers: Sequence[Transfer]) -> CreditTransfer:
    programme, created = way.programme, datetime.fromtimestamp(int(now), UTC)
    name = chunk_message_id(batch.kind, chunk.id)
    return CreditTransfer(
        message_id=name,
        created=created,
        currency=chunk.currency,
        total_minor=chunk.total_minor,
        initiating_party=programme.account_name,
        debtor_name=programme.account_name,
        debtor_account=programme.account,
        debtor_agent=programme.debtor_agent,
        execution_date=max(created, datetime.fromtimestamp(batch.execute_at, UTC)).date(),
        transfers=transfers,
        payment_information_id=name,
        modality=chunk.modality,
        creditor_agent=chunk.institution,
        instructing_agent=programme.debtor_agent if way.switched else "",
        instructed_agent=chunk.institution if way.switched else "",
        debtor_town=programme.town,
        debtor_country=programme.country,
    )


def _transfers(chunk: Chunk, *, numbered: bool, traced: bool) -> list[Transfer]:
    """The chunk's credits as transactions, made a column at a time.

    numbered: with a transaction id, as between banks; traced: with a UETR; both are derived.
    """
    if not chunk.credits:
        return []
    _, _, ids, payees, amounts, addresses, names, narrations, _ = zip(*chunk.credits, strict=True)
    numbers = [transaction_id(chunk.id, credit) for credit in chunk.credits] if numbered or traced else []
    nothing = repeat("")
    columns = (
        ids,
        ids,
        numbers if numbered else nothing,
        amounts,
        repeat(chunk.institution),
        names if all(names) else [name or payee for name, payee in zip(names, payees, strict=True)],
        addresses,
        narrations,
        nothing,  # purpose
        list(map(_uetr, numbers)) if traced else nothing,
        nothing,  # town
        nothing,  # country
    )
    return list(map(Transfer._make, zip(*columns, strict=False)))


def _uetr(name: str) -> str:
    """Derive a UETR (a version 4 UUID by its form) from a transaction id."""
    text = hashlib.sha256(name.encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"


def _verification(batch: Batch, chunk: Chunk, way: Way, now: float) -> VerificationRequest:
    return VerificationRequest(
        message_id=chunk_message_id(batch.kind, chunk.id),
        created=datetime.fromtimestamp(int(now), UTC),
        initiating_party=way.programme.account_name,
        agent=chunk.institution,
        accounts=[
            AccountToVerify(credit.end_to_end_id, credit.address, credit.name, chunk.institution)
            for credit in chunk.credits
        ],
        modality=chunk.modality,
    )
