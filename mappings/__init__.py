"""Profiles: one folder a scheme, one file a message; and the code tables."""
