"""Loaded by schemathesis: how it sends bodies of media types that it does not know."""

import schemathesis


@schemathesis.serializer("application/jose")
def sent_as_it_is(context: schemathesis.SerializationContext, value: object) -> bytes:
    """Send what was generated in the place of an encrypted file."""
    return str(value).encode("utf-8", "replace")
