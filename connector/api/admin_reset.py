"""The sandbox's way back to its beginning."""

from typing import Final

from aiohttp import web

from connector.api.admin import GROUP, OPERATORS
from connector.api.models_fsp import Errors
from connector.api.operation import Answer, Call, Operation
from connector.api.shapes import json_answer, plain
from connector.api.vouchers.models_admin import ResetBody


async def reset(call: Call) -> web.Response:
    """Empty the sandbox and load its demo data again."""
    if call.settings.reset is None or not call.settings.open:
        raise web.HTTPNotFound
    return json_answer(await call.settings.reset(call.services))


OPERATIONS: Final = (
    Operation(
        "POST",
        "/admin/reset",
        reset,
        "Empty the sandbox and load its demo data again",
        GROUP,
        plain,
        (Answer(200, "As at the first start.", ResetBody), Answer(404, "Not in production.", Errors)),
        roles=OPERATORS,
        description=(
            "Only in the sandbox profile. Forgets every batch, voucher, beneficiary and request, here and at the "
            "simulated institutions; the given ids begin anew, so that nothing is taken for a repeat."
        ),
    ),
)
