"""Simulated institutions: payer banks, payee banks, mobile-money operators and a switch, over real HTTP."""
