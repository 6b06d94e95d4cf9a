"""A DICOM peer that does what a test says, right or wrong: PDUs and messages by hand over a socket.

`Requestor` calls (an SCU), `Acceptor` is called (an SCP); both give the same `Peer`, which sends and receives
PDUs, command sets and data sets. Everything a real peer would check is left to the test.
"""

import socket
import struct
import threading

from dicom_bytes import EXPLICIT, IMPLICIT, VERIFICATION, even

RQ, AC, RJ, DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)

C_STORE, C_GET, C_FIND, C_MOVE, C_ECHO, C_CANCEL = 0x0001, 0x0010, 0x0020, 0x0021, 0x0030, 0x0FFF
NO_DATA_SET = 0x0101

#: Elements of a command set: (number in group 0000, struct format or None for text)
FIELDS = {
    "AffectedSOPClassUID": (0x0002, None), "CommandField": (0x0100, "<H"), "MessageID": (0x0110, "<H"),
    "MessageIDBeingRespondedTo": (0x0120, "<H"), "MoveDestination": (0x0600, None), "Priority": (0x0700, "<H"),
    "CommandDataSetType": (0x0800, "<H"), "Status": (0x0900, "<H"), "ErrorComment": (0x0902, None),
    "RequestedSOPClassUID": (0x0003, None), "RequestedSOPInstanceUID": (0x1001, None),
    "EventTypeID": (0x1002, "<H"), "ActionTypeID": (0x1008, "<H"),
    "AffectedSOPInstanceUID": (0x1000, None), "Remaining": (0x1020, "<H"), "Completed": (0x1021, "<H"),
    "Failed": (0x1022, "<H"), "Warning": (0x1023, "<H"), "MoveOriginatorAET": (0x1030, None),
    "MoveOriginatorMessageID": (0x1031, "<H")}
_NAMES = {number: (name, form) for name, (number, form) in FIELDS.items()}


def command_bytes(**fields):
    """A command set in implicit VR little endian, in the order of its elements."""
    body = b""
    for name in sorted(fields, key=lambda n: FIELDS[n][0]):
        number, form = FIELDS[name]
        value = struct.pack(form, fields[name]) if form else even(fields[name].encode(), b"\0")
        body += struct.pack("<HHI", 0, number, len(value)) + value
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def command_fields(data):
    fields, position = {}, 0
    while position < len(data):
        _, number, length = struct.unpack_from("<HHI", data, position)
        value = data[position + 8:position + 8 + length]
        position += 8 + length
        name, form = _NAMES.get(number, (number, None))
        fields[name] = struct.unpack(form, value)[0] if form else value.rstrip(b"\0 ").decode("latin-1")
    return fields


def item(kind, body):
    return struct.pack(">BBH", kind, 0, len(body)) + body


def items(body):
    position = 0
    while position < len(body):
        kind, _, length = struct.unpack_from(">BBH", body, position)
        yield kind, body[position + 4:position + 4 + length]
        position += 4 + length


class Gone(Exception):
    """The other side closed the connection."""


class Peer:
    """One connection."""

    def __init__(self, sock, timeout=20):
        self.sock = sock
        self.sock.settimeout(timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.accepted = {}  # context number: transfer syntax
        self.abstract = {}  # context number: abstract syntax
        self.answered = []  # items of the user information that the other side answered with: (type, bytes)
        self.message_id = 0

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # PDUs

    def send_pdu(self, kind, body, length=None):
        self.sock.sendall(struct.pack(">BBI", kind, 0, len(body) if length is None else length) + body)

    def receive_exactly(self, size):
        data = b""
        while len(data) < size:
            try:
                more = self.sock.recv(size - len(data))
            except ConnectionError:
                more = b""
            if not more:
                raise Gone
            data += more
        return data

    def receive_pdu(self):
        kind, _, length = struct.unpack(">BBI", self.receive_exactly(6))
        return kind, self.receive_exactly(length)

    def send_pdvs(self, *pdvs):
        """One PDU with these (context, control, bytes); control: 1 command, 2 last fragment."""
        self.send_pdu(DATA, b"".join(
            struct.pack(">IBB", len(data) + 2, context, control) + data for context, control, data in pdvs))

    # Messages

    def send_command(self, context, **fields):
        self.send_pdvs((context, 3, command_bytes(**fields)))

    def send_data_set(self, context, data, fragment=16000):
        pieces = [data[i:i + fragment] for i in range(0, len(data), fragment)] or [b""]
        for number, piece in enumerate(pieces):
            self.send_pdvs((context, 2 if number == len(pieces) - 1 else 0, piece))

    def receive_message(self):
        """(context, command fields, data set or None); None where the other side asks for the release."""
        parts, context, fields, pending = {1: b"", 0: b""}, None, None, []
        while True:
            if not pending:
                kind, body = self.receive_pdu()
                if kind == RELEASE_RQ:
                    return None
                if kind != DATA:
                    raise Gone
                while body:
                    length, context, control = struct.unpack_from(">IBB", body)
                    pending.append((context, control, body[6:4 + length]))
                    body = body[4 + length:]
            context, control, data = pending.pop(0)
            parts[control & 1] += data
            if control == 3:
                fields = command_fields(parts[1])
                if fields["CommandDataSetType"] == NO_DATA_SET:
                    return context, fields, None
            if control == 2:
                return context, fields, parts[0]

    def store_request(self, context, uid, sop_class, **more):
        self.message_id = self.message_id % 0xffff + 1
        self.send_command(
            context, CommandField=C_STORE, MessageID=self.message_id, Priority=0, CommandDataSetType=1,
            AffectedSOPClassUID=sop_class, AffectedSOPInstanceUID=uid, **more)

    def store(self, uid, data_set, sop_class=None, context=1, fragment=16000, **more):
        """C-STORE; the status of the response."""
        self.store_request(context, uid, sop_class or self.abstract[context], **more)
        self.send_data_set(context, data_set, fragment)
        return self.receive_message()[1]["Status"]

    def echo(self, context=1):
        self.message_id += 1
        self.send_command(
            context, CommandField=C_ECHO, MessageID=self.message_id, CommandDataSetType=NO_DATA_SET,
            AffectedSOPClassUID=VERIFICATION)
        return self.receive_message()[1]["Status"]

    def release(self):
        self.send_pdu(RELEASE_RQ, b"\0" * 4)
        kind, _ = self.receive_pdu()
        self.close()
        return kind == RELEASE_RP

    def abort(self):
        self.send_pdu(ABORT, b"\0" * 4)
        self.close()


def aet(text):
    return text.encode().ljust(16)


def user_information(max_pdu, more=b""):
    return item(0x50, item(0x51, struct.pack(">I", max_pdu)) + item(0x52, b"1.2.3.4.5") + more)


class Rejected(Gone):
    """A-ASSOCIATE-RJ; `answer` is (result, source, reason) of PS3.8 Table 9-21."""

    def __init__(self, answer):
        super().__init__(f"rejected: {answer}")
        self.answer = answer


class Requestor(Peer):
    """Calls a node. `contexts` are (abstract syntax, [transfer syntaxes]), numbered 1, 3, 5 ..."""

    def __init__(self, port, contexts=((VERIFICATION, [IMPLICIT]),), calling="PEER", called="DICOMRCV",
                 max_pdu=16384, more=b"", timeout=20, source="127.0.0.1"):
        super().__init__(socket.create_connection(("127.0.0.1", port), timeout, (source, 0)), timeout)
        body = struct.pack(">HH", 1, 0) + aet(called) + aet(calling) + b"\0" * 32
        body += item(0x10, b"1.2.840.10008.3.1.1.1")
        for number, (abstract, syntaxes) in enumerate(contexts):
            context = 2 * number + 1
            self.abstract[context] = abstract
            body += item(0x20, bytes([context, 0, 0, 0]) + item(0x30, abstract.encode())
                         + b"".join(item(0x40, syntax.encode()) for syntax in syntaxes))
        self.send_pdu(RQ, body + user_information(max_pdu, more))
        kind, answer = self.receive_pdu()
        if kind == RJ:
            self.close()
            raise Rejected(tuple(answer[1:4]))
        if kind != AC:
            self.close()
            raise Gone(f"PDU {kind} instead of an acceptance")
        for kind, body in items(answer[68:]):
            if kind == 0x50:
                self.answered = list(items(body))
            if kind == 0x21 and body[2] == 0:
                self.accepted[body[0]] = next(value.decode() for sub, value in items(body[4:]) if sub == 0x40)


class Acceptor:
    """Listens on a free port of this machine and hands each association, accepted, to `serve(peer)` in a
    thread of its own. Accepts every context with its first transfer syntax unless `choose` says otherwise."""

    def __init__(self, serve, choose=lambda abstract, syntaxes: syntaxes[0], relational=lambda: False, listening=None):
        self.serve, self.choose, self.relational = serve, choose, relational
        self.socket = listening or socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.callers = []  # AE titles (calling, called) in order
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with Peer(connection) as peer:
            try:
                self._negotiate(peer)
                self.serve(peer)
            except (Gone, OSError):
                pass

    def _negotiate(self, peer):
        kind, request = peer.receive_pdu()
        if kind != RQ:
            raise Gone
        self.callers.append((request[20:36].decode().strip(), request[4:20].decode().strip()))
        answer, roles = request[:68] + item(0x10, b"1.2.840.10008.3.1.1.1"), b""
        for kind, body in items(request[68:]):
            if kind == 0x20:
                sub = list(items(body[4:]))
                abstract = sub[0][1].decode()
                syntax = self.choose(abstract, [value.decode() for k, value in sub if k == 0x40])
                peer.abstract[body[0]] = abstract
                if syntax:
                    peer.accepted[body[0]] = syntax
                answer += item(0x21, bytes([body[0], 0, 0 if syntax else 3, 0])
                               + item(0x40, (syntax or IMPLICIT).encode()))
            if kind == 0x50:
                echoed = (0x54, 0x56) if self.relational() else (0x54,)  # extended negotiation is agreed to, or not
                roles = b"".join(item(k, value) for k, value in items(body) if k in echoed)
        peer.send_pdu(AC, answer + user_information(16384, roles))

    def context_for(self, peer, abstract):
        return next(number for number, value in peer.abstract.items() if value == abstract)
