"""dpipe-receive: who is let in, what they may send, and the limits that everybody has."""

import json
import socket
import time
import zlib

import dicom_bytes as made
import dpipe
import small_disk
from dicom_peer import Gone, Rejected, Requestor
from receiving import Receiver, stored

CONTEXTS = [(made.SECONDARY_CAPTURE, [made.EXPLICIT]), (made.VERIFICATION, [made.IMPLICIT])]

# (result, source, reason) of PS3.8 Table 9-21
NOT_ALLOWED, CALLING_AET, CALLED_AET = (1, 1, 1), (1, 1, 3), (1, 1, 7)
CONGESTION, LIMIT = (2, 3, 1), (2, 3, 2)


class AccessTest(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.scratch / "in"

    def requestor(self, receiver, contexts=CONTEXTS, **how):
        peer = Requestor(receiver.port, contexts, **how)
        self.addCleanup(peer.close)
        return peer

    def rejected(self, receiver, answer, word, **how):
        """The association is rejected with that answer, and `word` is said."""
        with self.assertRaises(Rejected) as caught:
            self.requestor(receiver, **how)
        self.assertEqual(caught.exception.answer, answer)
        receiver.wait_for_err(word.encode())
        receiver.err = b""

    def nodes(self, nodes, **more):
        path = self.scratch / "nodes.json"
        path.write_text(json.dumps({"nodes": nodes, **more}))
        return path


class Access(AccessTest):
    def test_only_these_titles(self):
        with Receiver(self.out, "--allow-aet", "CT1", "--allow-aet", "CT2") as receiver:
            for aet in ("CT1", "CT2"):
                self.assertEqual(self.requestor(receiver, calling=aet).echo(context=3), 0)
            for aet in ("CT3", "ct1", "CT1X"):
                self.rejected(receiver, CALLING_AET, "may not call", calling=aet)

    def test_only_from_these_addresses(self):
        with Receiver(self.out, "--allow-from", "127.0.0.8/30") as receiver:
            for address in ("127.0.0.8", "127.0.0.11"):
                self.assertEqual(self.requestor(receiver, source=address).echo(context=3), 0)
            for address in ("127.0.0.7", "127.0.0.12"):
                self.rejected(receiver, NOT_ALLOWED, "from its address", source=address)

    def test_only_who_calls_us(self):
        with Receiver(self.out, "--check-called", "--aet", "STORE") as receiver:
            self.requestor(receiver, called="STORE")
            self.rejected(receiver, CALLED_AET, "another AE title", called="OTHER")

    @dpipe.needs("echoscu")
    def test_a_standard_peer_reads_the_reason(self):
        with Receiver(self.out, "--allow-aet", "CT1", "--check-called") as receiver:
            for words, reason in ((["-aet", "X"], "Calling AE Title Not Recognized"),
                                  (["-aet", "CT1", "-aec", "Y"], "Called AE Title Not Recognized")):
                result = dpipe.run("echoscu", *words, "127.0.0.1", receiver.port)
                self.assertNotEqual(result.code, 0)
                self.assertIn(reason, result.err + result.out)

    def test_a_nodes_file(self):
        try:
            socket.gethostbyname(host := "localhost")
        except OSError:  # a chroot without /etc/hosts
            host = "127.0.0.1"
        nodes = self.nodes([
            {"aet": "CT1", "address": "127.0.0.1", "permission": "write"},
            {"aet": "VIEW", "address": ["127.0.0.0/24", "::1"], "permission": "read"},
            {"aet": "OLD", "enabled": False}, {"aet": "ANY"}, {"aet": "NAMED", "host": host}])
        data_set = made.instance("1.2.9")
        with Receiver(self.out, "--nodes", nodes) as receiver:
            for aet in ("CT1", "ANY", "NAMED"):
                self.assertEqual(self.requestor(receiver, calling=aet).store("1.2.9", data_set), 0, aet)
            self.assertEqual(self.requestor(receiver, calling="ANY", source="127.0.0.9").echo(context=3), 0)
            self.rejected(receiver, CALLING_AET, "may not call", calling="CT1", source="127.0.0.9")
            self.rejected(receiver, CALLING_AET, "may not call", calling="OLD")
            self.rejected(receiver, CALLING_AET, "may not call", calling="WHO")
            reader = self.requestor(receiver, calling="VIEW")
            self.assertEqual(reader.accepted, {3: made.IMPLICIT})
            self.assertEqual(reader.echo(context=3), 0)
            # Who may not store may not do it on another context either.
            self.assertEqual(reader.store("1.2.8", made.instance("1.2.8"), made.SECONDARY_CAPTURE, context=3), 0x0122)
        self.assertEqual([path.name for path in stored(self.out)], ["1.2.9.dcm"])

    def test_nodes_files_of_others(self):
        laminate = self.nodes({"n1": {"name": "a", "ip": "127.0.0.1", "port": 104, "aet": "CT1", "enabled": True,
                                      "description": "x"}}, settings={"polling_interval": 60})
        with Receiver(self.out, "--nodes", laminate) as receiver:
            self.requestor(receiver, calling="CT1")
            self.rejected(receiver, CALLING_AET, "may not call", calling="CT2")
        hub = self.nodes([{"id": 1, "name": "b", "ae_title": "MR1", "ip_address": "127.0.0.1", "port": 104,
                          "is_active": True, "permission": "read_write"}], workspace_id=7, config={"port": 1})
        with Receiver(self.out, "--nodes", hub) as receiver:
            self.requestor(receiver, calling="MR1")

    def test_what_is_no_nodes_file_lets_nobody_in(self):
        bad = {"no such file": None, "not JSON": "{", "no nodes": "{}", "a text": '{"nodes": "x"}',
               "no title": '{"nodes": [{"ip": "127.0.0.1"}]}', "wrong title": '{"nodes": [{"aet": "A\\\\B"}]}',
               "wrong address": '{"nodes": [{"aet": "A", "ip": "127.0.0.1/40"}]}',
               "bits behind": '{"nodes": [{"aet": "A", "ip": "127.0.0.1/8"}]}',
               "no addresses": '{"nodes": [{"aet": "A", "ip": []}]}',
               "wrong right": '{"nodes": [{"aet": "A", "permission": "all"}]}',
               "misspelt": '{"nodes": [{"aet": "A", "permision": "read"}]}',
               "no truth": '{"nodes": [{"aet": "A", "enabled": "yes"}]}'}
        for name, text in bad.items():
            with self.subTest(name):
                path = self.scratch / name.replace(" ", "-")
                if text is not None:
                    path.write_text(text)
                self.assertIn("nodes file", self.fails(
                    2, "dpipe-receive", "--port", "0", "-o", self.out, "--nodes", path).err)
        self.fails(2, "dpipe-receive", "-o", self.out, "--allow-from", "10.0.0.1/8")

    def test_an_empty_nodes_file_lets_nobody_in(self):
        with Receiver(self.out, "--nodes", self.nodes([])) as receiver:
            self.rejected(receiver, NOT_ALLOWED, "nobody may call")

    def test_only_these_classes_and_syntaxes(self):
        contexts = [(made.CT, [made.EXPLICIT]), (made.SECONDARY_CAPTURE, [made.HTJ2K, made.EXPLICIT]),
                    (made.SECONDARY_CAPTURE, [made.HTJ2K]), (made.VERIFICATION, [made.IMPLICIT])]
        with Receiver(self.out, "--accept-sop", "SecondaryCaptureImageStorage", "--accept-syntax",
                      made.EXPLICIT) as receiver:
            peer = self.requestor(receiver, contexts)
            self.assertEqual(peer.accepted, {3: made.EXPLICIT, 7: made.IMPLICIT})
            self.assertEqual(peer.store("1.2.8", made.instance("1.2.8", sop_class=made.CT), made.CT, context=3), 0x0122)
            self.assertEqual(peer.store("1.2.9", made.instance("1.2.9"), context=3), 0)
        self.fails(2, "dpipe-receive", "-o", self.out, "--accept-sop", "NoSuchStorage")


class Users(AccessTest):
    def users(self, text, mode=0o600):
        path = self.scratch / "users"
        path.write_text(text)
        path.chmod(mode)
        return path

    def storescu(self, receiver, *words):
        path = self.scratch / "1.2.9.dcm"
        path.write_bytes(made.part10(made.instance("1.2.9"), "1.2.9"))
        return dpipe.run("storescu", *words, "127.0.0.1", receiver.port, path).code

    @dpipe.needs("storescu")
    def test_only_who_knows_the_passcode(self):
        users = self.users("# who may call\nanna:s3cret: x\n\nbert:other\n")
        with Receiver(self.out, "--users", users) as receiver:
            self.assertEqual(self.storescu(receiver, "--user", "anna", "--password", "s3cret: x"), 0)
            self.assertEqual(self.storescu(receiver, "--user", "bert", "--password", "other", "--pos-response"), 0)
            for words in ([], ["--user", "anna", "--password", "s3cret"], ["--user", "carl", "--password", "other"],
                          ["--user", "anna"], ["--user", "bert", "--password", "s3cret: x"]):
                self.assertNotEqual(self.storescu(receiver, *words), 0, words)
            receiver.wait_for_err(b"not truly")
            for secret in (b"s3cret", b"anna", b"bert"):
                self.assertNotIn(secret, receiver.err)
            self.rejected(receiver, NOT_ALLOWED, "not truly")

    @dpipe.needs("storescu")
    def test_without_users_any_identity_does(self):
        with Receiver(self.out) as receiver:
            for words in (["--user", "x"], ["--user", "x", "--password", "y", "--pos-response"]):
                self.assertEqual(self.storescu(receiver, *words), 0)

    def test_what_is_no_users_file(self):
        for text, mode in (("anna", 0o600), (":x", 0o600), ("anna:", 0o600), ("a:1\na:2", 0o600), ("a:1", 0o640)):
            with self.subTest(text):
                err = self.fails(2, "dpipe-receive", "--port", "0", "-o", self.out,
                                 "--users", self.users(text, mode)).err
                self.assertNotIn("anna", err)
        self.fails(2, "dpipe-receive", "--port", "0", "-o", self.out, "--users", self.scratch / "none")


class Limits(AccessTest):
    def test_associations_in_all(self):
        with Receiver(self.out, "--max-associations", "2") as receiver:
            peers = [self.requestor(receiver, source=f"127.0.0.{n}") for n in (1, 2)]
            self.rejected(receiver, LIMIT, "--max-associations", source="127.0.0.3")
            peers[0].release()
            self.until_let_in(receiver, source="127.0.0.3")

    def until_let_in(self, receiver, **how):
        until = time.monotonic() + 5
        while True:
            try:
                return self.requestor(receiver, **how)
            except Rejected:
                self.assertLess(time.monotonic(), until)

    def test_associations_from_one_address(self):
        with Receiver(self.out, "--max-per-address", "2") as receiver:
            peers = [self.requestor(receiver) for _ in range(2)]
            self.rejected(receiver, LIMIT, "--max-per-address")
            self.requestor(receiver, source="127.0.0.2")
            peers[0].close()
            self.until_let_in(receiver)

    def test_associations_of_one_title(self):
        with Receiver(self.out, "--max-per-aet", "2") as receiver:
            peers = [self.requestor(receiver, calling="CT1", source=f"127.0.0.{n}") for n in (1, 2)]
            self.rejected(receiver, LIMIT, "--max-per-aet", calling="CT1", source="127.0.0.3")
            self.requestor(receiver, calling="CT2")
            peers[0].release()
            self.until_let_in(receiver, calling="CT1")

    def test_many_that_are_turned_away_take_no_room(self):
        with Receiver(self.out, "--allow-from", "127.0.0.1", "--max-associations", "3") as receiver:
            held = [socket.create_connection(("127.0.0.1", receiver.port), 5, ("127.0.0.9", 0)) for _ in range(60)]
            self.assertEqual(self.requestor(receiver).echo(context=3), 0)
            receiver.wait_for_err(b"hung up on")
            for connection in held:
                connection.close()

    def test_the_length_of_an_instance(self):
        with Receiver(self.out, "--max-object", "100K") as receiver:
            peer = self.requestor(receiver)
            self.assertEqual(peer.store("1.2.8", made.instance("1.2.8", pixels=b"\1" * 110_000)), 0xA700)
            receiver.wait_for_err(b"too long (--max-object)")
            self.assertEqual(peer.store("1.2.9", made.instance("1.2.9", pixels=b"\1" * 90_000)), 0)
            with self.assertRaises((Gone, OSError)):  # one without an end is not heard out
                peer.store_request(1, "1.2.7", made.SECONDARY_CAPTURE)
                for _ in range(10_000):
                    peer.send_pdvs((1, 0, b"\0" * 16_000))
            receiver.wait_for_err(b"has no end")
        self.assertEqual([path.name for path in stored(self.out)], ["1.2.9.dcm"])

    def test_instances_on_an_association(self):
        with Receiver(self.out, "--max-instances", "2") as receiver:
            peer = self.requestor(receiver)
            statuses = [peer.store(f"1.2.9.{n}", made.instance(f"1.2.9.{n}")) for n in range(4)]
            self.assertEqual(statuses, [0, 0, 0xA700, 0xA700])
            receiver.wait_for_err(b"--max-instances")
            self.assertEqual(self.requestor(receiver).store("1.2.9.9", made.instance("1.2.9.9")), 0)

    def test_what_an_association_may_last(self):
        with Receiver(self.out, "--max-time", "1") as receiver:
            peer = self.requestor(receiver)
            with self.assertRaises((Gone, OSError)):
                while True:
                    self.assertEqual(peer.echo(context=3), 0)
                    time.sleep(0.1)
            receiver.wait_for_err(b"lasts too long")

    def test_every_phase_has_its_own_deadline(self):
        with Receiver(self.out, "--timeout", "2", "--acse-timeout", "1", "--dimse-timeout", "1") as receiver:
            silent = socket.create_connection(("127.0.0.1", receiver.port), 5)
            self.addCleanup(silent.close)
            idle, half = self.requestor(receiver), self.requestor(receiver)
            half.send_pdvs((1, 1, b"\0"))
            start = time.monotonic()
            self.assertEqual(silent.recv(1), b"")
            with self.assertRaises(Gone):
                half.receive_message()
            self.assertLess(time.monotonic() - start, 1.8)
            with self.assertRaises(Gone):
                idle.receive_message()
            self.assertGreater(time.monotonic() - start, 1.8)
            for text in (b"too long to ask", b"too slowly", b"silent between"):
                receiver.wait_for_err(text)

    def test_low_water(self):
        with small_disk.mounted(self.out, "1m"):
            with Receiver(self.out, "--min-free", "500K", "--min-free-files", "0") as receiver:
                peer = self.requestor(receiver)
                statuses = [peer.store(f"1.2.9.{n}", made.instance(f"1.2.9.{n}", pixels=b"\1" * 200_000))
                            for n in range(4)]
                self.assertEqual(statuses, [0, 0, 0, 0xA700])
                receiver.wait_for_err(b"too little room is left (--min-free)")
                self.rejected(receiver, CONGESTION, "--min-free)")
            with Receiver(self.out, "--min-free", "0", "--min-free-files", "1000000000") as receiver:
                self.rejected(receiver, CONGESTION, "--min-free-files")

    @dpipe.unittest.skipIf(dpipe.SANITIZED, "a sanitizer's memory is not limited")
    def test_memory(self):
        deflated = zlib.compressobj(wbits=-15)
        bomb = made.element(0x00081115, "SQ", made.element(0x00081140, "OB", b"\0" * 30_000_000))
        data_set = deflated.compress(bomb) + deflated.flush()
        with Receiver(self.out, "--max-memory", "20M") as receiver:
            peer = self.requestor(receiver, [(made.SECONDARY_CAPTURE, [made.DEFLATED])])
            try:
                self.assertNotEqual(peer.store("1.2.9", data_set + b"\0" * (len(data_set) % 2)), 0)
            except Gone:
                receiver.wait_for_err(b"--max-memory")
            self.assertEqual(self.requestor(receiver).echo(context=3), 0)


if __name__ == "__main__":
    dpipe.main()
