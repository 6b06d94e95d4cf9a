"""A request for storage commitment that dpipe-receive answered with Success is reported, whatever is killed in between,
and never untruly."""

import json
import os
import pathlib
import signal
import socket
import stat
import time

import dicom_bytes as made
import dpipe
import small_disk
from committing import COMMITMENT, CommitmentTest, ListeningTest, children_of, image, take_report
from dicom_peer import Gone
from receiving import Receiver


def waiting(out):
    """The files of requests that wait."""
    return sorted((out / ".dpipe-commitment").glob("*"))


class Restarted(ListeningTest):
    def setUp(self):
        super().setUp()
        self.deaf = socket.socket()  # the peer's place: nobody else gets it, and nobody answers yet
        self.addCleanup(self.deaf.close)
        self.deaf.bind(("127.0.0.1", 0))
        self.name(self.deaf.getsockname()[1])
        self.words = ("--nodes", self.nodes, "--events", self.log)

    def answer(self):
        self.deaf.listen()
        return self.listen(self.deaf)

    def killed_after_the_answer(self, *uids):
        """A receiver that took a request for `uids`, of which 1.2.9 is there, and was killed before the report."""
        with Receiver(self.out, *self.words) as receiver:
            peer = self.scu(receiver)
            self.store(peer, "1.2.9")
            self.assertEqual(peer.ask([image(uid) for uid in uids]), 0)
            receiver.process.send_signal(signal.SIGKILL)
        peer.close()

    def test_the_report_comes_after_the_next_start(self):
        self.killed_after_the_answer("1.2.9", "1.2.8")
        file, = waiting(self.out)
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(file.parent.stat().st_mode), 0o700)
        text = json.loads(file.read_text())
        self.assertRegex(text.pop("received"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(text, {
            "calling_aet": "PEER", "address": "127.0.0.1", "TransactionUID": "1.2.77",
            "ReferencedSOPSequence": [
                {"ReferencedSOPClassUID": made.SECONDARY_CAPTURE, "ReferencedSOPInstanceUID": uid}
                for uid in ("1.2.9", "1.2.8")]})
        acceptor = self.answer()
        with Receiver(self.out, *self.words) as receiver:
            self.wait_for(self.events)
            self.wait_for(lambda: not children_of(receiver))  # there is nothing more for it to do
        self.assertEqual(self.reports, [(2, ["1.2.9"], {"1.2.8": 0x0112})])
        self.assertEqual(acceptor.callers[-1], ("DICOMRCV", "PEER"))
        self.assertEqual(waiting(self.out), [])
        event, = self.events()
        event.pop("time")
        self.assertEqual(event, {
            "event": "committed", "calling_aet": "PEER", "delivered": True, "committed": 1, "missing": 1})

    def test_what_is_gone_since_is_not_committed(self):
        self.killed_after_the_answer("1.2.9")
        (self.out / "1.2.3/1.2.3.4/1.2.9.dcm").unlink()
        self.answer()
        with Receiver(self.out, *self.words):
            self.wait_for(self.events)
        self.assertEqual(self.reports, [(2, [], {"1.2.9": 0x0112})])

    def test_a_peer_that_is_away_and_comes_back(self):
        self.killed_after_the_answer("1.2.9")
        with Receiver(self.out, *self.words) as receiver:
            receiver.wait_for_err(b"cannot reach")
            self.assertEqual(len(waiting(self.out)), 1)
            receiver.process.send_signal(signal.SIGKILL)
        with Receiver(self.out, *self.words) as receiver:
            receiver.wait_for_err(b"cannot reach")
            self.answer()
            self.wait_for(self.events)
        self.assertEqual(self.reports, [(1, ["1.2.9"], {})])
        self.assertEqual(waiting(self.out), [])

    def test_a_peer_that_hangs_up_is_called_again(self):
        self.killed_after_the_answer("1.2.9")
        calls = []

        def serve(peer):
            calls.append(1)
            if len(calls) == 1:
                peer.receive_message()
                raise Gone  # it heard the report, and did not say so
            self.reports.append(take_report(peer))
            peer.receive_message()
            peer.send_pdu(6, b"\0" * 4)

        acceptor = self.answer()
        acceptor.serve = serve
        with Receiver(self.out, *self.words):
            self.wait_for(self.events)
        self.assertEqual((self.reports, len(calls)), ([(1, ["1.2.9"], {})], 2))

    def test_the_process_that_reports_is_killed(self):
        self.killed_after_the_answer("1.2.9")
        with Receiver(self.out, *self.words) as receiver:
            receiver.wait_for_err(b"cannot reach")
            time.sleep(5.2)  # one that lived for less is not started again at once
            reporter, = children_of(receiver)
            self.answer()
            os.kill(reporter, signal.SIGKILL)
            self.wait_for(self.events, 10)
            self.wait_for(lambda: not children_of(receiver))
        self.assertEqual(self.reports, [(1, ["1.2.9"], {})])

    def test_several_reports_of_one_name_and_one_that_cannot_be_read(self):
        for _ in range(2):
            self.killed_after_the_answer("1.2.9")
        first, second = waiting(self.out)
        self.assertEqual((first.name, second.name), ("1.2.77.json", "1.2.77~2.json"))
        (first.parent / "0.json").write_text('{"calling_aet": "PEER", "TransactionUID": "1.2.76", "address": ""}')
        (first.parent / "1.json").write_text("torn")
        self.answer()
        with Receiver(self.out, *self.words) as receiver:
            self.wait_for(lambda: len(self.events()) == 2)
            err = receiver.stop()[2]
        self.assertEqual(self.reports, [(1, ["1.2.9"], {})] * 2)
        self.assertEqual([path.name for path in waiting(self.out)], ["0.json", "1.json"])
        self.assertIn("a member is missing", err)
        for word in ("1.2.9", "1.2.7", "0.json", "1.json"):
            self.assertNotIn(word, err)

    def test_two_receivers(self):
        self.killed_after_the_answer("1.2.9")
        with Receiver(self.out, *self.words) as receiver:
            receiver.wait_for_err(b"cannot reach")
            self.fails(1, "dpipe-receive", "--port", "0", "-o", self.out, *self.words)
            with Receiver(self.scratch / "other", *self.words):  # it has nothing to report
                self.answer()
                self.wait_for(self.events)
        self.assertEqual(self.reports, [(1, ["1.2.9"], {})])

    @dpipe.needs("strace")
    def test_it_is_durable_before_the_answer(self):
        trace = self.scratch / "trace"
        with Receiver(self.out) as receiver:
            peer = self.scu(receiver)
            self.assertEqual(peer.echo(context=COMMITMENT), 0)  # its process is there, and listens
            tracer = self.traced(
                max(children_of(receiver)), "-y", "-e", "trace=fdatasync,linkat,fsync,sendto", "-o", trace)
            self.assertEqual(peer.ask([image("1.2.9")]), 0)
            take_report(peer)
            self.assertTrue(peer.release())
            tracer.wait(20)
        calls = [line for line in trace.read_text().splitlines() if line.endswith(" = 0") or line.startswith("sendto")]
        steps = ("fdatasync(", "1.2.77.json", "/.dpipe-commitment>", f"{self.out}>", "sendto(")
        self.assertEqual([next((step for step in steps if step in line), line) for line in calls[:5]], list(steps))

    def traced(self, child, *words):
        tracer = dpipe.start("strace", *words, "-p", str(child), stderr=-3)
        status = pathlib.Path(f"/proc/{child}/status")
        self.wait_for(lambda: f"TracerPid:\t{tracer.pid}" in status.read_text())
        return tracer

    @dpipe.needs("strace")
    def test_killed_at_every_step(self):
        """The process of the association is killed at each system call that changes anything, the first of its kind, the
        second, and so on; every other time the whole receiver with it."""
        self.answer()
        self.receiver = Receiver(self.out, *self.words)
        self.addCleanup(lambda: self.receiver.kill())
        killed = [self.killed_at(call) for call in ("mkdir", "fdatasync", "fsync", "flock", "linkat", "sendto", "unlink")]
        self.assertGreater(min(killed), 0, killed)

    def killed_at(self, call):
        """How many of such calls there were."""
        for step in range(1, 30):
            self.reports.clear()
            peer = self.scu(self.receiver)
            self.store(peer, "1.2.9")
            ended, success = self.ask_and_kill(peer, max(children_of(self.receiver)), call, step)
            if step % 2 and not ended:
                self.receiver.kill()
                self.receiver = Receiver(self.out, *self.words)
            self.wait_for(lambda: not waiting(self.out) and not children_of(self.receiver))
            if success:
                self.assertGreater(len(self.reports), 0, (call, step))
            self.assertLessEqual(len(self.reports), 2, (call, step))
            for report in self.reports:
                self.assertEqual(report, (1, ["1.2.9"], {}), (call, step))
            if ended:
                return step - 1
        raise AssertionError(f"no end of {call}")

    def ask_and_kill(self, peer, child, call, step):
        """(the child came to its end, the request was answered with Success)."""
        trace = self.scratch / f"{call}{step}"
        tracer = self.traced(
            child, "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={step}", "-o", trace)
        success = False
        try:
            success = peer.ask([image("1.2.9")]) == 0
            peer.release()
        except (Gone, OSError):
            pass
        peer.close()
        tracer.wait(30)
        return "killed by SIGKILL" not in trace.read_text(), success


class OnItsNextAssociation(CommitmentTest):
    def test_who_has_no_address_hears_it_when_it_asks_again(self):
        for number, end in enumerate((signal.SIGKILL, signal.SIGTERM)):
            with self.subTest(end=end):
                self.out = self.scratch / f"in{number}"
                self.check_hears_it_after(end)

    def check_hears_it_after(self, end):
        with Receiver(self.out) as receiver:
            peer = self.scu(receiver)
            self.store(peer, "1.2.9")
            self.assertEqual(peer.ask([image("1.2.9")], transaction="1.2.76"), 0)
            peer.receive_message()  # the report, which it does not answer
            receiver.stop(end)
        with Receiver(self.out) as receiver:
            stranger = self.scu(receiver, calling="STRANGER")
            self.assertEqual(stranger.ask([image("1.2.9")]), 0)
            self.assertEqual(take_report(stranger), (1, ["1.2.9"], {}))
            self.assertTrue(stranger.release())
            peer = self.scu(receiver)
            self.assertEqual(peer.ask([image("1.2.8")]), 0)
            self.assertEqual(take_report(peer), (2, [], {"1.2.8": 0x0112}))
            self.assertEqual(take_report(peer, "1.2.76"), (1, ["1.2.9"], {}))
            self.assertTrue(peer.release())
            self.wait_for(lambda: not children_of(receiver))
        self.assertEqual(waiting(self.out), [])

    def test_who_leaves_without_an_address_is_given_up(self):
        log = self.scratch / "events"
        with Receiver(self.out, "--events", log) as receiver:
            peer = self.scu(receiver)
            self.assertEqual(peer.ask([image("1.2.8")]), 0)
            peer.abort()
            receiver.wait_for_err(b"PEER did not hear")
            self.wait_for(lambda: '"delivered":false' in log.read_text())
        self.assertEqual(waiting(self.out), [])


class OnAFullDisk(CommitmentTest):
    def ask_when_full(self, *words):
        with small_disk.mounted(self.out, 4 << 20), Receiver(self.out, "--min-free-files", 0, *words) as receiver:
            peer = self.scu(receiver)
            self.store(peer, "1.2.9")
            filler = self.out / "filler"
            with open(filler, "wb", buffering=0) as file:
                try:
                    while file.write(bytes(4096)):
                        pass
                except OSError:
                    pass
            status = peer.ask([image("1.2.9")])
            self.assertEqual(waiting(self.out), [])
            filler.unlink()
            self.assertEqual(peer.ask([image("1.2.9")]), 0)
            self.assertEqual(take_report(peer), (1, ["1.2.9"], {}))
            self.assertTrue(peer.release())
            return status, receiver.stop()[2]

    def test_nothing_is_promised_that_cannot_be_kept(self):
        status, err = self.ask_when_full("--min-free", "0")
        self.assertEqual(status, 0x0213)
        self.assertIn("No space left", err)

    def test_nor_where_little_room_is_left(self):
        self.assertEqual(self.ask_when_full("--min-free", "1M")[0], 0x0213)


if __name__ == "__main__":
    dpipe.main()
