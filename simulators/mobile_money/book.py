"""How a mobile-money operator names its wallets in the ledger: the MSISDN in digits, without the leading plus."""


def wallet(account: str) -> str:
    """Give the wallet of an MSISDN as it is written in a message."""
    return account.removeprefix("+")
