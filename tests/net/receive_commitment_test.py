"""dpipe-receive as the SCP of storage commitment (PS3.4 §J.3): what it commits to stands on the disk, and its reports
arrive, on the association that asked or on one to where the peer listens. pydicom reads what it reports."""

import json
import pathlib
import signal
import socket

import dicom_bytes as made
import dpipe
from committing import (
    CONTEXTS, PUSH_MODEL, STORAGE, CommitmentTest, ListeningTest, Scu, children_of, encoded, image, request_for,
    take_report)
from peers import free_port
from receiving import Receiver


class OnTheSameAssociation(CommitmentTest):
    def test_what_stands_is_committed(self):
        for syntax in (made.IMPLICIT, made.EXPLICIT):
            with Receiver(self.out) as receiver:
                peer = Scu(receiver.port, [CONTEXTS[0], (PUSH_MODEL, [syntax])])
                self.store(peer, "1.2.9", "1.2.8")
                self.assertEqual(peer.ask([image("1.2.9"), image("1.2.8")]), 0)
                self.assertEqual(take_report(peer), (1, ["1.2.9", "1.2.8"], {}))
                self.assertTrue(peer.release())

    def test_what_does_not_stand_is_not(self):
        with Receiver(self.out) as receiver:
            peer = self.scu(receiver)
            self.store(peer, "1.2.9", "1.2.8", "1.2.7", "1.2.6")
            (self.out / "1.2.3/1.2.3.4/1.2.8.dcm").unlink()
            (self.out / "1.2.3/1.2.3.4/1.2.6.dcm").write_bytes(b"torn")
            self.assertEqual(peer.ask([image("1.2.9"), image("1.2.8"), (made.MR, "1.2.7"), image("1.2.6"),
                                       image("1.2.5")]), 0)
            self.assertEqual(take_report(peer), (2, ["1.2.9"], {
                "1.2.8": 0x0112, "1.2.7": 0x0119, "1.2.6": 0x0110, "1.2.5": 0x0112}))

    def test_of_another_day_and_another_layout(self):
        with Receiver(self.out, "--layout", "{Modality}/{InstanceNumber}") as receiver:
            self.store(self.scu(receiver), "1.2.9", "1.2.8")  # OT/none and OT/none~2
        with Receiver(self.out, "--layout", "{Modality}/{InstanceNumber}") as receiver:
            peer = self.scu(receiver)
            self.assertEqual(peer.ask([image("1.2.8"), image("1.2.9"), image("1.2.7")]), 0)
            self.assertEqual(take_report(peer), (2, ["1.2.8", "1.2.9"], {"1.2.7": 0x0112}))

    @dpipe.needs("strace")
    def test_every_file_and_folder_is_synced_before_it_is_committed(self):
        log = self.scratch / "trace"
        with Receiver(self.out, "--durability", "none") as receiver:
            self.store(self.scu(receiver), "1.2.9")
            peer = self.scu(receiver)
            child = max(children_of(receiver))
            tracer = dpipe.start("strace", "-y", "-e", "trace=fsync,sendto", "-o", log, "-p", str(child), stderr=-3)
            self.wait_for(lambda: f"TracerPid:\t{tracer.pid}" in pathlib.Path(f"/proc/{child}/status").read_text())
            self.assertEqual(peer.ask([image("1.2.9")]), 0)
            take_report(peer)
            peer.release()
            tracer.wait(20)
        synced = [line for line in log.read_text().splitlines() if line.startswith("fsync") and line.endswith("= 0")]
        for place in ("/1.2.3/1.2.3.4/1.2.9.dcm>", "/1.2.3/1.2.3.4>", "/1.2.3>", "/in>"):
            self.assertTrue(any(f"{self.out.parent}" in line and place in line for line in synced), (place, synced))

    def test_a_large_request(self):
        references = [image(f"1.2.9.{n}") for n in range(1000)]
        with Receiver(self.out) as receiver:
            peer = self.scu(receiver)
            self.store(peer, "1.2.9.5")
            self.assertEqual(peer.ask(references), 0)
            kind, committed, failed = take_report(peer)
        self.assertEqual((kind, committed, len(failed)), (2, ["1.2.9.5"], 999))

    def test_what_is_no_request(self):
        good = request_for([image("1.2.9")])
        nothing, no_uid = request_for([]), request_for([(made.MR, "..")])
        with Receiver(self.out) as receiver:
            peer = self.scu(receiver)
            for status, how in (
                    (0x0118, {"sop_class": made.MR}), (0x0112, {"instance": "1.2.3"}), (0x0123, {"action": 2}),
                    (0x0115, {"data": b"junk"}), (0x0115, {"data": encoded(nothing, made.EXPLICIT)}),
                    (0x0115, {"data": encoded(no_uid, made.EXPLICIT)}), (0x0211, {"context": STORAGE, "data": b""}),
                    (0x0213, {"data": encoded(good, made.EXPLICIT) + made.element(0x7FE00010, "OB", b"\0" * (17 << 20))})):
                self.assertEqual(peer.ask([image("1.2.9")], **how), status, how.keys())
            self.store(peer, "1.2.9")
            self.assertTrue(peer.release())

    def test_who_may_not_write_asks_for_nothing(self):
        nodes = self.scratch / "nodes.json"
        nodes.write_text('{"nodes": [{"aet": "PEER", "permission": "read"}]}')
        with Receiver(self.out, "--nodes", nodes) as receiver:
            self.assertEqual(self.scu(receiver).accepted, {})


class OnAnotherAssociation(ListeningTest):
    def test_where_the_peer_listens(self):
        acceptor = self.listen()
        with Receiver(self.out, "--nodes", self.nodes, "--events", self.log) as receiver:
            peer = self.scu(receiver)
            self.store(peer, "1.2.9")
            self.assertEqual(peer.ask([image("1.2.9"), image("1.2.8")]), 0)
            self.assertTrue(peer.release())
            self.wait_for(self.events)
        self.assertEqual(self.reports, [(2, ["1.2.9"], {"1.2.8": 0x0112})])
        self.assertEqual(acceptor.callers, [("DICOMRCV", "PEER")])
        event = self.events()[0]
        self.assertEqual((event["event"], event["delivered"], event["committed"], event["missing"]),
                         ("committed", True, 1, 1))

    def test_who_waits_hears_it_on_the_same(self):
        acceptor = self.listen()
        with Receiver(self.out, "--nodes", self.nodes) as receiver:
            peer = self.scu(receiver)
            self.store(peer, "1.2.9")
            self.assertEqual(peer.ask([image("1.2.9")]), 0)
            self.assertEqual(take_report(peer), (1, ["1.2.9"], {}))
            self.assertTrue(peer.release())
        self.assertEqual((self.reports, acceptor.callers), ([], []))

    def test_who_is_not_there_yet_is_called_again(self):
        deaf = socket.socket()
        deaf.bind(("127.0.0.1", 0))
        self.name(deaf.getsockname()[1])
        with Receiver(self.out, "--nodes", self.nodes, "--events", self.log) as receiver:
            peer = self.scu(receiver)
            self.assertEqual(peer.ask([image("1.2.8")]), 0)
            peer.abort()
            receiver.wait_for_err(b"cannot reach")
            deaf.listen()
            self.listen(deaf)
            self.wait_for(self.events)
        self.assertEqual(self.reports, [(2, [], {"1.2.8": 0x0112})])

    def test_who_stops_reports_when_it_starts_again(self):
        self.name(1)  # nobody listens there
        with Receiver(self.out, "--nodes", self.nodes, "--events", self.log) as receiver:
            peer = self.scu(receiver)
            self.assertEqual(peer.ask([image("1.2.8")]), 0)
            peer.release()
            receiver.wait_for_err(b"cannot reach")
            code, _, _ = receiver.stop()
        self.assertEqual((code, self.events()), (-signal.SIGTERM, []))
        self.listen()
        with Receiver(self.out, "--nodes", self.nodes, "--events", self.log):
            self.wait_for(self.events)
        self.assertEqual(self.reports, [(2, [], {"1.2.8": 0x0112})])

    def test_who_still_reports_takes_no_place(self):
        self.name(1)  # nobody listens there
        with Receiver(self.out, "--nodes", self.nodes, "--max-associations", "1") as receiver:
            for _ in range(3):
                peer = self.scu(receiver)
                self.assertEqual(peer.ask([image("1.2.8")]), 0)
                self.assertTrue(peer.release())
                receiver.wait_for_err(b"cannot reach")
                receiver.err = b""
            self.assertEqual(len(children_of(receiver)), 3)

    def test_a_study_is_held_no_more_once_the_association_is_over(self):
        self.name(1)  # nobody listens there
        with Receiver(self.out, "--nodes", self.nodes) as receiver:
            peer = self.scu(receiver)
            self.store(peer, "1.2.9")
            self.assertEqual(peer.ask([image("1.2.9")]), 0)
            self.assertTrue(peer.release())
            self.wait_for(lambda: dpipe.run("flock", "-n", "-x", self.out / "1.2.3", "true").code == 0)
            self.assertEqual(len(children_of(receiver)), 1)


class WithSend(CommitmentTest):
    """dpipe-send is our own, but its half was written apart from this one."""

    def test_on_either_association(self):
        nodes = self.scratch / "nodes.json"
        for port in (None, free_port()):
            with self.subTest(port=port):
                source, out = self.scratch / f"src{port}", self.scratch / f"in{port}"
                source.mkdir()
                for number in range(3):
                    uid = f"1.2.9.{number}"
                    (source / f"{number}.dcm").write_bytes(made.part10(made.instance(uid), uid))
                nodes.write_text(json.dumps({"nodes": [{"aet": "ME", "address": "127.0.0.1", "port": port or 1}]}))
                words = ("--commit-port", port) if port else ()
                with Receiver(out, "--nodes", nodes) as receiver:
                    sent = self.succeeds(
                        "dpipe-send", "--json", "--journal", self.scratch / f"{port}.db", "--aet", "ME", "--commit", *words, "--node",
                        f"DICOMRCV@127.0.0.1:{receiver.port}", source)
                self.assertEqual([json.loads(line)["committed"] for line in sent.lines], [True] * 3)


if __name__ == "__main__":
    dpipe.main()
