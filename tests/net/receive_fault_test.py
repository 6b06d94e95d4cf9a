"""dpipe-receive where things go wrong: full disks, kills, hostile and hanging peers."""

import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import threading
import time

import dicom_bytes as made
import dpipe
import small_disk
from dicom_peer import C_STORE, RQ, Gone, Requestor, command_bytes, item
from receiving import Receiver, stored

#: How often the receiver is killed; `make faults` asks for many.
ROUNDS = int(os.environ.get("DPIPE_FAULT_ROUNDS", 3))
CONTEXTS = [(made.SECONDARY_CAPTURE, [made.EXPLICIT])]


class FaultTest(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.scratch / "in"

    def connect(self, receiver):
        connection = socket.create_connection(("127.0.0.1", receiver.port), 10)
        self.addCleanup(connection.close)
        return connection

    def requestor(self, receiver, **how):
        peer = Requestor(receiver.port, CONTEXTS, **how)
        self.addCleanup(peer.close)
        return peer

    def still_serves(self, receiver, uid="1.2.99"):
        """A new association is served at once."""
        start = time.monotonic()
        with Requestor(receiver.port) as peer:
            self.assertEqual(peer.echo(), 0)
        self.assertLess(time.monotonic() - start, 1)
        with Requestor(receiver.port, CONTEXTS) as peer:
            self.assertEqual(peer.store(uid, made.instance(uid)), 0)


class FullDisk(FaultTest):
    def setUp(self):
        super().setUp()
        self.enterContext(small_disk.mounted(self.out, "256k"))

    def test_never_success_for_what_does_not_fit(self):
        with Receiver(self.out, "--min-free", "0") as receiver:
            peer = self.requestor(receiver)
            uid = "1.2.8"
            for size in range(245_000, 275_000, 2_000):
                data_set = made.instance(uid, pixels=b"\1" * size)
                status = peer.store(uid, data_set)
                files = stored(self.out)
                if status == 0:
                    self.assertEqual(made.split(files[0].read_bytes())[1], data_set)
                    files[0].unlink()
                else:
                    self.assertEqual(status, 0xA700)
                    self.assertEqual(files, [])
            self.assertEqual(status, 0xA700)
            self.assertEqual(peer.store("1.2.9", made.instance("1.2.9")), 0)
            self.assertIn(b"A700H: cannot write: No space left", receiver.wait_for_err(b"A700H"))

    def test_no_room_for_a_single_byte(self):
        with Receiver(self.out, "--min-free", "0") as receiver:
            with open(self.out / "filler", "wb", buffering=0) as filler:
                with self.assertRaises(OSError):
                    while True:
                        filler.write(b"\0" * 1000)
            peer = self.requestor(receiver)
            self.assertEqual(peer.store("1.2.9", made.instance("1.2.9", pixels=b"\1" * 50_000)), 0xA700)
            (self.out / "filler").unlink()
            self.assertEqual(peer.store("1.2.9", made.instance("1.2.9", pixels=b"\1" * 50_000)), 0)


class Killed(FaultTest):
    def test_what_was_acknowledged_is_there_and_nothing_is_half(self):
        """kill -9 of the parent, which takes its associations along, at a random instant under load."""
        total = sum(self.killed_once(number) for number in range(ROUNDS))
        self.assertGreater(total, 10 * ROUNDS)
        with Receiver(self.out) as receiver:
            self.still_serves(receiver)

    def killed_once(self, number):
        """Four send until it dies; how many were acknowledged. Each of these is there, whole; none is half."""
        acknowledged, sent = [], {}

        def send(port, sender):
            try:
                with Requestor(port, CONTEXTS) as peer:
                    for instance in range(10_000):
                        uid = f"1.2.{number}.{sender}.{instance}"
                        sent[uid] = made.instance(uid, pixels=os.urandom(8) * 4000)
                        if peer.store(uid, sent[uid]) == 0:
                            acknowledged.append(uid)
            except (Gone, OSError, struct.error):
                pass

        receiver = Receiver(self.out, stdout=subprocess.DEVNULL)
        threads = [threading.Thread(target=send, args=(receiver.port, n)) for n in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.3 + random.random() / 3)
        receiver.kill()
        for thread in threads:
            thread.join()
        there = {path.stem: path for path in stored(self.out)}
        self.assertEqual(set(acknowledged) - set(there), set())
        for uid, path in there.items():
            self.assertEqual(path.suffix, ".dcm")
            self.assertEqual(made.split(path.read_bytes())[1], sent[uid])
            path.unlink()
        return len(acknowledged)

    def test_its_associations_die_with_it_and_the_port_is_free(self):
        receiver = Receiver(self.out)
        peer = self.requestor(receiver)
        receiver.kill()
        with self.assertRaises(Gone):
            peer.receive_pdu()
        again = dpipe.start("dpipe-receive", "--bind", "127.0.0.1", "--port", receiver.port, "-o", self.out,
                            stderr=subprocess.PIPE)
        self.addCleanup(again.stderr.close)
        self.addCleanup(again.wait)
        self.addCleanup(again.kill)
        self.assertIn(b"listening", again.stderr.readline())


class Order(FaultTest):
    @dpipe.needs("strace")
    def test_synced_named_and_synced_again_before_success(self):
        log = self.scratch / "trace"
        receiver = Receiver(self.out)
        self.addCleanup(receiver.kill)
        calls = "fdatasync,linkat,fsync,sendto,mkdir,openat"
        tracer = subprocess.Popen(
            ["strace", "-f", "-y", "-s", "200", "-e", f"trace={calls}", "-o", log, "-p", str(receiver.process.pid)],
            stderr=subprocess.PIPE)
        if b"attached" not in tracer.stderr.readline():
            tracer.stderr.close()
            tracer.wait()
            self.skipTest("this process may not trace")
        peer = self.requestor(receiver)
        self.assertEqual(peer.store("1.2.9", made.instance("1.2.9")), 0)
        peer.release()
        receiver.stop()
        tracer.wait(10)
        tracer.stderr.close()
        text = log.read_text()
        steps = [
            ('fdatasync', f'{self.out}/#'), ('linkat', '1.2.9.dcm'), ('fsync', f'{self.out}/1.2.3/1.2.3.4>'),
            ('sendto', '1.2.9.dcm\\0'), ('sendto', '"\\4\\0')]
        lines = [line for line in text.splitlines() if "resumed" not in line]
        position = next(i for i, line in enumerate(lines) if "linkat" in line and "1.2.9.dcm" in line) - 1
        found = []
        for step in steps:
            position = next((i for i in range(position, len(lines))
                             if step[0] in lines[i] and step[1] in lines[i]), None)
            self.assertIsNotNone(position, f"{step} after {found}:\n{text}")
            found.append(step)
        # The folders on the way were synced before the file got its name.
        before = text[:text.index('1.2.9.dcm", AT_')]
        for folder in (self.out, self.out / "1.2.3"):
            self.assertRegex(before, rf"fsync\(\d+<{folder}>")


class Hanging(FaultTest):
    def test_silent_and_dripping_clients_delay_nobody(self):
        with Receiver(self.out) as receiver:
            held = [self.connect(receiver) for _ in range(40)]
            for connection in held[20:]:
                connection.sendall(b"\1\0")
            stalled = [self.requestor(receiver) for _ in range(10)]
            for peer in stalled:
                peer.store_request(1, "1.2.8", made.SECONDARY_CAPTURE)
                peer.send_pdvs((1, 0, made.instance("1.2.8")[:100]))
            self.still_serves(receiver)
            for connection in held[20:]:
                connection.sendall(b"\0")
            self.still_serves(receiver)
            self.assertEqual([p.name for p in stored(self.out)], ["1.2.99.dcm"])

    def test_a_silent_association_ends_after_the_timeout(self):
        with Receiver(self.out, "--timeout", "1") as receiver:
            connection, peer, half = self.connect(receiver), self.requestor(receiver), self.requestor(receiver)
            half.store_request(1, "1.2.8", made.SECONDARY_CAPTURE)
            half.send_pdvs((1, 0, b"\0" * 100))
            start = time.monotonic()
            self.assertEqual(connection.recv(1), b"")
            for silent in (peer, half):
                kind, _ = silent.receive_pdu()
                self.assertEqual(kind, 7)  # A-ABORT
            self.assertLess(time.monotonic() - start, 4)
            self.still_serves(receiver)

    def test_a_trickle_ends_too(self):
        with Receiver(self.out, "--timeout", "1") as receiver:
            peer = self.requestor(receiver)
            peer.store_request(1, "1.2.8", made.SECONDARY_CAPTURE)
            start = time.monotonic()
            with self.assertRaises((Gone, OSError, AssertionError)):
                while time.monotonic() - start < 10:
                    peer.send_pdvs((1, 0, b"\0\0"))
                    time.sleep(0.1)
            self.assertLess(time.monotonic() - start, 6)

    def test_a_slow_sender_that_keeps_going_is_heard_out(self):
        with Receiver(self.out, "--timeout", "1") as receiver:
            peer = self.requestor(receiver)
            data_set = made.instance("1.2.8", pixels=b"\1" * 12_000)
            peer.store_request(1, "1.2.8", made.SECONDARY_CAPTURE)
            for start in range(0, len(data_set), 1000):  # 3 s
                peer.send_pdvs((1, 2 if start + 1000 >= len(data_set) else 0, data_set[start:start + 1000]))
                time.sleep(0.25)
            self.assertEqual(peer.receive_message()[1]["Status"], 0)

    def test_a_peer_that_goes_on_after_an_abort_is_hung_up_on(self):
        with Receiver(self.out, "--timeout", "1") as receiver:
            peer = self.requestor(receiver)
            start = time.monotonic()
            with self.assertRaises(OSError):
                while time.monotonic() - start < 10:
                    peer.send_pdvs((1, 0, b"\0" * 100))  # a data set without a command
                    time.sleep(0.001)
            self.assertLess(time.monotonic() - start, 5)

    def test_a_peer_that_reads_no_answers_is_given_up(self):
        with Receiver(self.out, "--timeout", "1") as receiver:
            peer = self.requestor(receiver)
            peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            echo = command_bytes(CommandField=0x30, MessageID=1, CommandDataSetType=0x101,
                                 AffectedSOPClassUID=made.VERIFICATION)
            start = time.monotonic()
            with self.assertRaises(OSError):
                while time.monotonic() - start < 30:
                    peer.send_pdvs(*[(1, 3, echo)] * 100)
            receiver.wait_for_err(b"gave up on")


class Hostile(FaultTest):
    def broken_off(self, receiver, reason, *pdus):
        """After these bytes the association is over and the reason was said."""
        peer = self.requestor(receiver)
        for pdu in pdus:
            try:
                peer.sock.sendall(pdu)
            except OSError:
                break
        with self.assertRaises(Gone):
            while peer.receive_pdu()[0] != 7:
                pass
            raise Gone  # A-ABORT
        receiver.wait_for_err(reason)
        receiver.err = receiver.err.replace(reason, b"")

    @staticmethod
    def pdu(*pdvs, kind=4, length=None):
        body = b"".join(struct.pack(">IBB", len(d) + 2 if size is None else size, context, control) + d
                        for size, context, control, d in pdvs)
        return struct.pack(">BBI", kind, 0, len(body) if length is None else length) + body

    def test_malformed_messages(self):
        store = command_bytes(
            CommandField=C_STORE, MessageID=1, Priority=0, CommandDataSetType=0,
            AffectedSOPClassUID=made.SECONDARY_CAPTURE, AffectedSOPInstanceUID="1.2.8")
        nested = made.implicit_element(0x00000002, b"", 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
        cases = [
            (b"aborted|DUL|malformed|Unexpected", [self.pdu(kind=9)]),
            (b"PDU is empty", [self.pdu()]),
            (b"PDU is too long", [self.pdu(length=0xFFFFFFFF)]),
            (b"PDU is too long", [self.pdu((None, 1, 0, b"\0" * 200_000))]),
            (b"does not fit", [self.pdu((0, 1, 3, b""))]),
            (b"does not fit", [self.pdu((1, 1, 3, b""))]),
            (b"does not fit", [self.pdu((0xFFFFFFFF, 1, 3, b"abc"))]),
            (b"half a PDV", [self.pdu((2, 1, 1, b"abc"))]),
            (b"not agreed on", [self.pdu((None, 7, 3, store))]),
            (b"without a command", [self.pdu((None, 1, 2, b"abcd"))]),
            (b"within a command", [self.pdu((None, 1, 1, store[:20]), (None, 3, 3, store[20:]))]),
            (b"command is too long", [self.pdu((None, 1, 1, b"\0" * 8000))] * 3),
            (b"longer than the command", [self.pdu((None, 1, 3, nested * 20))]),
            (b"of another group", [self.pdu((None, 1, 3, made.implicit_element(0x00080016, "1.2") + store))]),
            (b"cut short", [self.pdu((None, 1, 3, store + b"\0\0"))]),
            (b"broke off a data set", [self.pdu((None, 1, 3, store)), self.pdu((None, 1, 3, store))]),
            (b"in the middle of a data set", [self.pdu((None, 1, 3, store)), self.pdu(kind=5, length=4) + b"\0" * 4]),
        ]
        with Receiver(self.out) as receiver:
            for reason, pdus in cases:
                with self.subTest(reason):
                    if b"|" in reason:
                        reason = b"warning"
                    self.broken_off(receiver, reason, *pdus)
            self.still_serves(receiver)
            self.assertNotIn(b"died", receiver.err)

    def test_a_command_in_one_byte_pieces(self):
        with Receiver(self.out) as receiver:
            peer = self.requestor(receiver)
            echo = command_bytes(CommandField=0x30, MessageID=1, CommandDataSetType=0x101,
                                 AffectedSOPClassUID=made.VERIFICATION)
            for number, byte in enumerate(echo):
                peer.send_pdvs((1, 3 if number == len(echo) - 1 else 1, bytes([byte])))
            self.assertEqual(peer.receive_message()[1]["Status"], 0)

    def test_deep_nesting_is_stored_as_it_came(self):
        deep = (0x00081115, made.nested(0x00081115, 10_000))
        deeper = (0x00400275, made.nested(0x00400275, 100_000))
        with Receiver(self.out) as receiver:
            peer = self.requestor(receiver)
            for number, more in enumerate(([deep], [deeper])):
                data_set = made.instance(f"1.2.{number}", more=more)
                self.assertEqual(peer.store(f"1.2.{number}", data_set), 0)
                self.assertEqual(made.split(pathlib.Path(receiver.lines(1)[0]).read_bytes())[1], data_set)
            too_deep = made.instance("1.2.7", more=[(0x00081115, made.nested(0x00081115, 100_000))])
            self.assertEqual(peer.store("1.2.7", too_deep), 0xC000)
            self.still_serves(receiver)

    def test_lengths_that_lie(self):
        with Receiver(self.out) as receiver:
            peer = self.requestor(receiver)
            for length in (0xFFFFFFFE, 0x7FFFFFFF, 100_000):
                lie = (0x00081115, made.element(0x00081115, "SQ", length=length))
                self.assertEqual(peer.store("1.2.7", made.instance("1.2.7", more=[lie])), 0xC000)
            self.assertEqual(stored(self.out), [])
            self.still_serves(receiver)

    def test_association_requests_that_ask_too_much(self):
        many = [(f"1.2.840.10008.5.1.4.1.1.{n}", [f"1.2.3.{n}.{t}" for t in range(60)]) for n in range(128)]
        with Receiver(self.out) as receiver:
            with Requestor(receiver.port, many) as peer:
                self.assertEqual(peer.accepted, {2 * n + 1: f"1.2.3.{n}.0" for n in range(128)})
            identity = item(0x58, b"\1\0" + struct.pack(">H", 4000) + b"x" * 4000 + b"\0\0")
            with Requestor(receiver.port, CONTEXTS, more=identity * 5) as peer:
                self.assertEqual(peer.store("1.2.9", made.instance("1.2.9")), 0)
            connection = self.connect(receiver)
            connection.sendall(struct.pack(">BBI", RQ, 0, 1 << 20) + b"\0" * 1000)
            self.assertEqual(connection.recv(1), b"")
            connection = self.connect(receiver)
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            connection.settimeout(5)
            self.assertIn(connection.recv(1), (b"", b"\7"))
            self.still_serves(receiver)

    @dpipe.unittest.skipIf(dpipe.SANITIZED, "a sanitizer takes the signal")
    def test_a_signal_at_its_own_process_is_said_and_harms_nobody(self):
        with Receiver(self.out) as receiver:
            peer = self.requestor(receiver)
            children = pathlib.Path(f"/proc/{receiver.process.pid}/task/{receiver.process.pid}/children")
            os.kill(int(children.read_text().split()[0]), signal.SIGSEGV)
            with self.assertRaises(Gone):
                peer.receive_pdu()
            receiver.wait_for_err(b"died by signal 11")
            self.still_serves(receiver)
            self.assertEqual(list(pathlib.Path(".").glob("core*")), [])


if __name__ == "__main__":
    dpipe.main()
