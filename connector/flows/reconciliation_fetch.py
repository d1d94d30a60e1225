"""Asking the institution that holds an account for its statements, a day at a time."""

from datetime import UTC, date, datetime, timedelta

from connector.channels import StatementRequest, Told
from connector.channels.answer import Accepted, NotKnown, Silent
from connector.domain.directory import Institution
from connector.domain.errors import Refused
from connector.domain.messages import Statement
from connector.flows import reconciliation_intake
from connector.flows.reconciliation_accounts import Account, account_of
from connector.flows.services import Services
from connector.store.reconciliations import Reconciliation


async def fetch(services: Services, asked: Reconciliation, number: int) -> str:
    """Fetch and keep the statements that the ``number``-th day needs beyond the days before it.

    Gives a sentence on what came of it.

    Whole days by camt.053, and today so far by camt.052. What is not to be had is no failure: statements may be
    pushed as well, and the reconciliation says which ones it rests on.
    """
    directory = await services.store.directory.load()
    place = directory.institutions.get(asked.institution)
    if place is None or not place.url:
        return f"{asked.institution} is not connected; statements are only taken when it sends them."
    account = account_of(directory, asked.programme)
    given, new = 0, 0
    for request in _requests(asked, number, account, today(services)):
        match await services.channels.statement(place, request):
            case Told(statement):
                given += 1
                new += await _taken(services, place, statement)
            case Accepted():
                continue
            case NotKnown():
                return f"{asked.institution} does not give statements when asked."
            case Silent(sentence):
                return f"Not all statements could be fetched: {sentence}"
    return f"Statements fetched from {asked.institution}: {given}, of which new: {new}."


def today(services: Services) -> date:
    """The day (UTC) that it is."""
    return datetime.fromtimestamp(services.clock(), UTC).date()


def _requests(asked: Reconciliation, number: int, account: Account, today: date) -> list[StatementRequest]:
    tolerance = timedelta(days=asked.tolerance_days)
    last = min(asked.days[number] + tolerance, today)
    first = asked.first - tolerance if number == 0 else asked.days[number] + tolerance
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    wanted = [("camt.053", day) for day in days] + [("camt.052", day) for day in days if day == today]
    return [StatementRequest(account.number, kind, day, day) for kind, day in wanted]


async def _taken(services: Services, place: Institution, statement: Statement) -> bool:
    try:
        return await reconciliation_intake.take(services, place.code, statement)
    except Refused:  # about another account than the one that was asked for
        return False
