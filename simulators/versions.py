"""Which version answers which: an institution reports in the version that goes with what it was asked in."""

from types import MappingProxyType
from typing import Final

REPORTS: Final = MappingProxyType(
    {
        "pain.001.001.03": "pain.002.001.03",
        "pain.001.001.09": "pain.002.001.10",
        "pain.001.001.11": "pain.002.001.12",
        "pain.001.001.12": "pain.002.001.14",
        "pacs.008.001.08": "pacs.002.001.10",
        "pacs.008.001.10": "pacs.002.001.12",
        "pacs.008.001.12": "pacs.002.001.12",
        "acmt.023.001.03": "acmt.024.001.03",
        "camt.055.001.08": "camt.029.001.09",
        "camt.056.001.08": "camt.029.001.09",
        "pain.013.001.07": "pain.014.001.07",
        "pain.013.001.08": "pain.014.001.08",
        "pain.013.001.11": "pain.014.001.11",
    }
)
"""What was asked, to the report about it."""

OLD_WORDS: Final = MappingProxyType({"pain.002.001.03": MappingProxyType({"ACCC": "ACSC"})})
"""Statuses that a report's version does not have yet, and what stands there for them."""

RETURNS: Final = MappingProxyType(
    {
        "pain.001.001.11": "pacs.004.001.11",
        "pain.001.001.12": "pacs.004.001.11",
        "pacs.008.001.10": "pacs.004.001.11",
        "pacs.008.001.12": "pacs.004.001.11",
    }
)
"""What was asked, to the return of its payments; all others get the scheme's usual one."""
