"""dpipe-receive as a service: events, counters, reload, a socket that is passed to it, its systemd unit."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import dicom_bytes as made
import dpipe
from certificates import Authority
from dicom_peer import Rejected, Requestor
from receiving import Receiver, stored

CONTEXTS = [(made.SECONDARY_CAPTURE, [made.EXPLICIT]), (made.VERIFICATION, [made.IMPLICIT])]


class OperationTest(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.scratch / "in"

    def requestor(self, receiver, **how):
        peer = Requestor(receiver.port, CONTEXTS, **how)
        self.addCleanup(peer.close)
        return peer

    def wait_for(self, what, timeout=10):
        until = time.monotonic() + timeout
        while not what():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)


class Events(OperationTest):
    def events(self, path):
        return [json.loads(line) for line in path.read_text().splitlines()]

    def test_all_that_happens_is_a_line(self):
        log = self.scratch / "events"
        with Receiver(self.out, "--events", log, "--max-object", "100K", "--max-per-aet", "1") as receiver:
            peer = self.requestor(receiver, calling="CT1")
            self.assertEqual(peer.store("1.2.9", made.instance("1.2.9")), 0)
            self.assertEqual(peer.store("1.2.9", made.instance("1.2.9")), 0)
            self.assertEqual(peer.store("1.2.9", made.instance("1.2.9", pixels=b"\1\2")), 0)
            self.assertEqual(peer.store("1.2.8", made.instance("1.2.8", pixels=b"\1" * 120_000)), 0xA700)
            with self.assertRaises(Rejected):
                self.requestor(receiver, calling="CT1")
            peer.release()
            other = self.requestor(receiver, calling="CT2")
            other.store_request(1, "1.2.7", made.SECONDARY_CAPTURE)
            other.abort()
            socket.create_connection(("127.0.0.1", receiver.port)).close()
            self.wait_for(lambda: len(log.read_text().splitlines()) >= 10)
            _, _, err = receiver.stop()
        text = log.read_text()
        events = self.events(log)
        first = [event for event in events if event["association"] == 1]
        self.assertEqual([event["event"] for event in first],
                         ["opened", "stored", "stored", "stored", "refused", "closed"])
        self.assertEqual([event.get("duplicate") for event in first[1:4]], ["none", "identical", "versioned"])
        self.assertEqual({event["calling_aet"] for event in first}, {"CT1"})
        self.assertEqual(first[1]["path"], str(self.out / "1.2.3/1.2.3.4/1.2.9.dcm"))
        self.assertEqual((first[1]["StudyInstanceUID"], first[1]["SOPInstanceUID"]), ("1.2.3", "1.2.9"))
        self.assertEqual((first[4]["status"], first[4]["limit"]), ("A700H", "max-object"))
        self.assertEqual((first[5]["released"], first[5]["stored"], first[5]["refused"]), (True, 3, 1))
        by_number = {n: [e for e in events if e["association"] == n] for n in (2, 3, 4)}
        self.assertEqual([(e["event"], e.get("limit")) for e in by_number[2]], [("rejected", "max-per-aet")])
        self.assertEqual([e["event"] for e in by_number[3]], ["opened", "closed"])
        self.assertFalse(by_number[3][1]["released"])
        self.assertEqual([e["event"] for e in by_number[4]], ["failed"])
        for event in events:
            self.assertRegex(event["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            self.assertRegex(event["peer"], r"^127\.0\.0\.1:\d+$")
        self.assertNotIn("PAT1", text + err)

    def test_to_a_descriptor_that_nobody_reads(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        with Receiver(self.out, "--events", str(writer), stdout=subprocess.DEVNULL, pass_fds=[writer]) as receiver:
            os.close(writer)
            peer = self.requestor(receiver)
            for number in range(400):  # more than the pipe holds
                self.assertEqual(peer.store(f"1.2.9.{number}", made.instance(f"1.2.9.{number}")), 0)
            peer.release()
            text = b""
            while text.count(b"\n") < 402:
                text += os.read(reader, 65536)
            self.assertEqual(json.loads(text.splitlines()[-1])["event"], "closed")

    def test_a_process_that_dies_closes_its_association(self):
        log = self.scratch / "events"
        with Receiver(self.out, "--events", log) as receiver:
            self.requestor(receiver)
            children = open(f"/proc/{receiver.process.pid}/task/{receiver.process.pid}/children", encoding="ascii")
            with children:
                os.kill(int(children.read().split()[0]), signal.SIGKILL)
            self.wait_for(lambda: "closed" in log.read_text())
            self.assertIn("died", self.events(log)[-1]["reason"])

    def test_where_events_cannot_go(self):
        for target in (self.scratch / "no" / "events", "99"):
            self.fails(1, "dpipe-receive", "--port", "0", "-o", self.out, "--events", target)

    def test_counters(self):
        sums = self.scratch / "sums.prom"
        with Receiver(self.out, "--counters", sums, "--allow-aet", "CT1", stdout=subprocess.DEVNULL) as receiver:
            self.assertIn("dpipe_receive_associations_total 0\n", sums.read_text())
            peer = self.requestor(receiver, calling="CT1")
            for uid in ("1.2.9", "1.2.9", "1.2.8"):
                peer.store(uid, made.instance(uid))
            peer.store("1.2.7", made.instance("1.2.6"))
            with self.assertRaises(Rejected):
                self.requestor(receiver, calling="X")
            self.wait_for(lambda: 'rejected_total{limit="access"} 1' in sums.read_text())
            self.assertIn("dpipe_receive_associations_open 1\n", sums.read_text())
            receiver.stop()
        lines = dict(line.rsplit(" ", 1) for line in sums.read_text().splitlines())
        size = sum(path.stat().st_size for path in stored(self.out))
        for name, value in (("associations_open", 0), ("associations_total", 1), ("bytes_total", size),
                            ('instances_stored_total{duplicate="none"}', 2),
                            ('instances_stored_total{duplicate="identical"}', 1),
                            ('instances_refused_total{status="A900H"}', 1)):
            self.assertEqual(lines["dpipe_receive_" + name], str(value), name)


class Reload(OperationTest):
    def hang_up(self, receiver, text):
        receiver.err = b""
        receiver.process.send_signal(signal.SIGHUP)
        receiver.wait_for_err(text)

    def test_nodes(self):
        nodes = self.scratch / "nodes.json"
        nodes.write_text('{"nodes": [{"aet": "CT1"}]}')
        with Receiver(self.out, "--nodes", nodes) as receiver:
            running = self.requestor(receiver, calling="CT1")
            nodes.write_text('{"nodes": [{"aet": "CT2"}]}')
            self.hang_up(receiver, b"again")
            self.requestor(receiver, calling="CT2")
            for broken in ('{"nodes": [', None):
                nodes.unlink() if broken is None else nodes.write_text(broken)
                self.hang_up(receiver, b"nobody is let in")
                with self.assertRaises(Rejected) as caught:
                    self.requestor(receiver, calling="CT2")
                self.assertEqual(caught.exception.answer, (2, 3, 1))
            nodes.write_text('{"nodes": [{"aet": "CT2"}]}')
            self.hang_up(receiver, b"again")
            self.requestor(receiver, calling="CT2")
            self.assertEqual(running.echo(context=3), 0)  # what runs goes on

    @dpipe.needs("openssl")
    def test_certificates(self):
        authority = Authority(self.scratch / "ca")
        certificate, key = authority.issue("localhost")
        context = ssl.create_default_context(cafile=authority.ca)

        def serial(receiver):
            with socket.create_connection(("127.0.0.1", receiver.port), 5) as plain:
                with context.wrap_socket(plain, server_hostname="localhost") as connection:
                    return connection.getpeercert()["serialNumber"]

        with Receiver(self.out, "--tls", "--tls-cert", certificate, "--tls-key", key) as receiver:
            first = serial(receiver)
            authority.issue("localhost")
            self.assertEqual(serial(receiver), first)
            self.hang_up(receiver, b"again")
            second = serial(receiver)
            self.assertNotEqual(second, first)
            key.write_text("broken")
            self.hang_up(receiver, b"going on as before")
            self.assertEqual(serial(receiver), second)

    def test_the_event_file_is_opened_again(self):
        log, moved = self.scratch / "events", self.scratch / "events.1"
        with Receiver(self.out, "--events", log) as receiver:
            self.requestor(receiver).release()
            self.wait_for(lambda: log.read_text().count("\n") == 2)
            log.rename(moved)
            self.hang_up(receiver, b"again")
            self.requestor(receiver).release()
            self.wait_for(lambda: log.read_text().count("\n") == 2)
            self.assertEqual(moved.read_text().count("\n"), 2)


class Watched(OperationTest):
    """dpipe-watch beside it."""

    def complete(self):
        result = self.succeeds("dpipe-watch", "--once", "--timeout", "0", "--json", self.out)
        return [(record["path"], record["revision"], record["files"])
                for record in map(json.loads, result.out.splitlines())]

    def test_an_open_association_holds_its_studies(self):
        one, two = str(self.out / "1.2.1"), str(self.out / "1.2.2")
        with self.receiver() as receiver:
            first, second = self.requestor(receiver), self.requestor(receiver)
            for peer, study in ((first, "1.2.1"), (second, "1.2.1"), (first, "1.2.2")):
                uid = f"{study}.9.{peer.sock.fileno()}"
                self.assertEqual(peer.store(uid, made.instance(uid, study=study)), 0)
            self.assertEqual(self.complete(), [])
            first.release()
            self.wait_for(lambda: self.complete() == [(two, 1, 1)])
            self.assertEqual(self.complete(), [])  # the other association goes on with study one
            self.assertEqual(second.store("1.2.1.9.7", made.instance("1.2.1.9.7", study="1.2.1")), 0)
            second.abort()
            self.wait_for(lambda: self.complete() == [(one, 1, 3)])
            late = self.requestor(receiver)
            self.assertEqual(late.store("1.2.1.9.8", made.instance("1.2.1.9.8", study="1.2.1")), 0)
            self.assertEqual(self.complete(), [])
            late.release()
            self.wait_for(lambda: self.complete() == [(one, 2, 4)])

    def receiver(self):
        return Receiver(self.out, stdout=subprocess.DEVNULL)


class Service(OperationTest):
    def test_a_socket_that_is_passed(self):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            waiting = socket.create_connection(("127.0.0.1", port), 5)  # before anybody serves
            self.addCleanup(waiting.close)
            process = subprocess.Popen(
                ["bash", "-c", f'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@" 3<&{listening.fileno()}', "bash",
                 dpipe.BIN / "dpipe-receive", "-o", self.out, "--timeout", "2"],
                pass_fds=[listening.fileno()], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertIn(f"listening on 127.0.0.1:{port}".encode(), process.stderr.readline())
        self.assertEqual(waiting.recv(1), b"")  # heard, and given up for its silence
        with Requestor(port) as peer:
            self.assertEqual(peer.echo(), 0)

    @dpipe.needs("systemd-analyze")
    def test_the_unit_is_one_and_hardened(self):
        units = dpipe.ROOT / "scripts" / "systemd"
        service = self.scratch / "dpipe-receive.service"
        text = (units / "dpipe-receive.service").read_text()
        service.write_text(text.replace("/usr/bin/dpipe-receive", str(dpipe.BIN / "dpipe-receive")))
        others = [self.scratch / f"dpipe-receive{ending}" for ending in (".socket", "-rotate.service", "-rotate.timer")]
        for unit in others:
            unit.write_text((units / unit.name).read_text())
        verified = dpipe.run("systemd-analyze", "verify", "--man=no", service, *others)
        self.assertEqual((verified.code, [line for line in verified.err.splitlines() if "dpipe" in line]), (0, []))
        for unit in (service, others[1]):
            result = dpipe.run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
            self.assertEqual(result.code, 0, result.out + result.err)
            print(re.search("Overall exposure.*", result.out).group())

    def test_the_words_of_the_unit_are_ours(self):
        text = (dpipe.ROOT / "scripts" / "systemd" / "dpipe-receive.service").read_text()
        words = re.search("^ExecStart=.*", text, re.MULTILINE).group()
        known = dpipe.run("dpipe-receive", "--help").out
        for word in re.findall(r"--[a-z-]+", words):
            self.assertIn(word, known)


if __name__ == "__main__":
    dpipe.main()
