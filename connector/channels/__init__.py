"""The ways out to an FSP, all with one small interface: ISO 20022 over HTTP and GovStack JSON."""

from connector.channels.answer import Accepted, Answer, Asked, Declined, NotKnown, Reported, Resolved, Silent, Told
from connector.channels.channel import AuthorisationRequest, Channel, StatementRequest
from connector.channels.channels import Channels

__all__ = [
    "Accepted",
    "Answer",
    "Asked",
    "AuthorisationRequest",
    "Channel",
    "Channels",
    "Declined",
    "NotKnown",
    "Reported",
    "Resolved",
    "Silent",
    "StatementRequest",
    "Told",
]
