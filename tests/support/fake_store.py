"""A Storage SCP that answers as a test says, right or wrong, with storage commitment.

    with FakeStore() as store: ... store.port ... store.stored

A behaviour is a member that a test sets; `stored`, `asked` and `associations` tell what came.
"""

import collections
import io
import struct
import threading
import time

import dicom_bytes as made
from dicom_peer import C_ECHO, C_STORE, NO_DATA_SET, RELEASE_RP, RJ, Acceptor, Gone, Requestor, item
from pydicom.filereader import read_dataset

N_EVENT_REPORT, N_ACTION = 0x0100, 0x0130
COMMITMENT, COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"


class _Acceptor(Acceptor):
    """Rejects as many associations as its owner says before it accepts one."""

    def __init__(self, owner, **how):
        self.owner = owner
        super().__init__(owner.serve, **how)

    def _negotiate(self, peer):
        with self.owner.lock:
            reject = self.owner.reject > 0 or (self.owner.most and self.owner.at_once >= self.owner.most)
            self.owner.reject -= self.owner.reject > 0
            self.owner.at_once += not reject
        if reject:
            peer.receive_pdu()
            self.owner.rejected += 1
            peer.send_pdu(RJ, bytes([0, 2, 3, 2]))  # transient, provider, local limit exceeded
            raise Gone
        try:
            super()._negotiate(peer)
        except Exception:
            with self.owner.lock:
                self.owner.at_once -= 1
            raise


class FakeStore:
    def __init__(self, choose=lambda abstract, syntaxes: syntaxes[0]):
        self.stored = []             # (uid, data set, transfer syntax) of what it said 0000H or Bxxx to
        self.asked = collections.Counter()  # C-STORE requests by UID
        self.associations = []       # {context: (abstract, syntax)} of each
        self.answers = {}            # uid: statuses to give first, then `status`
        self.status = 0
        self.aborts_at = []          # uids: each time one is asked for it aborts, and takes it out of the list
        self.delay = 0               # seconds before each answer
        self.deaf_after = None       # so many instances, then it reads nothing more
        self.reject = 0              # so many associations that it is too busy for
        self.rejected = 0
        self.most = None             # associations at once
        self.at_once = self.most_at_once = 0
        self.reports = "same"        # storage commitment: on the "same" association, on a "new" one, or "never"
        self.report_port = None      # for new ones
        self.lost = set()            # uids that it does not commit itself to
        self.action_status = 0
        self.transactions = []       # the references of each request
        self.lock = threading.Lock()
        self.acceptor = _Acceptor(self, choose=choose)
        self.port = self.acceptor.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.acceptor.close()

    @property
    def uids(self):
        return [uid for uid, _, _ in self.stored]

    def serve(self, peer):
        with self.lock:
            self.associations.append(
                {number: (abstract, peer.accepted.get(number)) for number, abstract in peer.abstract.items()})
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            while (message := peer.receive_message()) is not None:
                self.answer(peer, *message)
            peer.send_pdu(RELEASE_RP, b"\0" * 4)
        finally:
            with self.lock:
                self.at_once -= 1

    def answer(self, peer, context, command, data):
        field = command["CommandField"]
        if field == C_STORE:
            self.store(peer, context, command, data)
        elif field == C_ECHO:
            self.respond(peer, context, command, self.status)
        elif field == N_ACTION:
            self.commit(peer, context, command, data)
        elif field & 0x8000 == 0:
            self.respond(peer, context, command, 0x0211)

    @staticmethod
    def respond(peer, context, command, status):
        peer.send_command(
            context, CommandField=command["CommandField"] | 0x8000, MessageIDBeingRespondedTo=command["MessageID"],
            Status=status, CommandDataSetType=NO_DATA_SET,
            **{k: command[k] for k in ("AffectedSOPClassUID", "AffectedSOPInstanceUID") if k in command})

    def store(self, peer, context, command, data):
        uid = command["AffectedSOPInstanceUID"]
        with self.lock:
            self.asked[uid] += 1
            if uid in self.aborts_at:
                self.aborts_at.remove(uid)
                peer.abort()
                raise Gone
            left = self.answers.get(uid)
            status = left.pop(0) if left else self.status
        time.sleep(self.delay)
        if status == 0 or status & 0xF000 == 0xB000:
            with self.lock:
                self.stored.append((uid, data, peer.accepted[context]))
        self.respond(peer, context, command, status)
        if self.deaf_after is not None and len(self.stored) >= self.deaf_after:
            time.sleep(30)

    def commit(self, peer, context, command, data):
        request = read_dataset(io.BytesIO(data), False, True)
        references = [(i.ReferencedSOPClassUID, i.ReferencedSOPInstanceUID) for i in request.ReferencedSOPSequence]
        self.transactions.append(references)
        self.respond(peer, context, command, self.action_status)
        if self.action_status == 0 and self.reports == "same":
            self.report(peer, context, request.TransactionUID, references)
        elif self.action_status == 0 and self.reports == "new":
            threading.Thread(target=self.call_back, args=(request.TransactionUID, references), daemon=True).start()

    def call_back(self, transaction, references):
        time.sleep(0.1)
        role = item(0x54, struct.pack(">H", len(COMMITMENT)) + COMMITMENT.encode() + b"\0\1")
        with Requestor(self.report_port, [(COMMITMENT, [made.EXPLICIT])], calling="STORE", called="ME",
                       more=role) as caller:
            self.report(caller, 1, transaction, references)
            caller.receive_message()
            caller.release()

    def report(self, peer, context, transaction, references):
        def listed(tag, uids, more=b""):
            items = b"".join(
                struct.pack("<HHI", 0xFFFE, 0xE000, len(body)) + body
                for body in (made.element(0x00081150, "UI", c) + made.element(0x00081155, "UI", i) + more
                             for c, i in uids))
            return made.element(tag, "SQ", items) if uids else b""
        kept = [(c, i) for c, i in references if i in self.uids and i not in self.lost]
        failed = [reference for reference in references if reference not in kept]
        peer.send_command(
            context, CommandField=N_EVENT_REPORT, MessageID=7, CommandDataSetType=1, AffectedSOPClassUID=COMMITMENT,
            AffectedSOPInstanceUID=COMMITMENT_INSTANCE, EventTypeID=2 if failed else 1)
        peer.send_data_set(
            context, made.element(0x00081195, "UI", str(transaction))
            + listed(0x00081198, failed, made.element(0x00081197, "US", 0x0112)) + listed(0x00081199, kept))
