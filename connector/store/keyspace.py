"""Every key in the store: its name, type, content and life.

A key begins with ``ig:{pN}`` where N is the partition. The braces are a cluster hash tag: all keys of one partition
lie in one slot, so a server-side function may touch any of them, and a batch's state and its work queue change in one
step. A batch, and every task of it, lives in the partition of its reference; other things in the partition of their
own id. A function never touches two partitions.

On a cluster (``cluster.ClusterLink``) the tag says which primary a command goes to; nothing else is different. The
function library is loaded on every primary, and a read that waits for the streams of several slots looks at all of
them every 10 ms instead of blocking, because a blocked read cannot be broken off without losing sight of what it was
just given.
"""

import re
from typing import Final, NamedTuple
from zlib import crc32

GROUP: Final = "workers"
"""The consumer group on every stream."""

MAPPER_BUCKETS: Final = 64
"""In how many hashes the account mapper is kept; fixed for the life of a store."""


class Family(NamedTuple):
    """One kind of key; pattern is matched against the key without its ``ig:{pN}:``."""

    pattern: str
    type: str
    content: str
    life: str


FAMILIES: Final = (
    Family(
        r"batch:[A-Z2-7]{20}",
        "hash",
        "facts (msgpack), state, reason, finished_at, accepted_at, slices, resolved, currencies, ongoing (payments), "
        "n:<currency>:<outcome> (payments), m:<currency>:<outcome> (minor units); archived: where its file is",
        "kept",
    ),
    Family(r"batch:[^:]+:staged:\w+:\d+", "string", "a slice whose batch is not created yet, sealed", "1 day"),
    Family(
        r"batch:[^:]+:slice:\d+",
        "string",
        "up to 5,000 instructions, sealed",
        "until resolved; those of a refused or cancelled batch until archived",
    ),
    Family(r"batch:[^:]+:chunk:\d+", "string", "the fixed facts of a chunk, sealed", "until archived"),
    Family(r"batch:[^:]+:status", "hash", "chunk number -> changing part of the chunk, sealed", "until archived"),
    Family(r"batch:[^:]+:versions", "hash", "chunk number -> version of its changing part", "until archived"),
    Family(r"batch:[^:]+:events", "stream", "event log (e: JSON), newest 10,000", "until archived"),
    Family(r"batch:[^:]+:callbacks", "set", "ids of the batch's callbacks that are in the store", "until archived"),
    Family(r"finished", "sorted set", "references of batches that wait for the archive, by time", "until archived"),
    Family(
        r"sender:.+",
        "hash",
        "kind, contract and source -> acceptance time and reference, by the Source BB's batch id",
        "kept",
    ),
    Family(r"index:all", "sorted set", "references by time of acceptance", "kept"),
    Family(r"index:(source|programme):.*", "sorted set", "references by time of acceptance", "kept"),
    Family(
        r"index:state:.+", "sorted set", "references in that state by time of acceptance", "until the state changes"
    ),
    Family(
        r"queue:[a-z0-9-]+:(urgent|normal)",
        "stream",
        "tasks of a step (t: JSON, d: due time of a timer), one group",
        "until done",
    ),
    Family(r"streams", "set", "the names of the partition's streams", "kept"),
    Family(r"ready", "set", "names of streams that may have tasks nobody was given yet", "until found empty"),
    Family(r"bell", "stream", "the last time that a stream became ready (s: its name), for who waits", "kept"),
    Family(r"bell:urgent", "stream", "the same of urgent work alone", "kept"),
    Family(r"timers", "sorted set", "stream and task by due time (Unix seconds)", "until due"),
    Family(r"mapper:\d+", "hash", "keyed hash of source and functional id -> beneficiary, sealed", "kept"),
    Family(r"funds:.+", "hash", "<currency>:budget, :opening, :available, :reserved, :spent in minor units", "kept"),
    Family(r"deposits:.+", "set", "references of the deposits made for a programme", "kept"),
    Family(
        r"hold:.+",
        "hash",
        "a batch's reservation: held:<currency>, left:<currency>, chunk:<number> (version spent "
        "released), closed (why)",
        "kept",
    ),
    Family(r"request:[A-Z2-7]+", "hash", "a claimed request id: digest, owner, plan, the answer given", "kept"),
    Family(r"plan:[A-Z2-7]{20}", "string", "vouchers that a request is to make, sealed", "until they are made"),
    Family(r"plans", "sorted set", "such requests by the time of the plan", "until their vouchers are made"),
    Family(
        r"message:[A-Z2-7]{32}:[A-Z2-7]{32}",
        "hash",
        "a retail request by its id and client: kind, token, at, serial, redemption, reversible, draft (until "
        "answered) and answer, sealed, outcome, approved (minor units), decision, advice; early:<kind>: a reversal "
        "before it",
        "kept",
    ),
    Family(r"message:[A-Z2-7]{32}", "set", "clients that used the id for a redemption", "kept"),
    Family(
        r"refunds:\d+",
        "hash",
        "redemption of a block -> the refund that has it, until that is confirmed or reversed; dropped:<refund>",
        "kept",
    ),
    Family(
        r"callback:.+",
        "string",
        "a callback with its attempts, sealed",
        "kept; those of batches until archived",
    ),
    Family(
        r"callbacks:(pending|delivered|dead)",
        "sorted set",
        "<batch> <id> by time of last change",
        "until the state changes; delivered ones until archived",
    ),
    Family(
        r"directory",
        "hash",
        "<kind>:<id> -> programme, institution, Source BB, voucher group or merchant, sealed; settings",
        "kept",
    ),
    Family(r"stages", "hash", "process -> what its stages have cost (msgpack)", "an hour"),
    Family(r"directory:version", "string", "counts the changes of the directory", "kept"),
    Family(r"record:[a-z-]+:.+", "string", "a small document, sealed", "as its writer says"),
    Family(
        r"statement:[0-9a-f]{32}:[0-9a-f]{24}",
        "hash",
        "by the keyed hash of its account: digest, created, cover (facts), part:<number> (2,000 lines), sealed",
        "kept",
    ),
    Family(r"statements:[0-9a-f]{32}", "sorted set", "an account's statements by their last day", "kept"),
    Family(
        r"reconciliation:[A-Z2-7]{20}",
        "hash",
        "facts, fetched:<number>, day:<number> (totals), part:<day>:<number> (findings), sealed; done:<step>",
        "kept",
    ),
    Family(r"reconciliations", "sorted set", "<id> and programmes, by time of the request", "kept"),
    Family(
        r"places:[^:]+",
        "sorted set",
        "who has an exchange with an institution under way, by when that counts no longer",
        "while there are any",
    ),
    Family(r"tries:[0-9a-f]{32}", "string", "wrong voucher numbers of one presenter", "the window"),
    Family(r"serials", "string", "how many serial numbers of vouchers are given out", "kept"),
    Family(r"blocks", "set", "blocks of vouchers whose serial numbers were chosen otherwise (demo data)", "kept"),
    Family(
        r"numbers",
        "hash",
        "keyed hash of a voucher's number -> serial; without a voucher it means nothing",
        "kept",
    ),
    Family(r"vouchers:\d+:state", "hash", "serial -> changing part of a voucher of the block (msgpack)", "kept"),
    Family(r"vouchers:\d+:facts", "hash", "serial -> number and payee of a voucher, sealed", "until purged"),
    Family(r"vouchers:\d+:redemptions", "hash", "redemption id -> redemption (msgpack)", "until purged"),
    Family(r"vouchers:\d+:requests", "hash", "serial, presenter and request id -> redemption id", "until purged"),
    Family(r"vouchers:\d+:undone", "hash", "serial and request id of redemptions reversed unseen", "until purged"),
    Family(r"vouchers:\d+:events", "stream", "history of the block's vouchers (e: msgpack)", "kept"),
    Family(
        r"lot:[^:]+:\d+",
        "hash",
        "a lot in a block: facts (msgpack), version, spent, released (minor units), first and last serial, flag "
        "(a task that settles is on its way)",
        "kept",
    ),
    Family(
        r"stock:.+",
        "hash",
        "a group's vouchers: <state>:<currency>:n (how many), :m (face value, minor); left:<currency>:b (in them)",
        "kept",
    ),
    Family(r"shelf:.+:[A-Z]{3}:\d+", "list", "serials in stock, by amount; may have gone otherwise", "until taken"),
    Family(r"taken:[0-9a-f]{16}", "string", "what a call took from a shelf, should it be repeated", "the window"),
    Family(r"expiry", "sorted set", "serials by the time at which they expire", "until expired or used"),
    Family(r"payouts:open", "list", "redemptions whose merchants are to be paid (msgpack)", "until closed"),
    Family(r"payouts:turn", "string", "how often the list was begun; names the next closing", "kept"),
    Family(r"payouts:of:\d+\.\d+", "list", "redemptions that a closing took", "30 days"),
    Family(r"payouts:closed:\d+\.\d+", "string", "a closing was here", "30 days"),
    Family(r"payouts:outcomes", "stream", "decided redemptions (r: id, s: state), newest 10,000", "kept"),
    Family(r"format", "string", "number of the format in which values are packed", "kept"),
    Family(r"layout", "string", "number of partitions; a store cannot be opened with another", "kept"),
)


def family(key: str) -> Family | None:
    """Find the family that a key belongs to; ``None`` for a key that is not documented."""
    match = re.fullmatch(r"ig:\{p\d+\}:(.+)", key, re.DOTALL)
    return match and next((kind for kind in FAMILIES if re.fullmatch(kind.pattern, match[1], re.DOTALL)), None)


class Keyspace:
    """Names keys for a given number of partitions."""

    def __init__(self, partitions: int) -> None:
        """Divide the store into ``partitions`` (at least 1)."""
        self.partitions = partitions

    def partition(self, identifier: str) -> int:
        """Say in which partition an identifier's keys are."""
        return crc32(identifier.encode()) % self.partitions

    def base(self, partition: int) -> str:
        """Give the beginning of all keys of a partition."""
        return f"ig:{{p{partition}}}"

    def home(self, identifier: str) -> str:
        """Give the beginning of an identifier's keys."""
        return self.base(self.partition(identifier))

    def bases(self) -> list[str]:
        """Give the beginnings of all partitions' keys."""
        return [self.base(number) for number in range(self.partitions)]

    def batch(self, ref: str) -> str:
        """Key of a batch's hash; its slices, chunks, status, versions and events hang below it."""
        return f"{self.home(ref)}:batch:{ref}"

    def slice(self, ref: str, number: int) -> str:
        """Key of a slice of a batch."""
        return f"{self.batch(ref)}:slice:{number}"

    def chunk(self, ref: str, number: int) -> str:
        """Key of a chunk's fixed facts."""
        return f"{self.batch(ref)}:chunk:{number}"

    def finished(self, base: str) -> str:
        """Key of the batches of a partition that wait for the archive."""
        return f"{base}:finished"

    def sender(self, batch_id: str) -> str:
        """Key of the references that go by a Source BB's batch id."""
        return f"{self.home(batch_id)}:sender:{batch_id}"

    def stream(self, base: str, step: str, *, urgent: bool) -> str:
        """Key of the stream of a step's tasks in a partition."""
        return f"{base}:queue:{step}:{'urgent' if urgent else 'normal'}"

    def mapper(self, bucket: int) -> str:
        """Key of one of the account mapper's hashes."""
        return f"{self.base(bucket % self.partitions)}:mapper:{bucket}"

    def funds(self, programme: str) -> str:
        """Key of a programme's balances."""
        return f"{self.home(programme)}:funds:{programme}"

    def deposits(self, programme: str) -> str:
        """Key of the references of a programme's deposits."""
        return f"{self.home(programme)}:deposits:{programme}"

    def hold(self, programme: str, ref: str) -> str:
        """Key of a batch's reservation, beside its programme's balances."""
        return f"{self.home(programme)}:hold:{programme}:{ref}"

    def request(self, token: str) -> str:
        """Key of a claimed request id, by the token derived from it."""
        return f"{self.home(token)}:request:{token}"

    def plan(self, identifier: str) -> str:
        """Key of what a voucher request is to make."""
        return f"{self.home(identifier)}:plan:{identifier}"

    def message(self, identifier: str, client: str) -> str:
        """Key of a retail request, by the tokens of its id and its client."""
        return f"{self.message_users(identifier)}:{client}"

    def message_users(self, identifier: str) -> str:
        """Key of the clients that used a request id for a redemption, by the id's token."""
        return f"{self.home(identifier)}:message:{identifier}"

    def open_refunds(self, block: str) -> str:
        """Key of the refunds that a block of vouchers has open."""
        return f"{self.home(block)}:refunds:{block}"

    def callback(self, batch: str, identifier: str) -> str:
        """Key of a callback, in the partition of its batch."""
        return f"{self.home(batch)}:callback:{batch}:{identifier}"

    def directory(self) -> str:
        """Key of the directory; its version hangs below it."""
        return f"{self.base(0)}:directory"

    def stages(self) -> str:
        """Key of what the processes say of their stages."""
        return f"{self.base(0)}:stages"

    def record(self, kind: str, identifier: str) -> str:
        """Key of a small document."""
        return f"{self.home(identifier)}:record:{kind}:{identifier}"

    def statement(self, account: str, name: str) -> str:
        """Key of a statement, by the keyed hash of its account."""
        return f"{self.home(account)}:statement:{account}:{name}"

    def statements(self, account: str) -> str:
        """Key of the list of an account's statements."""
        return f"{self.home(account)}:statements:{account}"

    def reconciliation(self, identifier: str) -> str:
        """Key of a reconciliation."""
        return f"{self.home(identifier)}:reconciliation:{identifier}"

    def places(self, institution: str) -> str:
        """Key of who has an exchange with an institution under way."""
        return f"{self.home(institution)}:places:{institution}"

    def tries(self, who: str) -> str:
        """Key of the count of a presenter's wrong voucher numbers, by a digest of who that is."""
        return f"{self.home(who)}:tries:{who}"

    def serials(self) -> str:
        """Key of the counter of vouchers' serial numbers."""
        return f"{self.base(0)}:serials"

    def odd_blocks(self) -> str:
        """Key of the blocks of vouchers that are beyond what is counted."""
        return f"{self.base(0)}:blocks"

    def voucher_index(self, name: bytes) -> str:
        """Key of the index that has a voucher's number, by the number's keyed hash."""
        return f"{self.base(int.from_bytes(name[:4], 'big') % self.partitions)}:numbers"

    def vouchers(self, block: int) -> str:
        """Beginning of the keys of a block of vouchers; tasks about it have ``batch=str(block)``."""
        return f"{self.home(str(block))}:vouchers:{block}"

    def lot(self, lot: str, block: int) -> str:
        """Key of a lot's part in a block."""
        return f"{self.home(str(block))}:lot:{lot}:{block}"

    def stock(self, base: str, group: str) -> str:
        """Key of a voucher group's counters in a partition."""
        return f"{base}:stock:{group}"

    def shelf(self, base: str, group: str, currency: str, amount_minor: int) -> str:
        """Key of the vouchers in stock of one amount in a partition."""
        return f"{base}:shelf:{group}:{currency}:{amount_minor}"

    def expiry(self, base: str) -> str:
        """Key of the times at which vouchers of a partition expire."""
        return f"{base}:expiry"

    def payouts(self, base: str) -> str:
        """Key of the open payout list of a partition."""
        return f"{base}:payouts:open"

    def outcomes(self, base: str) -> str:
        """Key of the stream of decided redemptions of a partition."""
        return f"{base}:payouts:outcomes"

    def format(self) -> str:
        """Key of the number of the format in which values are packed."""
        return f"{self.base(0)}:format"

    def layout(self) -> str:
        """Key of the number of partitions that the store was made with."""
        return f"{self.base(0)}:layout"
