"""The message schemas that this project writes, and the catalogue that finds them."""

from iso20022_schemas.catalogue import Catalogue
from iso20022_schemas.structure import Attribute, Kind, Node, SimpleType

__all__ = ["Attribute", "Catalogue", "Kind", "Node", "SimpleType"]
