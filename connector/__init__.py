"""IsoGate's connector: from a ministry's JSON batch to ISO 20022 messages and back.

The floors, lowest first: domain < iso20022, store < channels < flows < api, portal < app, cli.
"""
