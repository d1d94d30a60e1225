"""The message engine: schema catalogue, mapping profiles, compiled writers and readers, validation, business header.

Knows XML, knows no HTTP and no store. ``connector.iso20022.engine`` is the way in.
"""
