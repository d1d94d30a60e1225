"""An operator's HTTP interface: ISO 20022 only."""

from aiohttp import web

from simulators.doors import add_iso20022


def routes(app: web.Application) -> None:
    """Add an operator's routes to its application."""
    add_iso20022(app)
