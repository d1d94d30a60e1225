"""Writes the schema files of this project; run it with ``python -m iso20022_schemas.generator``."""
