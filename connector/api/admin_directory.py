"""Administration of who takes part: programmes and their money, institutions, Source BBs; and of callbacks."""

import re
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, TypeAdapter

from connector.api import models_admin as models
from connector.api.admin import GROUP, OPERATORS, REFUSED, UNKNOWN
from connector.api.operation import Answer, Body, Call, Handler, Operation, Parameter
from connector.api.shapes import json_answer, plain
from connector.domain.directory import Directory, Institution, Programme, SourceBB
from connector.domain.errors import Misconfigured, NotFound, Refused
from connector.domain.money import is_currency
from connector.flows.vouchers import secrecy
from connector.flows.vouchers.exchange_keys import KeyHolder
from connector.iso20022.engine import Engine

_ID: Final = Parameter("id", "path", "Its id.", required=True, max_length=36)
_INSTITUTION_EXAMPLE: Final = {
    "name": "Union Bank",
    "kind": "bank",
    "addresses": [r"10\d{8,12}"],
    "url": "http://localhost:3334/UNIOXU22",
}
_PROGRAMME_EXAMPLE: Final = {
    "name": "Old age pensions",
    "payer_bank": "TREAXU22",
    "debtor_agent": "TREAXU22",
    "account": "9000000001",
    "account_name": "Ministry of Pensions",
    "budgets": {"USD": 100000000},
}


async def list_programmes(call: Call) -> web.Response:
    """List the programmes."""
    directory = await _directory(call)
    return json_answer({"items": [_programme(each) for each in directory.programmes.values()]})


async def save_programme(call: Call) -> web.Response:
    """Add or replace a programme."""
    said: models.ProgrammeBody = call.body
    directory = await _directory(call)
    if said.payer_bank not in directory.institutions:
        raise Refused.because("/payer_bank", "unknown", "There is no such institution.")
    if said.voucher_group and said.voucher_group not in directory.groups:
        raise Refused.because("/voucher_group", "unknown", "There is no such voucher group.")
    _check_currencies("/budgets", said.budgets)
    fields = {name: getattr(said, name) for name in type(said).model_fields}
    programme = Programme(id=call.parameters["id"], **{**fields, "sources": tuple(said.sources)})
    await call.services.store.directory.save_programme(programme)
    return json_answer(_programme(programme))


async def read_funds(call: Call) -> web.Response:
    """Show a programme's money."""
    programme = await _known_programme(call)
    balances = await call.services.store.funds.balances(programme)
    return json_answer({currency: asdict(balance) for currency, balance in balances.items()})


async def deposit(call: Call) -> web.Response:
    """Add to a programme's budget, once a reference."""
    said: models.Deposit = call.body
    programme = await _known_programme(call)
    _check_currencies("/currency", (said.currency,))
    await call.services.store.funds.deposit(programme, said.currency, said.amount_minor, said.reference)
    return await read_funds(call)


async def list_institutions(call: Call) -> web.Response:
    """List the institutions."""
    directory = await _directory(call)
    return json_answer({"items": [asdict(each) for each in directory.institutions.values()]})


async def save_institution(call: Call) -> web.Response:
    """Add or replace an institution."""
    said: models.InstitutionBody = call.body
    for index, pattern in enumerate(said.addresses):
        _check_pattern(f"/addresses/{index}", pattern)
    if said.url:
        _check_scheme(call.services.engine, said.profile)
    fields = {name: getattr(said, name) for name in type(said).model_fields}
    institution = Institution(code=call.parameters["id"], **{**fields, "addresses": tuple(said.addresses)})
    await call.services.store.directory.save_institution(institution)
    return json_answer(asdict(institution))


def _check_scheme(engine: Engine, name: str) -> None:
    """Refuse a scheme in which nothing could be exchanged."""
    try:
        engine.ready(name)
    except NotFound:
        raise Refused.because("/profile", "unknown", "There is no such scheme.") from None
    except Misconfigured as error:
        raise Refused.because("/profile", "signing", f"{error}.") from None


async def list_sources(call: Call) -> web.Response:
    """List the Source BBs."""
    directory = await _directory(call)
    return json_answer({"items": [_source(each) for each in directory.sources.values()]})


async def save_source(call: Call) -> web.Response:
    """Add or replace a Source BB; its keys stay unless others are given, and are never shown."""
    said: models.SourceKeysBody = call.body
    directory, identifier = await _directory(call), call.parameters["id"]
    if said.programme and said.programme not in directory.programmes:
        raise Refused.because("/programme", "unknown", "There is no such programme.")
    known = directory.sources.get(identifier, SourceBB(identifier, ""))
    source = replace(known, **said.model_dump(exclude_none=True))
    _check_keys(source)
    await call.services.store.directory.save_source(source)
    return json_answer(_source(source))


def _check_keys(source: SourceBB) -> None:
    """Refuse keys that could not be used."""
    if source.voucher_key:
        secrecy.check_key(source.voucher_key)
    if source.public_key and KeyHolder.of_text(source.public_key).any_private:
        raise Refused.because("/public_key", "private_key", "This is a private key; register its public part.")


def _source(source: SourceBB) -> dict[str, Any]:
    """Show a Source BB, and of its keys only which they are."""
    shown = {name: value for name, value in asdict(source).items() if not name.endswith("_key")}
    public = KeyHolder.of_text(source.public_key).public()["keys"] if source.public_key else []
    return {**shown, "voucher_key_id": secrecy.key_id(source), "public_keys": [key["kid"] for key in public]}


async def _directory(call: Call) -> Directory:
    return await call.services.store.directory.load()


async def _known_programme(call: Call) -> str:
    identifier = call.parameters["id"]
    if identifier not in (await _directory(call)).programmes:
        raise NotFound("programme", identifier)
    return identifier


def _check_currencies(where: str, currencies: Iterable[str]) -> None:
    if not all(is_currency(currency) for currency in currencies):
        raise Refused.because(where, "AM03", "The currency is not in ISO 4217.")


def _check_pattern(where: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        raise Refused.because(where, "pattern", "This is not a regular expression.") from None


def _programme(programme: Programme) -> dict[str, Any]:
    """Show all but the account number, of which the last two characters remain."""
    masked = "*" * max(0, len(programme.account) - 2) + programme.account[-2:]
    return asdict(replace(programme, account=masked))


def _as_is(body: object) -> object:
    return body


def _body(model: type[BaseModel], example: object) -> Body:
    adapter: TypeAdapter[Any] = TypeAdapter(model)
    return Body(adapter, adapter, _as_is, example)


def _listing(path: str, handler: Handler, summary: str, model: object) -> Operation:
    return Operation("GET", path, handler, summary, GROUP, plain, (Answer(200, "Found.", model),), OPERATORS)


def _saving(path: str, handler: Handler, summary: str, body: Body, model: object) -> Operation:
    answers = (Answer(200, "Saved.", model), REFUSED)
    return Operation("PUT", path, handler, summary, GROUP, plain, answers, OPERATORS, (_ID,), body)


_BALANCES: Final = Answer(200, "The balances by currency, in minor units.", dict[str, models.BalanceBody])

OPERATIONS: Final = (
    _listing("/admin/programmes", list_programmes, "List programmes", models.Page[models.SavedProgramme]),
    _saving(
        "/admin/programmes/{id}",
        save_programme,
        "Save a programme",
        _body(models.ProgrammeBody, _PROGRAMME_EXAMPLE),
        models.SavedProgramme,
    ),
    Operation(
        "GET", "/admin/programmes/{id}/funds", read_funds, "Show a programme's money", GROUP, plain,
        (_BALANCES, UNKNOWN), OPERATORS, (_ID,),
    ),
    Operation(
        "POST", "/admin/programmes/{id}/deposits", deposit, "Add to a programme's budget", GROUP, plain,
        (_BALANCES, REFUSED, UNKNOWN), OPERATORS, (_ID,),
        _body(models.Deposit, {"currency": "USD", "amount_minor": 1000000, "reference": "BUDGET-2030-01"}),
        "A repeat under the same reference adds nothing.",
    ),
    _listing("/admin/institutions", list_institutions, "List institutions", models.Page[models.SavedInstitution]),
    _saving(
        "/admin/institutions/{id}",
        save_institution,
        "Save an institution",
        _body(models.InstitutionBody, _INSTITUTION_EXAMPLE),
        models.SavedInstitution,
    ),
    _listing("/admin/sources", list_sources, "List Source BBs", models.Page[models.SavedSource]),
    _saving(
        "/admin/sources/{id}",
        save_source,
        "Save a Source BB",
        _body(models.SourceKeysBody, {"name": "Ministry of Pensions", "programme": "PENSIONS"}),
        models.SavedSource,
    ),
)  # fmt: skip
