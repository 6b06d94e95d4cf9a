"""An archive that answers C-FIND, C-GET and C-MOVE as a test says, right or wrong.

    with FakePacs(instances) as pacs: ...

`instances` are FakeInstance. A behaviour is a member that a test sets; the log tells what was asked.
"""

import dataclasses
import select
import struct
import threading
import time

import dicom_bytes as made
from dicom_peer import C_CANCEL, C_ECHO, C_FIND, C_GET, C_MOVE, NO_DATA_SET, Acceptor, Gone, Requestor

FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3))
STUDY, SERIES, IMAGE = 0x0020000D, 0x0020000E, 0x00080018
LEVEL, CLASS, MODALITIES, COUNT = 0x00080052, 0x00080016, 0x00080061, 0x00201209
DATE, TIME, FAILED = 0x00080020, 0x00080030, 0x00080058
PENDING, SUCCESS = 0xFF00, 0x0000

_VRS = {0x00080005: "CS", 0x00080020: "DA", 0x00080030: "TM", 0x00080050: "SH", 0x00080052: "CS", 0x00080060: "CS",
        0x00080016: "UI", 0x00080018: "UI", 0x0020000D: "UI", 0x0020000E: "UI", 0x00100010: "PN", 0x00100020: "LO",
        0x00200011: "IS", 0x00201209: "IS", 0x00080061: "CS", 0x00080008: "CS", 0x0008103E: "LO", 0x00081030: "LO",
        0x00080022: "DA", 0x00100030: "DA", 0x00181030: "LO", 0x00080058: "UI"}
_AT = {"STUDY": STUDY, "SERIES": SERIES, "IMAGE": IMAGE}


@dataclasses.dataclass
class FakeInstance:
    uid: str
    study: str = "1.2"
    series: str = "1.2.3"
    attributes: dict = dataclasses.field(default_factory=dict)  # tag: text
    sop_class: str = made.SECONDARY_CAPTURE

    @property
    def data_set(self):
        more = [(tag, made.element(tag, _VRS[tag], text.encode())) for tag, text in self.attributes.items()]
        return made.instance(self.uid, self.study, self.series, self.sop_class, more=more)

    @property
    def all(self):
        return {STUDY: self.study, SERIES: self.series, IMAGE: self.uid, CLASS: self.sop_class, **self.attributes}


def parse(data):
    """{tag: bytes} of a flat explicit little endian data set."""
    found, position = {}, 0
    while position < len(data):
        group, number, vr, length = struct.unpack_from("<HH2sH", data, position)
        position += 8
        found[group << 16 | number] = data[position:position + length].rstrip(b"\0 ")
        position += length
    return found


def within(key, value):
    """PS3.4 C.2.2.2.5: a range, or a single value."""
    if not key:
        return True
    first, dash, last = key.partition("-")
    return first <= value <= (last or "~") if dash else value == key


class FakePacs:
    def __init__(self, instances, move_to=None):
        self.instances = {i.uid: i for i in instances}
        self.move_to = move_to or {}  # AE title: port
        self.log = []                 # (command, level, keys as text)
        self.lost = {}                # uid: how many times it is left out
        self.silent_about = set()     # tags that answers do not hold
        self.matches = set()          # tags that are looked at, besides UIDs of upper levels
        self.final = None             # status of the last response to C-GET and C-MOVE
        self.says_failed = None
        self.die_after = []           # instances until it aborts, for one C-GET or C-MOVE each
        self.extra = []               # instances that it sends as well
        self.find_status = {}         # level: status instead of answers
        self.no_uid_lists = False
        self.late = []                # sends these after the final response of C-MOVE
        self.hates = set()            # values of keys that make it abort
        self.busy = 0                 # so many operations end with Success and nothing done
        self.refusals = []            # statuses of the next operations, instead of doing them
        self.reverse = False          # sends the last first
        self.lists_failed = False     # names those that failed
        self.goes_silent = False      # no final response
        self.pending_for_ever = False # Pending again and again, without an instance
        self.instance_delay = 0       # seconds before each instance that it sends
        self.sent_in_all = 0          # instances
        self.calling = "FAKE"         # it sends as
        self.most_answers = None      # it cuts off a query's answers there
        self.cut_status = SUCCESS     # and says so, or not
        self.by_date = False          # it looks at ranges of Study Date and Study Time
        self.delay = 0                # seconds before each answer to a query
        self.hears_cancel = True
        self.cancelled = 0            # C-CANCEL requests
        self.text = "latin-1"         # of what it answers
        self.relational = False       # it agrees to relational queries
        self.now = []                 # (what, seconds) of each request, by the monotonic clock
        self.open = self.most_open = 0
        self._lock = threading.Lock()
        self.acceptor = Acceptor(self.count, relational=lambda: self.relational)
        self.port = self.acceptor.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.acceptor.close()

    def asked(self, command):
        return [(level, keys) for name, level, keys in self.log if name == command]

    def count(self, peer):
        with self._lock:
            self.open += 1
            self.most_open = max(self.most_open, self.open)
        try:
            self.serve(peer)
        finally:
            with self._lock:
                self.open -= 1

    def serve(self, peer):
        names = {C_FIND: ("find", self.find), C_GET: ("get", self.get), C_MOVE: ("move", self.move)}
        while True:
            message = peer.receive_message()
            if message is None:
                peer.send_pdu(6, b"\0" * 4)
                return
            context, command, data = message
            if command["CommandField"] == C_CANCEL:
                continue
            if command["CommandField"] == C_ECHO:
                self.log.append(("echo", None, {}))
                self.respond(peer, context, command, SUCCESS)
                continue
            keys = {tag: value.decode("latin-1") for tag, value in parse(data).items()}
            name, work = names[command["CommandField"]]
            self.log.append((name, keys.get(LEVEL), keys))
            self.now.append((name, time.monotonic()))
            if self.hates & set(keys.values()):
                peer.abort()
                return
            work(peer, context, command, keys)

    def respond(self, peer, context, command, status, data=None, **more):
        peer.send_command(
            context, CommandField=command["CommandField"] | 0x8000, MessageIDBeingRespondedTo=command["MessageID"],
            AffectedSOPClassUID=command["AffectedSOPClassUID"], Status=status,
            CommandDataSetType=1 if data is not None else NO_DATA_SET, **more)
        if data is not None:
            peer.send_data_set(context, data)

    def below(self, keys):
        """The instances that the UIDs of a query leave."""
        for instance in self.instances.values():
            if all(not keys.get(tag) or instance.all[tag] in keys[tag].split("\\") for tag in (STUDY, SERIES, IMAGE)):
                yield instance

    def find(self, peer, context, command, keys):
        status = self.find_status.get(keys[LEVEL])
        if status is None:
            number = 0
            for answer in self.answers(keys):
                if self.most_answers is not None and number >= self.most_answers:
                    status = self.cut_status
                    break
                time.sleep(self.delay)
                if self.heard_cancel(peer):
                    status = 0xFE00
                    break
                self.respond(peer, context, command, PENDING, answer)
                number += 1
        self.respond(peer, context, command, status or SUCCESS)

    def heard_cancel(self, peer):
        """A C-CANCEL waits to be read, and counts."""
        if not select.select([peer.sock], [], [], 0)[0]:
            return False
        _, command, _ = peer.receive_message() or (None, {"CommandField": None}, None)
        self.cancelled += command["CommandField"] == C_CANCEL
        return self.hears_cancel

    def answers(self, keys):
        answers = {}
        for instance in self.below(keys):
            if all(instance.all.get(tag, "") == keys[tag] for tag in self.matches if keys.get(tag)) and (
                    not self.by_date or all(within(keys.get(t), instance.all.get(t, "")) for t in (DATE, TIME))):
                answers.setdefault(instance.all[_AT[keys[LEVEL]]], []).append(instance)
        for group in answers.values():
            yield self.answer(keys, group)

    def answer(self, keys, group):
        values = {**group[0].all, COUNT: str(len(group)),
                  MODALITIES: "\\".join({i.attributes.get(0x00080060, "OT") for i in group})}
        told = {tag: values.get(tag, "") for tag in keys if tag not in self.silent_about and tag in _VRS}
        told[LEVEL] = keys[LEVEL]
        return b"".join(made.element(tag, _VRS[tag], told[tag].encode(self.text)) for tag in sorted(told))

    def sent(self, keys):
        """What a request gets: what it names, without what is lost now, and what nobody asked for."""
        for instance in self.below(keys):
            if self.lost.get(instance.uid, 0) > 0:
                self.lost[instance.uid] -= 1
            else:
                yield instance
        yield from self.extra

    def refuses(self, peer, context, command, keys):
        if self.no_uid_lists and keys[LEVEL] == "IMAGE":
            self.respond(peer, context, command, 0xA900)
        elif self.busy > 0:
            self.busy -= 1
            self.respond(peer, context, command, SUCCESS, Completed=0, Failed=0, Warning=0)
        elif self.refusals:
            self.respond(peer, context, command, self.refusals.pop(0))
        elif self.goes_silent or self.pending_for_ever:
            while not self.heard_cancel(peer):
                time.sleep(0.1)
                if self.pending_for_ever:
                    self.respond(peer, context, command, PENDING, Remaining=3, Completed=0, Failed=0, Warning=0)
        else:
            return False
        return True

    def operate(self, peer, context, command, keys, store):
        left = self.die_after.pop(0) if self.die_after else None
        done = {"Completed": 0, "Failed": 0, "Warning": 0}
        failed = []
        if self.lists_failed:
            failed = [i.uid for i in self.below(keys) if self.lost.get(i.uid, 0) > 0]
            done["Failed"] = len(failed)
        for instance in sorted(self.sent(keys), key=lambda i: i.uid, reverse=True) if self.reverse else self.sent(keys):
            if left is not None and left == 0:
                peer.abort()
                raise Gone
            left = left and left - 1
            time.sleep(self.instance_delay)
            self.sent_in_all += 1
            done["Completed" if store(instance) == 0 else "Failed"] += 1
            self.respond(peer, context, command, PENDING, Remaining=1, **done)
        if self.says_failed is not None:
            done["Failed"] = self.says_failed
        more = made.element(FAILED, "UI", "\\".join(failed)) if failed else None
        self.respond(peer, context, command, self.final or (0xB000 if failed else SUCCESS), more, **done)

    def get(self, peer, context, command, keys):
        if self.refuses(peer, context, command, keys):
            return

        def store(instance):
            on = next((n for n, abstract in peer.abstract.items()
                       if abstract == instance.sop_class and peer.accepted.get(n) == made.EXPLICIT), None)
            if on is None:
                return 0x0122
            return peer.store(instance.uid, instance.data_set, instance.sop_class, on)
        self.operate(peer, context, command, keys, store)

    def move(self, peer, context, command, keys):
        if self.refuses(peer, context, command, keys):
            return
        port = self.move_to.get(command["MoveDestination"])
        if port is None:
            self.respond(peer, context, command, 0xA801)
            return
        with Requestor(port, [(made.SECONDARY_CAPTURE, [made.EXPLICIT])], calling=self.calling,
                       called=command["MoveDestination"]) as to:
            late = [i for i in self.below(keys) if i.uid in self.late]
            for instance in late:
                self.lost[instance.uid] = 1
            self.operate(peer, context, command, keys, lambda i: to.store(i.uid, i.data_set, i.sop_class, 1))
            for instance in late:
                to.store(instance.uid, instance.data_set, instance.sop_class, 1)
            to.release()
