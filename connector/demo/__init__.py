"""Demo data: a documented JSON file that describes a whole world to try things in, and how it gets into a store."""

from connector.demo.format import DemoData, default, read
from connector.demo.load import Loaded, load

__all__ = ["DemoData", "Loaded", "default", "load", "read"]
