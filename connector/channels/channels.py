"""All channels behind one door: picked by the institution's kind of channel, bounded per institution."""

from types import TracebackType
from typing import Self

import aiohttp

from connector.channels.answer import Answer, StatementAnswer
from connector.channels.channel import AuthorisationRequest, Channel, Noted, Outgoing, StatementRequest, nobody
from connector.channels.gate import Gates, Places
from connector.channels.govstack_json import GovStackJson
from connector.channels.iso_http import IsoHttp
from connector.channels.wire import Wire
from connector.domain.directory import ChannelKind, Institution
from connector.iso20022.engine import Engine


class Channels:
    """The ways out to every institution, over one shared HTTP session.

    connector_url: where FSPs reach us with reports and callbacks; timeout_seconds: of one exchange as a whole.
    At most ``institution.in_flight`` exchanges run at once with the same institution: in all processes that share
    ``places``, in this one (``owner``) otherwise. Use as ``async with``.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        connector_url: str,
        timeout_seconds: float = 20.0,
        places: Places | None = None,
        owner: str = "",
    ) -> None:
        self.gates = Gates(places, owner)
        self._wire = Wire(timeout_seconds, self.gates)
        json = GovStackJson(self._wire, connector_url)
        self._by_kind: dict[ChannelKind, Channel] = {
            ChannelKind.ISO20022: IsoHttp(self._wire, engine, json),
            ChannelKind.GOVSTACK_JSON: json,
        }

    async def __aenter__(self) -> Self:
        """Open the HTTP session."""
        await self._wire.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the HTTP session."""
        await self.close()

    async def close(self) -> None:
        """Close the HTTP session."""
        await self._wire.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The shared HTTP session, also used for callbacks to Source BBs."""
        return self._wire.session

    def check(self, to: Institution, message: str, value: Outgoing) -> None:
        """Tell whether a message can be written; see ``Channel.check``."""
        self._by_kind[to.channel].check(to, message, value)

    async def send(self, to: Institution, message: str, value: Outgoing, noted: Noted = nobody) -> Answer:
        """Hand over a chunk, or a question about one; see ``Channel.send``."""
        return await self._by_kind[to.channel].send(to, message, value, noted)

    async def inquire(self, to: Institution, message_id: str) -> Answer:
        """Fetch what became of a message; see ``Channel.inquire``."""
        return await self._by_kind[to.channel].inquire(to, message_id)

    async def authorise(self, to: Institution, request: AuthorisationRequest) -> Answer:
        """Ask for authorisation; see ``Channel.authorise``."""
        return await self._by_kind[to.channel].authorise(to, request)

    async def statement(self, to: Institution, request: StatementRequest) -> StatementAnswer:
        """Fetch statements of an account; see ``Channel.statement``."""
        return await self._by_kind[to.channel].statement(to, request)
