"""A simulator process of its own for the crash test: ``serve_simulators.py FOLDER PORT CONNECTOR_URL``."""

import sys
from pathlib import Path

from aiohttp import web

from simulators.server import application
from simulators.settings import SimulatorSettings

if __name__ == "__main__":
    folder, port, connector_url = sys.argv[1:]
    settings = SimulatorSettings(Path(folder), connector_url, port=int(port))
    web.run_app(application(settings), host=settings.host, port=settings.port, print=None)
