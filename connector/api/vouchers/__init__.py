"""Vouchers over HTTP, in the dialects of GovStack and for administration."""
