"""Load tests with Locust: who uses an instance, in which shape, and whether it does what is asked of it.

Importing Locust patches the sockets of the whole process, so that only ``locustfile`` and ``users`` do so; everything
else here is plain Python and runs anywhere.
"""
