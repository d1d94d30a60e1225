"""Administration of voucher groups, and of the merchants and agents who take vouchers."""

from dataclasses import asdict, replace
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, TypeAdapter

from connector.api.admin import FORBIDDEN_STATE, OPERATORS, REFUSED, UNKNOWN
from connector.api.models_admin import Page
from connector.api.operation import Answer, Body, Call, Handler, Operation, Parameter
from connector.api.shapes import json_answer, plain
from connector.api.vouchers import models_admin as models
from connector.domain.directory import Directory
from connector.domain.errors import NotFound, NotPermitted, Refused
from connector.domain.money import is_currency
from connector.domain.voucher import Merchant, VoucherGroup, VoucherPolicy
from connector.flows.vouchers import groups

GROUP: Final = "Administration of vouchers"
CODE: Final = Parameter("code", "path", "The group's code.", required=True, max_length=36, example="FOOD")
_ID: Final = Parameter("id", "path", "The merchant's id.", required=True, max_length=36, example="MERCHANT01")
_GROUP_EXAMPLE: Final = {"name": "Food basket", "programme": "RELIEF", "currency": "USD", "amount_minor": 2500}
_MERCHANT_EXAMPLE: Final = {"name": "Corner Grocery", "groups": ["FOOD"], "address": "+99970006004"}
_REMOVED: Final = Answer(204, "Removed.")


async def list_groups(call: Call) -> web.Response:
    """List the voucher groups."""
    return json_answer({"items": [asdict(each) for each in (await _directory(call)).groups.values()]})


async def save_group(call: Call) -> web.Response:
    """Add or replace a voucher group."""
    said: models.GroupBody = call.body
    _known((await _directory(call)).programmes, said.programme, "/programme", "programme")
    if said.currency and not is_currency(said.currency):
        raise Refused.because("/currency", "AM03", "The currency is not in ISO 4217.")
    if said.amount_minor and not said.currency:
        raise Refused.because("/currency", "missing", "A fixed price needs a currency.")
    fields = {name: getattr(said, name) for name in type(said).model_fields}
    fields |= {"policy": VoucherPolicy(**said.policy.model_dump()), "accepted_at": tuple(said.accepted_at)}
    group = VoucherGroup(code=call.parameters["code"], **fields)
    await call.services.store.directory.save_group(group)
    return json_answer(asdict(group))


async def remove_group(call: Call) -> web.Response:
    """Remove a voucher group of which nothing is in stock and nothing is out."""
    code = call.parameters["code"]
    group = (await _directory(call)).groups.get(code)
    if group is None:
        raise NotFound("voucher group", code)
    there = await groups.standing(call.services, group)
    if there.in_stock or there.out:
        raise NotPermitted("voucher group", code, "in use")
    await call.services.store.directory.remove_group(code)
    return web.Response(status=204)


async def list_merchants(call: Call) -> web.Response:
    """List the merchants and agents."""
    return json_answer({"items": [_masked(each) for each in (await _directory(call)).merchants.values()]})


async def save_merchant(call: Call) -> web.Response:
    """Add or replace a merchant or an agent."""
    said: models.MerchantBody = call.body
    directory = await _directory(call)
    if said.programme:
        _known(directory.programmes, said.programme, "/programme", "programme")
    if said.institution:
        _known(directory.institutions, said.institution, "/institution", "institution")
    elif said.address and directory.institution_of(said.address) is None:
        raise Refused.because("/address", "unknown", "No institution has addresses of this form; name one.")
    fields = {name: getattr(said, name) for name in type(said).model_fields}
    merchant = Merchant(id=call.parameters["id"], **{**fields, "groups": tuple(said.groups)})
    await call.services.store.directory.save_merchant(merchant)
    return json_answer(_masked(merchant))


async def remove_merchant(call: Call) -> web.Response:
    """Remove a merchant or an agent; one that is still to be paid is better switched off."""
    identifier = call.parameters["id"]
    if identifier not in (await _directory(call)).merchants:
        raise NotFound("merchant", identifier)
    await call.services.store.directory.remove_merchant(identifier)
    return web.Response(status=204)


async def _directory(call: Call) -> Directory:
    return await call.services.store.directory.load()


def _known(there: dict[str, Any], name: str, where: str, what: str) -> None:
    if name not in there:
        raise Refused.because(where, "unknown", f"There is no such {what}.")


def _masked(merchant: Merchant) -> dict[str, Any]:
    """Show all but the address, of which the last two characters remain."""
    masked = "*" * max(0, len(merchant.address) - 2) + merchant.address[-2:]
    return asdict(replace(merchant, address=masked))


def _as_is(body: object) -> object:
    return body


def body(model: type[BaseModel], example: object) -> Body:
    """Take a body as its model has checked it."""
    adapter: TypeAdapter[Any] = TypeAdapter(model)
    return Body(adapter, adapter, _as_is, example)


def _kept(path: str, name: Parameter, what: str, handlers: tuple[Handler, ...], said: Body, model: Any) -> Any:  # noqa: ANN401 (a model, as in Answer)
    listing, saving, removing = handlers
    place = f"{path}/{{{name.name}}}"
    return (
        Operation(
            "GET", path, listing, f"List {what}s", GROUP, plain, (Answer(200, "Found.", Page[model]),), OPERATORS
        ),
        Operation(
            "PUT", place, saving, f"Save a {what}", GROUP, plain, (Answer(200, "Saved.", model), REFUSED), OPERATORS,
            (name,), said,
        ),
        Operation(
            "DELETE", place, removing, f"Remove a {what}", GROUP, plain, (_REMOVED, UNKNOWN, FORBIDDEN_STATE),
            OPERATORS, (name,),
        ),
    )  # fmt: skip


OPERATIONS: Final[tuple[Operation, ...]] = (
    *_kept(
        "/admin/voucher-groups",
        CODE,
        "voucher group",
        (list_groups, save_group, remove_group),
        body(models.GroupBody, _GROUP_EXAMPLE),
        models.SavedGroup,
    ),
    *_kept(
        "/admin/merchants",
        _ID,
        "merchant",
        (list_merchants, save_merchant, remove_merchant),
        body(models.MerchantBody, _MERCHANT_EXAMPLE),
        models.SavedMerchant,
    ),
)
