"""Mobile-money operators: wallets by MSISDN that take the same credits as bank accounts."""
