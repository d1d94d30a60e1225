"""A small seeded generator of messages for a content model, and of mutations of them."""

import random
from collections import Counter

from lxml import etree

from iso20022_schemas import Kind, Node, SimpleType

_SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
_BUILT_IN = {
    "boolean": ("true", "false", "1"),
    "date": ("2026-02-28", "2024-02-29Z"),
    "dateTime": ("2026-02-28T23:59:59Z", "2026-02-28T00:00:00.123Z"),
    "time": ("12:30:00", "00:00:00.5"),
    "gYear": ("2026",),
    "gYearMonth": ("2026-02",),
    "base64Binary": ("QUJDRA==",),
}
_OF_PATTERN = {
    r"[a-zA-Z0-9]{4}": "aB9z",
    r"[A-Z]{2,2}": "XU",
    r"[A-Z]{3,3}": "USD",
    r"[A-Z0-9]{4,4}[A-Z]{2,2}[A-Z0-9]{2,2}([A-Z0-9]{3,3}){0,1}": "UN1OXU22XXX",
    r"[A-Z]{6,6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3,3}){0,1}": "UNIOXU22",
    r"[A-Z0-9]{18,18}[0-9]{2,2}": "ABCDEFGHIJKLMNOPQR12",
    r"\+[0-9]{1,3}-[0-9()+\-]{1,30}": "+999-70123456",
    r"[A-Z]{2,2}[0-9]{2,2}[a-zA-Z0-9]{1,30}": "XU12abcDEF345",
    r"[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}": "0a1b2c3d-0a1b-4a1b-8a1b-0a1b2c3d4e5f",
    r"[0-9]{1,15}": "123456789012345",
    r"[0-9]{1,5}": "12345",
    r"[0-9]{1,3}": "123",
    r"[0-9]{2,3}": "123",
    r"[0-9]{3,4}": "1234",
    r"[0-9]{8,28}": "12345678",
    r"[0-9]{3}": "123",
    r"[0-9]{2}": "12",
    r"[0-9]": "1",
    r"[\+]{0,1}[0-9]{1,15}": "+15",
    r"[A-Z]{2,2}[A-Z0-9]{9,9}[0-9]{1,1}": "XU1234567890",
    r"[a-z]{2,2}": "en",
    r"([0-9A-F][0-9A-F]){32}": "0F" * 32,
    r"[0-9a-fA-F]+": "0aF",
    r".*Z": "2026-02-28T23:59:59Z",
}


class Instances:
    """Generates documents of one message; every choice takes its branches in turn, so that few documents see all."""

    def __init__(self, root: Node, namespace: str, seed: int) -> None:
        self._root = root
        self._namespace = namespace
        self._random = random.Random(seed)
        self._turns: Counter[str] = Counter()

    def document(self, *, optional: float) -> etree._Element:
        """A valid document in which optional elements appear with this probability."""
        return self._element(self._root, optional)

    def _element(self, node: Node, optional: float) -> etree._Element:
        element = etree.Element(f"{{{self._namespace}}}{node.name}", nsmap={None: self._namespace})
        for attribute in node.attributes:
            element.set(attribute.name, self._text(attribute.type))
        if node.simple:
            element.text = self._text(node.simple)
        elif node.content:
            self._fill(element, node.content, node.type_name, optional)
        return element

    def _fill(self, element: etree._Element, group: Node, owner: str, optional: float) -> None:
        members = group.members
        if group.kind is Kind.CHOICE:
            members = (members[self._turns[owner] % len(members)],)
            self._turns[owner] += 1
        for member in members:
            for _ in range(self._times(member, optional)):
                if member.kind is Kind.ELEMENT:
                    element.append(self._element(member, optional))
                elif member.kind is Kind.ANY:
                    element.append(_foreign(member))
                else:
                    self._fill(element, member, owner, optional)

    def _times(self, member: Node, optional: float) -> int:
        if member.minimum == 0 and self._random.random() >= optional:
            return 0
        most = 2 if member.maximum is None else min(2, member.maximum)
        return max(member.minimum, 1, self._random.randint(1, most) if optional < 1 else 1)

    def _text(self, simple: SimpleType) -> str:
        if simple.patterns:
            return _OF_PATTERN[simple.patterns[0]]
        if simple.enumeration:
            return self._random.choice(simple.enumeration)
        if simple.base == "decimal":
            return self._decimal(simple)
        if simple.base != "string":
            return self._random.choice(_BUILT_IN[simple.base])
        shortest, longest = simple.min_length or 0, simple.max_length or 20
        return ("aé/ -9" * (longest // 6 + 1))[: self._random.choice((max(shortest, 1), longest))].strip() or "x"

    def _decimal(self, simple: SimpleType) -> str:
        digits, fraction = simple.total_digits or 1, simple.fraction_digits or 0
        whole = "9" * (digits - fraction)
        return self._random.choice((f"{whole}.{'9' * fraction}" if fraction else whole, "0", "1"))


def _foreign(member: Node) -> etree._Element:
    namespace = _SIGNATURE if _SIGNATURE in member.type_name else "urn:example:other"
    return etree.Element(f"{{{namespace}}}Signature")


class Mutations:
    """Breaks, or harmlessly changes, one thing in a document."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def mutate(self, document: etree._Element) -> str:
        """Change the document in place and say how."""
        element = self._random.choice(list(document.iter("*")))
        ways = (self._remove, self._repeat, self._swap, self._rename, self._lengthen, self._replace, self._attribute)
        way = self._random.choice(ways)
        way(element)
        return f"{way.__name__} {element.tag}"

    def _remove(self, element: etree._Element) -> None:
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)

    def _repeat(self, element: etree._Element) -> None:
        if element.getparent() is not None:
            element.addnext(etree.fromstring(etree.tostring(element)))

    def _swap(self, element: etree._Element) -> None:
        following = element.getnext()
        if following is not None:
            following.addnext(element)

    def _rename(self, element: etree._Element) -> None:
        element.tag = f"{element.tag}{self._random.choice(('X', '1'))}"

    def _lengthen(self, element: etree._Element) -> None:
        element.text = (element.text or "") + self._random.choice(("9", "Z", ".5", " ", "x" * 2000))

    def _replace(self, element: etree._Element) -> None:
        element.text = self._random.choice(("", "A", "-1", "12", "1.5", "xyz", "true", "2026-02-30", "USD", "XXXX"))

    def _attribute(self, element: etree._Element) -> None:
        if element.get("Ccy") is None:
            element.set(self._random.choice(("Ccy", "xyz")), "USD")
        else:
            element.set("Ccy", self._random.choice(("usd", "USDX", "")))
