"""Commands to vouchers by their serial numbers: each is one transition, checked and made on the server."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from connector.domain.errors import NotPermitted
from connector.domain.voucher import TRANSITIONS, Command, Moved, VoucherFault, VoucherState, block_of
from connector.store.vouchers import records
from connector.store.vouchers.register import Register

_V = VoucherState
_REMEMBERS: Final = frozenset({Command.SUSPEND, Command.BLOCK})


class Commands(Register):
    """Moves vouchers from state to state."""

    async def move(
        self,
        command: Command,
        serials: Sequence[int],
        *,
        actor: str,
        now: float,
        detail: str = "",
        only: frozenset[VoucherState] | None = None,
    ) -> list[Moved]:
        """Do a command to vouchers, each for itself; the answers are in the order of ``serials``.

        A voucher whose time has passed becomes EXPIRED first, whatever is asked. Faults: UNKNOWN_SERIAL, EXPIRED,
        USED (redeemed), IN_PROGRESS (redeeming), STATE (any other state). Found in the target state already (after
        REACTIVATE and UNBLOCK: in a living one): no fault, ``repeated``; CANCEL of a cancelled one is STATE.
        EXPIRE does nothing (STATE) before the time has come. only: narrower than the command's own sources.
        Raises NotPermitted for PURGE, which has a method of its own.
        """
        if command is Command.PURGE:
            raise NotPermitted("command", command.value, "not a plain transition")
        answers = await self._each("voucher_move", serials, _order(command, only, actor, now, detail))
        return [_moved(serial, answer) for serial, answer in zip(serials, answers, strict=True)]

    async def wrong_number(self, serial: int, limit: int, *, actor: str, now: float) -> Moved:
        """Count a wrong number (fault WRONG_NUMBER); at the limit (0: none) the voucher is BLOCKED."""
        key = self._keyspace.vouchers(block_of(serial))
        state = await self._link.call("voucher_wrong", [key], serial, limit, repr(now), actor)
        if state is None:
            return Moved(serial, None, VoucherFault.UNKNOWN_SERIAL)
        return Moved(serial, _V(state.decode()), VoucherFault.WRONG_NUMBER)

    async def take_stock(self, group: str, currency: str, amount_minor: int, *, actor: str, now: float) -> int | None:
        """Take a voucher in stock and make it PRE_ACTIVATED; its serial, or None where the shelves are empty."""
        shelves = [self._keyspace.shelf(base, group, currency, amount_minor) for base in self._keyspace.bases()]
        lengths = await self._link.ask_all([("LLEN", shelf) for shelf in shelves])
        for _, shelf in sorted(zip(lengths, shelves, strict=True), reverse=True):
            while (serial := await self._link.call("voucher_take", [shelf], repr(now), actor)) == b"":
                pass
            if serial is not None:
                return int(serial)
        return None

    async def due(self, now: float, limit: int) -> list[int]:
        """Give serials whose time has passed, at most ``limit`` a partition."""
        found = await self._link.ask_all(
            [
                ("ZRANGEBYSCORE", self._keyspace.expiry(base), "-inf", repr(now), "LIMIT", 0, limit)
                for base in self._keyspace.bases()
            ]
        )
        return [int(serial) for part in found for serial in part]


def _order(command: Command, only: frozenset[VoucherState] | None, actor: str, now: float, detail: str) -> bytes:
    """Say what is to be done, from which states, and which of them mean that it was done before."""
    sources, target = TRANSITIONS[command]
    sources = sources if only is None else sources & only
    done = {_V.ACTIVATED, _V.PRE_ACTIVATED} if target is None else {target}
    return records.pack(
        {
            "command": command.value,
            "target": target.value if target else "",
            "sources": sorted(sources),
            "done": sorted(done) if command is not Command.CANCEL else [],
            "remembers": command in _REMEMBERS,
            "detail": detail,
            "now": now,
            "actor": actor,
        }
    )


def _moved(serial: int, answer: bytes) -> Moved:
    state, fault, repeated = _meaning(answer)
    return Moved(serial, state, fault, repeated)


@lru_cache(maxsize=256)
def _meaning(answer: bytes) -> tuple[VoucherState | None, VoucherFault | None, bool]:
    if not answer:
        return None, VoucherFault.UNKNOWN_SERIAL, False
    fault, state, repeated = answer.decode().split(" ")
    return _V(state), VoucherFault(fault) if fault else None, repeated == "1"
