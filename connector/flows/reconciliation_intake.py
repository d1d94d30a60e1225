"""Statements, reports of the day and notifications: taken apart and kept, whoever brought them."""

import asyncio

from connector.domain.booking import facts_of, lines_of
from connector.domain.errors import Refused
from connector.domain.messages import AccountStatement, Statement
from connector.flows.reconciliation_accounts import accounts, plain
from connector.flows.services import Services


async def take(services: Services, institution: str, statement: Statement) -> bool:
    """Keep what a camt.052, camt.053 or camt.054 says of programmes' accounts; tells whether any of it is new.

    Other accounts in it are passed over. Raises ``Refused`` where none is a programme's account at this institution.
    """
    directory = await services.store.directory.load()
    known = {one.number for one in accounts(directory) if one.institution == institution}
    meant = [one for one in statement.statements if plain(one.account) in known]
    if not meant:
        sentence = "No programme pays from an account at this institution that the message is about."
        raise Refused.because("Acct/Id", "unknown_account", sentence)
    news = [await _keep(services, institution, statement.message, one) for one in meant]
    return any(news)


async def _keep(services: Services, institution: str, message: str, statement: AccountStatement) -> bool:
    lines = await asyncio.to_thread(lambda: list(lines_of(statement)))
    facts = facts_of(message, statement, lines)
    return await services.store.statements.put(institution, plain(statement.account), facts, lines)
