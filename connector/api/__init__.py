"""The HTTP interface: both GovStack contracts, the FSPs' side, administration, health and documentation.

``application`` builds the aiohttp application over the running services; ``ApiSettings`` says how it behaves.
"""

from connector.api.application import application
from connector.api.settings import ApiSettings, Role, Token

__all__ = ["ApiSettings", "Role", "Token", "application"]
