"""The national switch: settlement accounts of the participants, and the routing of their transfers."""
