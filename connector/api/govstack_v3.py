"""GovStack Payments v3.0: camelCase, asynchronous with callbacks; the current specification."""

from typing import Final

from connector.api import govstack_v3_batches, govstack_v3_mapper

OPERATIONS: Final = (*govstack_v3_mapper.OPERATIONS, *govstack_v3_batches.OPERATIONS)
