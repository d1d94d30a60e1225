"""What an operation of the API is: the one declaration that routes, validates and documents it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from aiohttp import web
from pydantic import TypeAdapter

from connector.api.access import Identity
from connector.api.batch_body import Form
from connector.api.json_body import Parsed
from connector.api.settings import ApiSettings, Role
from connector.api.shapes import Shape
from connector.domain.batch import CallbackTarget
from connector.domain.errors import Refused
from connector.flows.draft import Draft
from connector.flows.services import Services

LENIENT_LENGTH: Final = 36
MAXIMUM_CALLBACK_LENGTH: Final = 100
LENIENT_CALLBACK_LENGTH: Final = 2048


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the path, the query or a header.

    strict_only: required only where lengths are strict, since common clients leave it out;
    alternatives: other names under which the same thing arrives; shown: in the documentation's example, though it may
    be left out.
    """

    name: str
    place: Literal["path", "query", "header"]
    description: str
    required: bool = False
    strict_only: bool = False
    max_length: int = LENIENT_LENGTH
    alternatives: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    kind: Literal["string", "integer", "number"] = "string"
    minimum: int = 0
    maximum: int = 2**31 - 1
    default: str = ""
    example: str = ""
    shown: bool = False


@dataclass(frozen=True, slots=True)
class BatchForms:
    """How a batch is written in both length modes, and the reference that its draft is for ("" before it is read)."""

    strict: Form
    lenient: Form
    address: "Callable[[Call], str]" = lambda _: ""

    def form(self, strict: bool) -> Form:
        """Choose the form for the length mode."""
        return self.strict if strict else self.lenient


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON request body: how it is validated in both length modes, and what it is turned into.

    parse: from bytes to the checked value, where the contract has its own way to say what is wrong; max_bytes: above
    it a request is answered 413 (0: as the API's settings); batch: its instructions are read piece by piece into a
    draft, and what is beside them is the call's body.
    """

    strict: TypeAdapter[Any]
    lenient: TypeAdapter[Any]
    read: Callable[[Any], Any]
    example: Any
    required: bool = True
    parse: Callable[[bytes, TypeAdapter[Any]], Parsed] | None = None
    max_bytes: int = 0
    batch: BatchForms | None = None

    def adapter(self, strict: bool) -> TypeAdapter[Any]:
        """Choose the validation for the length mode."""
        return self.strict if strict else self.lenient


@dataclass(frozen=True, slots=True)
class Answer:
    """One documented answer; model None: it has no body."""

    status: int
    description: str
    model: object = None
    example: object = None
    media: str = "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked: who asks, with which parameters (by declared name), which body, and which batch in it."""

    request: web.Request
    services: Services
    settings: ApiSettings
    identity: Identity | None
    parameters: Mapping[str, str]
    body: Any = None
    draft: Draft | None = None

    @property
    def origin(self) -> str:
        """Where the request came from, for the event log."""
        return self.request.remote or ""

    @property
    def actor(self) -> str:
        """Who acts, for the event log."""
        return self.identity.name if self.identity else "sandbox"

    def number(self, name: str) -> int:
        """Give an integer parameter (already checked); 0 where it was left out and has no default."""
        return int(self.parameters[name] or 0)

    def act_for(self, source: str) -> str:
        """Settle on the Source BB that is acted for: the one named, or else the caller itself.

        Raises aiohttp's ``HTTPForbidden`` where the caller is somebody else, ``Refused`` where nobody is named.
        """
        name = source or (self.identity.name if self.identity and self.identity.role is Role.SOURCE else "")
        if not name:
            raise Refused.because("header X-Registering-Institution-ID", "missing", "Say which source this is for.")
        if self.identity and not self.identity.may_act_for(name):
            raise web.HTTPForbidden
        return name

    def callback(self) -> CallbackTarget:
        """Take the callback URL under any of its spellings; raises ``Refused`` for one that cannot be called."""
        headers = self.request.headers
        url = next((headers[name] for name in self.settings.callback_headers if name in headers), "").strip()
        if url:
            self._check_callback(url)
        return CallbackTarget(url, self.settings.callback_verb, headers.get("X-CorrelationID", "")[:LENIENT_LENGTH])

    def _check_callback(self, url: str) -> None:
        where = f"header {self.settings.callback_headers[0]}"
        longest = MAXIMUM_CALLBACK_LENGTH if self.settings.lengths_strict else LENIENT_CALLBACK_LENGTH
        if len(url) > longest:
            raise Refused.because(where, "too_long", f"The callback URL may have {longest} characters.")
        if not callable_url(url, https_only=self.settings.callback_https):
            scheme = "https" if self.settings.callback_https else "http(s)"
            raise Refused.because(
                where, "url", f"The callback URL must be an absolute {scheme} URL without user name."
            )


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One method on one path.

    roles: who may call it in production (empty: everybody, without a token); errors: the model of what ``shape``
    makes, where that is not one of the common ones; basic: the handler wants user name and password (HTTP Basic)
    instead of a token; also: further paths under which clients look for it.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    group: str
    shape: Shape
    answers: tuple[Answer, ...]
    roles: frozenset[Role] = frozenset()
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    description: str = ""
    media: tuple[str, ...] = field(default=("application/json",))
    raw_example: str = ""
    errors: object = None
    basic: bool = False
    also: tuple[str, ...] = ()


def callable_url(text: str, *, https_only: bool) -> bool:
    """Tell whether a URL is absolute, http(s), printable ASCII and without user information."""
    schemes = ("https://",) if https_only else ("https://", "http://")
    if not text.isascii() or not text.isprintable() or " " in text:
        return False
    rest = next((text[len(scheme) :] for scheme in schemes if text.lower().startswith(scheme)), "")
    authority = rest.split("/", 1)[0].split("?", 1)[0].split("#", 1)[0]
    return bool(authority) and "@" not in authority and authority[0] != ":"
