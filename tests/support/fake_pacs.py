"""An archive that answers C-FIND, C-GET and C-MOVE as a test says, right or wrong.

    with FakePacs(instances) as pacs: ...

`instances` are FakeInstance. A behaviour is a member that a test sets; the log tells what was asked.
"""

import dataclasses
import struct

import dicom_bytes as made
from dicom_peer import C_CANCEL, C_FIND, C_GET, C_MOVE, NO_DATA_SET, Acceptor, Gone, Requestor

FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3))
STUDY, SERIES, IMAGE = 0x0020000D, 0x0020000E, 0x00080018
LEVEL, CLASS, MODALITIES, COUNT = 0x00080052, 0x00080016, 0x00080061, 0x00201209
PENDING, SUCCESS = 0xFF00, 0x0000

_VRS = {0x00080005: "CS", 0x00080020: "DA", 0x00080030: "TM", 0x00080050: "SH", 0x00080052: "CS", 0x00080060: "CS",
        0x00080016: "UI", 0x00080018: "UI", 0x0020000D: "UI", 0x0020000E: "UI", 0x00100010: "PN", 0x00100020: "LO",
        0x00200011: "IS", 0x00201209: "IS", 0x00080061: "CS", 0x00080008: "CS", 0x0008103E: "LO", 0x00081030: "LO",
        0x00080022: "DA", 0x00100030: "DA", 0x00181030: "LO"}
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
        self.acceptor = Acceptor(self.serve)
        self.port = self.acceptor.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.acceptor.close()

    def asked(self, command):
        return [(level, keys) for name, level, keys in self.log if name == command]

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
            keys = {tag: value.decode("latin-1") for tag, value in parse(data).items()}
            name, work = names[command["CommandField"]]
            self.log.append((name, keys.get(LEVEL), keys))
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
            answers = {}
            for instance in self.below(keys):
                if all(instance.all.get(tag, "") == keys[tag] for tag in self.matches if keys.get(tag)):
                    answers.setdefault(instance.all[_AT[keys[LEVEL]]], []).append(instance)
            for group in answers.values():
                self.respond(peer, context, command, PENDING, self.answer(keys, group))
        self.respond(peer, context, command, status or SUCCESS)

    def answer(self, keys, group):
        values = {**group[0].all, COUNT: str(len(group)),
                  MODALITIES: "\\".join({i.attributes.get(0x00080060, "OT") for i in group})}
        told = {tag: values.get(tag, "") for tag in keys if tag not in self.silent_about and tag in _VRS}
        told[LEVEL] = keys[LEVEL]
        return b"".join(made.element(tag, _VRS[tag], told[tag].encode()) for tag in sorted(told))

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
        else:
            return False
        return True

    def operate(self, peer, context, command, keys, store):
        left = self.die_after.pop(0) if self.die_after else None
        done = {"Completed": 0, "Failed": 0, "Warning": 0}
        for instance in self.sent(keys):
            if left is not None and left == 0:
                peer.abort()
                raise Gone
            left = left and left - 1
            done["Completed" if store(instance) == 0 else "Failed"] += 1
            self.respond(peer, context, command, PENDING, Remaining=1, **done)
        if self.says_failed is not None:
            done["Failed"] = self.says_failed
        self.respond(peer, context, command, self.final or SUCCESS, **done)

    def get(self, peer, context, command, keys):
        if self.refuses(peer, context, command, keys):
            return

        def store(instance):
            on = next(n for n, abstract in peer.abstract.items()
                      if abstract == instance.sop_class and peer.accepted.get(n) == made.EXPLICIT)
            return peer.store(instance.uid, instance.data_set, instance.sop_class, on)
        self.operate(peer, context, command, keys, store)

    def move(self, peer, context, command, keys):
        if self.refuses(peer, context, command, keys):
            return
        port = self.move_to.get(command["MoveDestination"])
        if port is None:
            self.respond(peer, context, command, 0xA801)
            return
        with Requestor(port, [(made.SECONDARY_CAPTURE, [made.EXPLICIT])], calling="FAKE",
                       called=command["MoveDestination"]) as to:
            late = [i for i in self.below(keys) if i.uid in self.late]
            for instance in late:
                self.lost[instance.uid] = 1
            self.operate(peer, context, command, keys, lambda i: to.store(i.uid, i.data_set, i.sop_class, 1))
            for instance in late:
                to.store(instance.uid, instance.data_set, instance.sop_class, 1)
            to.release()
