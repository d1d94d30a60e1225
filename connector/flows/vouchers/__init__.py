"""Vouchers: issue, life cycle, redemption and its payment, notices, files."""
