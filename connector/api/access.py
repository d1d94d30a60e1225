"""Who is calling: bearer tokens and what their owners may do."""

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

from aiohttp import hdrs, web

from connector.api.settings import ApiSettings, Role


@dataclass(frozen=True, slots=True)
class Identity:
    """The owner of a token."""

    role: Role
    name: str

    def may_act_for(self, source: str) -> bool:
        """Tell whether requests of this Source BB may come from here."""
        return self.role is Role.ADMIN or (self.role is Role.SOURCE and self.name == source)

    def may_speak_as(self, institution: str) -> bool:
        """Tell whether reports of this institution may come from here."""
        return self.role is Role.ADMIN or (self.role is Role.INSTITUTION and self.name == institution)


def identify(request: web.Request, settings: ApiSettings) -> Identity | None:
    """Find whose token the request carries; every known hash is compared, in constant time each."""
    scheme, _, secret = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        return None
    presented = sha256(secret.strip().encode("utf-8", "surrogateescape")).hexdigest()
    matches = [token for token in settings.tokens if compare_digest(token.sha256, presented)]
    return Identity(matches[0].role, matches[0].name) if matches else None


def admit(request: web.Request, settings: ApiSettings, roles: frozenset[Role]) -> Identity | None:
    """Let the caller in or raise 401 / 403; ``None``: let in without a name (sandbox, public pages)."""
    identity = identify(request, settings)
    if not roles or (identity is None and settings.open):
        return identity
    if identity is None:
        raise web.HTTPUnauthorized(headers={hdrs.WWW_AUTHENTICATE: 'Bearer realm="isogate"'})
    if identity.role not in roles and identity.role is not Role.ADMIN:
        raise web.HTTPForbidden
    return identity
