"""Composition of the HTTP application."""

from aiohttp import web

from connector.api.settings import ApiSettings


def application(services: object, settings: ApiSettings) -> web.Application:  # noqa: ARG001 (skeleton)
    """Build the application that serves both contracts over the running services."""
    return web.Application(client_max_size=settings.max_body_bytes)
