"""Hostile messages, by what is hostile in them. The large ones are made when they are asked for."""

import random
from collections.abc import Callable

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
MEGABYTE = 1024 * 1024
HEAD = (
    b"<GrpHdr><MsgId>R</MsgId><CreDtTm>2026-01-05T10:00:00Z</CreDtTm></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>M"
    b"</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>"
    b"<OrgnlPmtInfId>M</OrgnlPmtInfId>"
)
STATUS = b"<TxInfAndSts><OrgnlEndToEndId>E</OrgnlEndToEndId><TxSts>%s</TxSts></TxInfAndSts>"


def document(content: bytes) -> bytes:
    return b'<Document xmlns="%s"><CstmrPmtStsRpt>%s</CstmrPmtStsRpt></Document>' % (NAMESPACE.encode(), content)


def report(statuses: bytes) -> bytes:
    return document(HEAD + statuses + b"</OrgnlPmtInfAndSts>")


def laughs(levels: int, each: int) -> bytes:
    """Entities of entities: each level is ``each`` times as large as the one before."""
    names = [f"l{level}" for level in range(levels)]
    entities = [f'<!ENTITY {names[0]} "ha">']
    entities += [f'<!ENTITY {name} "{f"&{names[level]};" * each}">' for level, name in enumerate(names[1:])]
    return f"<!DOCTYPE d [{''.join(entities)}]><d>&{names[-1]};</d>".encode()


def attributes(count: int) -> bytes:
    return b" ".join(b'a%d="x"' % number for number in range(count))


FLOODS: dict[str, Callable[[], bytes]] = {
    "a million siblings": lambda: document(b"<a/>" * 1_000_000),
    "sixteen million siblings": lambda: document(b"<a/>" * 16_000_000),
    "siblings without namespace": lambda: (
        b"<Document><CstmrPmtStsRpt>%s</CstmrPmtStsRpt></Document>" % (b"<a/>" * 500_000)
    ),
    "siblings with attributes": lambda: document(b'<a b="x"/>' * 400_000),
    "100,000 attributes": lambda: document(b"<a %s/>" % attributes(100_000)),
    "3 million attributes": lambda: document(b"<a %s/>" % attributes(3_000_000)),
    "20,000 namespaces": lambda: document(b"<a %s/>" % attributes(20_000).replace(b"a", b"xmlns:a")),
    "100 MB of one text": lambda: report(STATUS % (b"x" * 100 * MEGABYTE)),
    "60 MB of one text": lambda: report(STATUS % (b"x" * 60 * MEGABYTE)),
    "six texts of 9 MB": lambda: report(STATUS % (b"x" * 9 * MEGABYTE) * 6),
    "60 MB of one attribute": lambda: document(b'<a b="%s"/>' % (b"x" * 60 * MEGABYTE)),
    "60 MB of one name": lambda: document(b"<%s/>" % (b"a" * 60 * MEGABYTE)),
    "60 MB of blanks": lambda: b" " * 60 * MEGABYTE + b"<",
    "60 MB of one comment": lambda: document(b"<!--%s-->" % (b"x" * 60 * MEGABYTE)),
    "a million comments": lambda: document(b"<!---->" * 1_000_000),
    "a million instructions": lambda: document(b"<?a?>" * 1_000_000),
    "a million references": lambda: document(b"&#65;" * 1_000_000),
    "a million sections": lambda: document(b"<![CDATA[x]]>" * 1_000_000),
    "a million Documents": lambda: b"<e>%s</e>" % (b"<Document/>" * 1_000_000),
    "a million headers": lambda: b'<e>%s<Document xmlns="%s"/></e>' % (b"<AppHdr/>" * 1_000_000, NAMESPACE.encode()),
    "half a million names": lambda: document(b"".join(b"<a%x/>" % number for number in range(500_000))),
    "100,000 wrong statuses": lambda: report(STATUS % b"TOO-LONG" * 100_000),
    "half a million wrong statuses": lambda: report(STATUS % b"TOO-LONG" * 500_000),
    "wrong statuses in an envelope": lambda: b"<e>%s</e>" % report(STATUS % b"TOO-LONG" * 100_000),
    "a hundred thousand group headers": lambda: document(HEAD * 100_000),
    "a year of 100,000 digits": lambda: report(b"").replace(b"2026-", b"2" * 100_000 + b"-"),
}
"""More of everything than anybody sends."""

BOMBS: dict[str, bytes] = {
    "billion laughs": laughs(10, 10),
    "billion laughs in UTF-16": laughs(10, 10).decode().encode("utf-16"),
    "quadratic": b'<!DOCTYPE d [<!ENTITY a "%s">]><d>%s</d>' % (b"x" * 50_000, b"&a;" * 50_000),
    "a circle": b'<!DOCTYPE d [<!ENTITY a "&b;"><!ENTITY b "&a;">]><d>&a;</d>',
    "parameter entities": b'<!DOCTYPE d [<!ENTITY % a "x"><!ENTITY % b "%a;%a;">%b;]><d/>',
    "external entity": b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><d>&a;</d>',
    "external entity by HTTP": b'<!DOCTYPE d [<!ENTITY a SYSTEM "http://127.0.0.1:9/">]><d>&a;</d>',
    "external parameter entity": b'<!DOCTYPE d [<!ENTITY % a SYSTEM "http://127.0.0.1:9/d.dtd">%a;]><d/>',
    "external subset": b'<!DOCTYPE d PUBLIC "-//x//y//EN" "http://127.0.0.1:9/d.dtd"><d/>',
    "default attributes": b'<!DOCTYPE d [<!ATTLIST d a CDATA "%s">]><d/>' % (b"x" * 10_000),
    "undeclared entity": document(b"&nothing;"),
    "inclusion": document(b'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>'),
    "a style sheet": b'<?xml-stylesheet href="http://127.0.0.1:9/s.xsl" type="text/xsl"?>' + document(b""),
    "a schema of its own": document(b"").replace(
        b"<Document ",
        b'<Document xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:schemaLocation="u http://127.0.0.1:9/s" ',
    ),
    "nil": report(b'<TxInfAndSts x:nil="true" xmlns:x="http://www.w3.org/2001/XMLSchema-instance"/>'),
    "100,000 deep": b"<a>" * 100_000 + b"</a>" * 100_000,
    "a million deep, left open": b"<a>" * 1_000_000,
    "Documents in Documents": b"<Document>" * 250 + b"</Document>" * 250,
    "NUL in a text": report(STATUS % b"AC\0SC"),
    "NUL at the end": report(STATUS % b"ACSC") + b"\0",
    "NUL at the start": b"\0" + report(STATUS % b"ACSC"),
    "NUL by reference": report(STATUS % b"AC&#0;SC"),
    "control characters": report(STATUS % b"\x01\x02"),
    "half a surrogate": report(STATUS % b"\xed\xa0\x80"),
    "an overlong encoding": report(STATUS % b"\xc0\xbc"),
    "Latin-1 that is said to be UTF-8": b"<?xml version='1.0' encoding='UTF-8'?>" + report(STATUS % b"\xe9"),
    "UTF-8 that is said to be UTF-16": b"<?xml version='1.0' encoding='UTF-16'?>" + report(STATUS % b"ACSC"),
    "UTF-7": b"<?xml version='1.0' encoding='UTF-7'?>+ADw-a/+AD4-",
    "UTF-32": "<?xml version='1.0' encoding='UTF-32'?><a/>".encode("utf-32"),
    "EBCDIC": "<?xml version='1.0' encoding='IBM037'?><a/>".encode("cp037"),
    "an encoding that there is not": b"<?xml version='1.0' encoding='nonsense'?>" + report(b""),
    "version 9.9": b"<?xml version='9.9'?>" + document(b""),
    "a name with a colon": document(b"<a:b:c/>"),
    "an unbound prefix": document(b"<x:y/>"),
    "the same attribute twice": document(b'<a b="1" b="2"/>'),
    "nothing after the declaration": b"<?xml version='1.0'?>",
    "two roots": document(b"") * 2,
    "gzip": b"\x1f\x8b\x08\x00" + bytes(range(256)) * 10,
}
"""Small messages that are meant to hurt."""


def cut_off(body: bytes, every: int = 97) -> list[bytes]:
    return [body[:end] for end in range(0, len(body), every)]


def damaged(body: bytes, number: int, seed: int = 20022) -> list[bytes]:
    """Copies of a message with a few of their bytes changed, left out or doubled."""
    chance = random.Random(seed)
    return [_damaged(bytearray(body), chance) for _ in range(number)]


def _damaged(body: bytearray, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(body)), chance.randint(1, 12)
        piece = body[at : at + length]
        body[at : at + length] = chance.choice([b"", piece * 2, chance.randbytes(length), b"<", b"&", b"]]>", b"\0"])
    return bytes(body)
