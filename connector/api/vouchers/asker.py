"""For whom a voucher is looked up, where the request itself names nobody."""

from connector.api.operation import Call
from connector.api.settings import Role
from connector.flows.vouchers.caller import Caller


def asker(call: Call, dialect: str) -> Caller | None:
    """Name the building block whose token asks; ``None`` for operators, and in the sandbox, who may see all."""
    identity = call.identity
    return Caller(dialect, identity.name, call.origin) if identity and identity.role is Role.SOURCE else None
