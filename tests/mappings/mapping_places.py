"""Where the repository and the reference data are; tests that need the latter are skipped where they are absent."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SHARED = Path(os.environ.get("ISOGATE_SHARED", REPOSITORY.parent / "shared")) / "iso20022"
