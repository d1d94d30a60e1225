"""Composition of the HTTP application."""

import re
from collections.abc import Sequence
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry

from connector.api import (
    admin,
    admin_callbacks,
    admin_directory,
    admin_recalls,
    admin_reconciliation,
    admin_reset,
    docs,
    fsp,
    govstack_v1,
    govstack_v3,
    health,
    openapi,
    sandbox,
)
from connector.api.frame import REGISTRY, frame
from connector.api.operation import Operation
from connector.api.serving import serve
from connector.api.settings import ApiSettings
from connector.api.suv import operations as suv
from connector.api.vouchers import admin as admin_vouchers
from connector.api.vouchers import admin_directory as admin_voucher_directory
from connector.api.vouchers import batch_files
from connector.api.vouchers import v1 as vouchers_v1
from connector.api.vouchers import v3_operations as vouchers_v3
from connector.flows.services import Services

OPERATIONS: Final[Sequence[Operation]] = (
    *govstack_v1.OPERATIONS,
    *vouchers_v1.OPERATIONS,
    *govstack_v3.OPERATIONS,
    *vouchers_v3.OPERATIONS,
    *batch_files.OPERATIONS,
    *suv.OPERATIONS,
    *fsp.OPERATIONS,
    *admin.OPERATIONS,
    *admin_directory.OPERATIONS,
    *admin_recalls.OPERATIONS,
    *admin_reconciliation.OPERATIONS,
    *admin_callbacks.OPERATIONS,
    *admin_vouchers.OPERATIONS,
    *admin_voucher_directory.OPERATIONS,
    *admin_reset.OPERATIONS,
    *health.OPERATIONS,
)


_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


def routed(path: str) -> str:
    """Write a path as aiohttp routes it, so that a parameter may also have braces in it, which are refused later."""
    return _PLACEHOLDER.sub(r"{\1:[^/]+}", path)


def application(services: Services, settings: ApiSettings) -> web.Application:
    """Build the application that serves both contracts over the running services."""
    registry = CollectorRegistry()
    app = web.Application(client_max_size=settings.max_body_bytes, middlewares=[frame(registry)])
    app[REGISTRY] = registry
    for operation in OPERATIONS:
        handler = serve(operation, services, settings)
        for path in (operation.path, *operation.also):
            app.router.add_route(operation.method, routed(path), handler)
    openapi.publish(app, OPERATIONS, settings)
    docs.publish(app, OPERATIONS, settings)
    if settings.open and settings.simulators_url:
        sandbox.pass_on(app, settings.simulators_url)
    return app
