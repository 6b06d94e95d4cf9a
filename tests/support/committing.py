"""A peer that asks dpipe-receive for storage commitment (PS3.4 §J.3), and listens for reports. pydicom reads them."""

import io
import json
import pathlib
import time
import warnings

import dicom_bytes as made
import dpipe
from dicom_peer import NO_DATA_SET, Acceptor, Requestor

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pydicom.dataset import Dataset
    from pydicom.filebase import DicomBytesIO
    from pydicom.filereader import read_dataset
    from pydicom.filewriter import write_dataset

PUSH_MODEL, WELL_KNOWN = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
N_EVENT_REPORT, N_ACTION = 0x0100, 0x0130
CONTEXTS = [(made.SECONDARY_CAPTURE, [made.EXPLICIT]), (PUSH_MODEL, [made.IMPLICIT, made.EXPLICIT])]
STORAGE, COMMITMENT = 1, 3


def encoded(data_set, syntax):
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, syntax == made.IMPLICIT
    write_dataset(out, data_set)
    return out.getvalue()


def decoded(data, syntax):
    return read_dataset(io.BytesIO(data), syntax == made.IMPLICIT, True)


def request_for(references, transaction="1.2.77"):
    data_set = Dataset()
    data_set.TransactionUID = transaction
    data_set.ReferencedSOPSequence = []
    for sop_class, uid in references:
        reference = Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = sop_class, uid
        data_set.ReferencedSOPSequence.append(reference)
    return data_set


def image(uid):
    return made.SECONDARY_CAPTURE, uid


class Scu(Requestor):
    def ask(self, references=(), sop_class=PUSH_MODEL, instance=WELL_KNOWN, action=1, data=None, context=COMMITMENT,
            transaction="1.2.77"):
        """N-ACTION; the status of the response."""
        if data is None:
            data = encoded(request_for(references, transaction), self.accepted[context])
        self.message_id += 1
        self.send_command(
            context, CommandField=N_ACTION, MessageID=self.message_id, CommandDataSetType=1, ActionTypeID=action,
            RequestedSOPClassUID=sop_class, RequestedSOPInstanceUID=instance)
        self.send_data_set(context, data)
        _, fields, _ = self.receive_message()
        assert fields["CommandField"] == 0x8130, fields
        return fields["Status"]


def children_of(receiver):
    pid = receiver.process.pid
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def take_report(peer, transaction="1.2.77"):
    """(event type, committed UIDs, {UID: failure reason}) of the N-EVENT-REPORT that comes next, which is answered."""
    context, fields, data = peer.receive_message()
    assert fields["CommandField"] == N_EVENT_REPORT, fields
    assert (fields["AffectedSOPClassUID"], fields["AffectedSOPInstanceUID"]) == (PUSH_MODEL, WELL_KNOWN)
    report = decoded(data, peer.accepted[context])
    peer.send_command(
        context, CommandField=0x8100, MessageIDBeingRespondedTo=fields["MessageID"], CommandDataSetType=NO_DATA_SET,
        Status=0, AffectedSOPClassUID=PUSH_MODEL, AffectedSOPInstanceUID=WELL_KNOWN)
    assert report.TransactionUID == transaction, report.TransactionUID
    return (fields["EventTypeID"],
            [r.ReferencedSOPInstanceUID for r in report.get("ReferencedSOPSequence", [])],
            {r.ReferencedSOPInstanceUID: r.FailureReason for r in report.get("FailedSOPSequence", [])})


class CommitmentTest(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.scratch / "in"

    def scu(self, receiver, **how):
        peer = Scu(receiver.port, CONTEXTS, **how)
        self.addCleanup(peer.close)
        return peer

    def store(self, peer, *uids):
        for uid in uids:
            self.assertEqual(peer.store(uid, made.instance(uid)), 0)

    def wait_for(self, what, timeout=15):
        until = time.monotonic() + timeout
        while not what():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)


class ListeningTest(CommitmentTest):
    """The peer listens where the nodes file says."""

    def setUp(self):
        super().setUp()
        self.reports = []
        self.nodes = self.scratch / "nodes.json"
        self.log = self.scratch / "events"

    def listen(self, listening=None):
        def serve(peer):
            self.reports.append(take_report(peer))
            peer.receive_message()
            peer.send_pdu(6, b"\0" * 4)

        acceptor = Acceptor(serve, listening=listening)
        self.addCleanup(acceptor.close)
        self.name(acceptor.port)
        return acceptor

    def name(self, port):
        self.nodes.write_text(json.dumps({"nodes": [{"aet": "PEER", "address": "127.0.0.1", "port": port}]}))

    def events(self):
        return [json.loads(line) for line in self.log.read_text().splitlines() if '"committed"' in line]
