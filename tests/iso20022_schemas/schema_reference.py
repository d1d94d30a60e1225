"""Where the reference data are; tests that need them are skipped where they are absent."""

import os
from pathlib import Path

SHARED = Path(os.environ.get("ISOGATE_SHARED", Path(__file__).parents[3] / "shared")) / "iso20022"
