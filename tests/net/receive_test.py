"""dpipe-receive: what it stores, what it answers, what it prints."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import zlib

import dicom_bytes as made
import dpipe
from dicom_peer import Requestor
from receiving import Receiver, stored


def write(folder, uid, **how):
    """A file made by hand in `folder`; its path."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{uid}.dcm"
    path.write_bytes(made.part10(made.instance(uid, **how), uid))
    return path


class ReceiveTest(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.scratch / "in"

    def receiver(self, *words, **how):
        return Receiver(self.out, *words, **how)

    def requestor(self, receiver, *syntaxes, sop_class=made.SECONDARY_CAPTURE, **how):
        peer = Requestor(receiver.port, [(sop_class, list(syntaxes) or [made.EXPLICIT])], **how)
        self.addCleanup(peer.close)
        return peer


class Storing(ReceiveTest):
    @dpipe.needs("storescu")
    def test_storescu_data_set_stands_as_sent_below_its_uids(self):
        path = write(self.scratch / "src", "1.2.3.4.5")
        with self.receiver() as receiver:
            self.succeeds("storescu", "-aet", "SENDER", "127.0.0.1", receiver.port, path)
            name = self.out / "1.2.3" / "1.2.3.4" / "1.2.3.4.5.dcm"
            self.assertEqual(receiver.lines(1), [str(name)])
        meta, data_set = made.split(name.read_bytes())
        self.assertEqual(data_set, made.split(path.read_bytes())[1])
        self.assertEqual(meta[0x00020002].decode(), made.SECONDARY_CAPTURE)
        self.assertEqual(meta[0x00020003], b"1.2.3.4.5")
        self.assertEqual(meta[0x00020010].decode(), made.EXPLICIT)
        self.assertEqual([meta[0x00020016], meta[0x00020017], meta[0x00020018]],
                         [b"SENDER", b"SENDER", b"DICOMRCV"])
        self.assertTrue((self.out / "1.2.3" / ".dpipe-study").exists())
        self.assertFalse((self.out / "1.2.3" / "1.2.3.4" / ".dpipe-study").exists())

    @dpipe.needs("gdcmscu")
    def test_gdcmscu(self):
        """Debian's 3.0.21 aborts once it has released the association, whoever the peer: its exit code says nothing."""
        folder = self.scratch / "src"
        sent = {uid: write(folder, uid) for uid in ("1.2.3.4.5", "1.2.3.4.6")}
        words = ("--aetitle", "SENDER", "--call", "DICOMRCV", "127.0.0.1")
        with self.receiver("-v") as receiver:
            dpipe.run("gdcmscu", "--echo", *words, receiver.port)
            receiver.wait_for_err(b"is done: 0 stored, 0 refused")
            for path in sent.values():
                dpipe.run("gdcmscu", "--store", *words, receiver.port, path)
            self.assertEqual(sorted(receiver.lines(2)), [str(path) for path in stored(self.out)])
        for path in stored(self.out):
            self.assertEqual(made.split(path.read_bytes())[1], made.split(sent[path.stem].read_bytes())[1])

    @dpipe.needs("dcmsend")
    @dpipe.needs("dcmftest")
    def test_dcmsend_and_a_standard_reader(self):
        for number in range(3):
            write(self.scratch / "src", f"1.2.3.4.{number}")
        with self.receiver() as receiver:
            self.succeeds("dcmsend", "127.0.0.1", receiver.port, "+sd", self.scratch / "src")
            paths = receiver.lines(3)
        self.assertTrue(self.succeeds("dcmftest", *paths).out.count("yes: ") == 3)

    @dpipe.needs("echoscu")
    def test_echo(self):
        with self.receiver() as receiver:
            self.succeeds("echoscu", "127.0.0.1", receiver.port)

    def test_json_record(self):
        with self.receiver("--json") as receiver:
            self.requestor(receiver, calling="MOD1").store("1.2.9", made.instance("1.2.9"))
            record = json.loads(receiver.lines(1)[0])
        self.assertEqual(record, {
            "path": str(self.out / "1.2.3/1.2.3.4/1.2.9.dcm"), "status": "ok",
            "SOPClassUID": made.SECONDARY_CAPTURE, "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4",
            "SOPInstanceUID": "1.2.9", "calling_aet": "MOD1", "bytes": stored(self.out)[0].stat().st_size})

    def test_any_transfer_syntax_and_sop_class(self):
        cases = [
            (made.SECONDARY_CAPTURE, made.HTJ2K), (made.SECONDARY_CAPTURE, "1.3.6.1.4.1.99999.7"),
            ("1.3.6.1.4.1.99999.8", made.EXPLICIT), ("1.2.840.10008.5.1.4.1.1.999.1", made.EXPLICIT)]
        with self.receiver() as receiver:
            for number, (sop_class, syntax) in enumerate(cases):
                with self.subTest(sop_class=sop_class, syntax=syntax):
                    uid = f"1.2.3.4.{number}"
                    data_set = made.instance(uid, sop_class=sop_class)
                    peer = self.requestor(receiver, syntax, sop_class=sop_class)
                    self.assertEqual(peer.store(uid, data_set), 0)
                    meta, there = made.split(pathlib.Path(receiver.lines(1)[0]).read_bytes())
                    self.assertEqual(there, data_set)
                    self.assertEqual(meta[0x00020010].decode(), syntax)

    def test_other_services_are_refused_in_negotiation(self):
        contexts = [("1.2.840.10008.5.1.4.1.2.2.1", [made.IMPLICIT]), (made.CT, [made.IMPLICIT, made.EXPLICIT])]
        with self.receiver() as receiver, Requestor(receiver.port, contexts) as peer:
            self.assertEqual(peer.accepted, {3: made.EXPLICIT})

    def test_deflated_data_set_is_placed_by_its_content_and_stored_as_sent(self):
        packer = zlib.compressobj(wbits=-15)
        data_set = packer.compress(made.instance("1.2.9", pixels=b"\0" * 3_000_000)) + packer.flush()
        data_set += b"\0" * (len(data_set) % 2)
        with self.receiver() as receiver:
            self.assertEqual(self.requestor(receiver, made.DEFLATED).store("1.2.9", data_set), 0)
            self.assertEqual(made.split(pathlib.Path(receiver.lines(1)[0]).read_bytes())[1], data_set)

    def test_a_study_folder_that_lost_its_marker_gets_it_again(self):
        marker = self.out / "1.2.3" / ".dpipe-study"
        with self.receiver() as receiver:
            peer = self.requestor(receiver)
            for uid in ("1.2.9", "1.2.8"):
                self.assertEqual(peer.store(uid, made.instance(uid)), 0)
                self.assertTrue(marker.exists())
                marker.unlink()
            peer.release()

    def test_layout_is_a_template(self):
        with self.receiver("--layout", "{PatientID}/{Modality}.{SOPInstanceUID}") as receiver:
            self.requestor(receiver).store("1.2.9", made.instance("1.2.9"))
            self.assertEqual(receiver.lines(1), [str(self.out / "PAT1" / "OT.1.2.9")])

    def test_command_and_data_set_in_one_pdu(self):
        from dicom_peer import C_STORE, command_bytes
        data_set = made.instance("1.2.9")
        command = command_bytes(
            CommandField=C_STORE, MessageID=7, Priority=0, CommandDataSetType=0,
            AffectedSOPClassUID=made.SECONDARY_CAPTURE, AffectedSOPInstanceUID="1.2.9")
        with self.receiver() as receiver:
            peer = self.requestor(receiver)
            peer.send_pdvs((1, 1, command[:9]), (1, 3, command[9:]), (1, 0, data_set[:8]), (1, 2, data_set[8:]))
            _, answer, _ = peer.receive_message()
            self.assertEqual((answer["Status"], answer["MessageIDBeingRespondedTo"]), (0, 7))
            self.assertTrue(peer.release())

    @dpipe.needs("storescu")
    def test_20_senders_at_once_lose_nothing(self):
        for sender in range(20):
            for number in range(5):
                write(self.scratch / f"src{sender}", f"1.2.{sender}.{number}", study=f"1.2.{sender}")
        with self.receiver() as receiver:
            senders = [
                dpipe.start("storescu", "127.0.0.1", receiver.port, "+sd", self.scratch / f"src{n}",
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for n in range(20)]
            self.assertEqual([sender.wait(60) for sender in senders], [0] * 20)
            lines = receiver.lines(100)
        self.assertEqual(sorted(lines), [str(p) for p in stored(self.out)])
        for path in stored(self.out):
            uid = path.stem
            source = self.scratch / f"src{uid.split('.')[2]}" / f"{uid}.dcm"
            self.assertEqual(made.split(path.read_bytes())[1], made.split(source.read_bytes())[1])


class Refusing(ReceiveTest):
    def refused(self, status, uid, data_set, reason, sop_class=None, **how):
        """Sent, it is refused with `status`, nothing is left, and the association goes on."""
        out = pathlib.Path(tempfile.mkdtemp(dir=self.scratch))
        with Receiver(out) as receiver:
            peer = self.requestor(receiver, **how)
            self.assertEqual(peer.store(uid, data_set, sop_class), status)
            self.assertEqual(stored(out), [])
            self.assertEqual(peer.store("1.2.9", made.instance("1.2.9")), 0)
            self.assertTrue(peer.release())
            _, lines, err = receiver.stop()
        self.assertEqual(lines, str(out / "1.2.3/1.2.3.4/1.2.9.dcm") + "\n")
        self.assertIn(reason, err)
        self.assertNotIn("PAT1", err)

    def test_uids_that_are_none(self):
        for uid in ["../../x", "/abs", "", "1.2..3", "1.2.3 4", "1.2.3.ä", "1." * 40 + "1", "1.2\n3"]:
            with self.subTest(uid), Receiver(self.scratch / "deep" / "in") as receiver:
                peer = self.requestor(receiver)
                self.assertEqual(peer.store(uid, made.instance(uid)), 0xC000)
                self.assertEqual(peer.store("1.2.9", made.instance(uid)), 0xC000)
                self.assertEqual(peer.store("1.2.9", made.instance("1.2.9", study=uid)), 0xC000)
                self.assertEqual(peer.store("1.2.9", made.instance("1.2.9", series=uid)), 0xC000)
                self.assertEqual(stored(self.scratch), [])

    def test_a_padded_uid_is_one(self):
        with self.receiver() as receiver:
            self.assertEqual(self.requestor(receiver).store("1.2.3.9 ", made.instance("1.2.3.9\0")), 0)
            self.assertEqual(receiver.lines(1), [str(self.out / "1.2.3/1.2.3.4/1.2.3.9.dcm")])

    def test_missing_uids(self):
        self.refused(0xC000, "1.2.8", made.instance("1.2.8", study=None), "Study Instance UID is missing")
        self.refused(0xC000, "1.2.8", made.instance("1.2.8", series=None), "Series Instance UID is missing")
        self.refused(0xC000, "1.2.8", made.instance(None), "SOP Instance UID is missing")

    def test_command_and_data_set_differ(self):
        self.refused(0xA900, "1.2.8", made.instance("1.2.7"), "differ")
        self.refused(0xA900, "1.2.8", made.instance("1.2.8", sop_class=made.CT), "differ")

    def test_what_is_no_data_set(self):
        self.refused(0xC000, "1.2.8", b"\xff" * 500, "")
        self.refused(0xC000, "1.2.8", b"", "")
        self.refused(0xC000, "1.2.8", made.instance("1.2.8")[:90], "")

    def test_no_data_set_at_all(self):
        from dicom_peer import C_STORE, NO_DATA_SET
        with self.receiver() as receiver:
            peer = self.requestor(receiver)
            peer.send_command(1, CommandField=C_STORE, MessageID=1, Priority=0, CommandDataSetType=NO_DATA_SET,
                              AffectedSOPClassUID=made.SECONDARY_CAPTURE, AffectedSOPInstanceUID="1.2.9")
            self.assertEqual(peer.receive_message()[1]["Status"], 0xC000)

    def test_an_operation_it_does_not_have(self):
        with self.receiver() as receiver:
            peer = self.requestor(receiver)
            peer.send_command(1, CommandField=0x0150, MessageID=3, CommandDataSetType=1)
            peer.send_data_set(1, made.instance("1.2.9"))
            _, answer, _ = peer.receive_message()
            self.assertEqual((answer["CommandField"], answer["Status"]), (0x8150, 0x0211))
            self.assertTrue(peer.release())


class Duplicates(ReceiveTest):
    def test_the_same_again_is_a_success_and_writes_nothing(self):
        with self.receiver("--json") as receiver:
            peer = self.requestor(receiver)
            self.assertEqual(peer.store("1.2.9", made.instance("1.2.9")), 0)
            before = stored(self.out)[0].stat()
            self.assertEqual(peer.store("1.2.9", made.instance("1.2.9")), 0)
            records = [json.loads(line) for line in receiver.lines(2)]
        self.assertEqual([record["status"] for record in records], ["ok", "skipped"])
        after = stored(self.out)[0].stat()
        self.assertEqual((before.st_ino, before.st_mtime_ns), (after.st_ino, after.st_mtime_ns))
        self.assertEqual(len(stored(self.out)), 1)

    def test_another_data_set_is_kept_beside_it(self):
        first, second, third = (made.instance("1.2.9", pixels=bytes([n]) * 64) for n in range(3))
        with self.receiver() as receiver:
            peer = self.requestor(receiver)
            for data_set in (first, second, third, second):
                self.assertEqual(peer.store("1.2.9", data_set), 0)
            names = [pathlib.Path(line) for line in receiver.lines(4)]
        self.assertEqual([name.name for name in names],
                         ["1.2.9.dcm", "1.2.9~2.dcm", "1.2.9~3.dcm", "1.2.9~2.dcm"])
        for name, data_set in zip(names, (first, second, third)):
            self.assertEqual(made.split(name.read_bytes())[1], data_set)

    def test_the_same_bytes_in_another_transfer_syntax_are_another_instance(self):
        with self.receiver() as receiver:
            for syntax in (made.EXPLICIT, made.HTJ2K):
                self.assertEqual(self.requestor(receiver, syntax).store("1.2.9", made.instance("1.2.9")), 0)
            self.assertEqual(len(set(receiver.lines(2))), 2)

    def test_an_aborted_second_transfer_leaves_the_first_alone(self):
        data_set = made.instance("1.2.9", pixels=b"\1" * 100_000)
        with self.receiver() as receiver:
            self.assertEqual(self.requestor(receiver).store("1.2.9", data_set), 0)
            before = [(p, p.read_bytes(), p.stat().st_mtime_ns) for p in stored(self.out)]
            for end in ("abort", "close"):
                peer = self.requestor(receiver)
                peer.store_request(1, "1.2.9", made.SECONDARY_CAPTURE)
                peer.send_pdvs((1, 0, data_set[:50_000]))
                getattr(peer, end)()
            receiver.wait_for_err(b"aborted")
            receiver.wait_for_err(b"hung up")
            self.assertEqual([(p, p.read_bytes(), p.stat().st_mtime_ns) for p in stored(self.out)], before)

    def after(self, policy, again=b"\2", *words):
        """A first instance, then one with these pixels: (status, names, pixels of each, records, stderr)."""
        with self.receiver("--json", "--duplicates", policy, *words) as receiver:
            peer = self.requestor(receiver)
            self.assertEqual(peer.store("1.2.9", made.instance("1.2.9", pixels=b"\1" * 64)), 0)
            status = peer.store("1.2.9", made.instance("1.2.9", pixels=again * 64))
            self.assertTrue(peer.release())
            _, out, err = receiver.stop()
        names = stored(self.out)
        records = [json.loads(line)["status"] for line in out.splitlines()]
        return status, [name.name for name in names], [name.read_bytes()[-1:] for name in names], records, err

    def test_version_keeps_equal_ones_too(self):
        status, names, _, records, _ = self.after("version", b"\1")
        self.assertEqual((status, names, records), (0, ["1.2.9.dcm", "1.2.9~2.dcm"], ["ok", "ok"]))

    def test_keep_first(self):
        status, names, pixels, records, err = self.after("keep-first")
        self.assertEqual((status, names, pixels, records), (0, ["1.2.9.dcm"], [b"\1"], ["ok", "skipped"]))
        self.assertIn("dropped", err)

    def test_replace(self):
        status, names, pixels, records, _ = self.after("replace")
        self.assertEqual((status, names, pixels, records), (0, ["1.2.9.dcm"], [b"\2"], ["ok", "ok"]))

    def test_reject_answers_an_equal_one_with_success(self):
        self.assertEqual(self.after("reject", b"\1")[:4], (0, ["1.2.9.dcm"], [b"\1"], ["ok", "skipped"]))

    def test_reject(self):
        status, names, pixels, records, err = self.after("reject")
        self.assertEqual((status, names, pixels, records), (0x0111, ["1.2.9.dcm"], [b"\1"], ["ok"]))
        self.assertIn("0111H", err)

    def test_the_same_uid_in_another_series_is_never_a_duplicate(self):
        for policy in ("keep-if-identical", "version", "keep-first", "replace", "reject"):
            out = self.scratch / policy
            with self.subTest(policy), Receiver(
                    out, "--layout", "{SOPInstanceUID}.dcm", "--duplicates", policy) as receiver:
                peer = self.requestor(receiver)
                for number in range(2):
                    data_set = made.instance("1.2.9", series=f"1.2.3.{number}")
                    self.assertEqual(peer.store("1.2.9", data_set), 0)
                self.assertEqual([path.name for path in stored(out)], ["1.2.9.dcm", "1.2.9~2.dcm"])

    def test_an_aborted_replacement_leaves_the_first_alone(self):
        data_set = made.instance("1.2.9", pixels=b"\1" * 100_000)
        with self.receiver("--duplicates", "replace") as receiver:
            self.assertEqual(self.requestor(receiver).store("1.2.9", data_set), 0)
            before = [(p, p.read_bytes(), p.stat().st_ino) for p in stored(self.out)]
            peer = self.requestor(receiver)
            peer.store_request(1, "1.2.9", made.SECONDARY_CAPTURE)
            peer.send_pdvs((1, 0, data_set[:50_000]))
            peer.abort()
            receiver.wait_for_err(b"aborted")
            self.assertEqual([(p, p.read_bytes(), p.stat().st_ino) for p in stored(self.out)], before)

    def test_durability_ext4(self):
        self.assertEqual(self.after("replace", b"\2", "--durability", "ext4")[2], [b"\2"])

    def test_two_at_once_store_it_once(self):
        data_set = made.instance("1.2.9", pixels=b"\1" * 300_000)
        statuses = []
        with self.receiver() as receiver:
            peers = [self.requestor(receiver) for _ in range(8)]
            threads = [threading.Thread(target=lambda p=p: statuses.append(p.store("1.2.9", data_set)))
                       for p in peers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(set(receiver.lines(8)), {str(stored(self.out)[0])})
        self.assertEqual(statuses, [0] * 8)
        self.assertEqual(len(stored(self.out)), 1)


class Process(ReceiveTest):
    def test_a_signal_ends_it_and_what_is_coming_in_is_finished(self):
        data_set = made.instance("1.2.9", pixels=b"\1" * 200_000)
        with self.receiver() as receiver:
            peer = self.requestor(receiver)
            peer.store_request(1, "1.2.9", made.SECONDARY_CAPTURE)
            peer.send_pdvs((1, 0, data_set[:100_000]))
            receiver.wait_until_read()
            receiver.process.send_signal(signal.SIGTERM)
            threading.Event().wait(0.3)
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", receiver.port))
            peer.send_pdvs((1, 2, data_set[100_000:]))
            self.assertEqual(peer.receive_message()[1]["Status"], 0)
            out, err = receiver.process.communicate(timeout=20)
        self.assertEqual(receiver.process.returncode, -signal.SIGTERM)
        self.assertEqual(out.decode(), f"{stored(self.out)[0]}\n")
        self.assertNotIn(b"error", err)

    def test_a_silent_association_does_not_hold_up_the_end(self):
        with self.receiver() as receiver:
            self.requestor(receiver)
            code, _, _ = receiver.stop(signal.SIGINT, timeout=5)
            self.assertEqual(code, -signal.SIGINT)

    def test_a_second_signal_ends_it_at_once(self):
        with self.receiver() as receiver:
            peer = self.requestor(receiver)
            peer.store_request(1, "1.2.9", made.SECONDARY_CAPTURE)  # and then nothing
            receiver.wait_until_read()
            receiver.process.send_signal(signal.SIGTERM)
            threading.Event().wait(0.5)
            self.assertIsNone(receiver.process.poll())
            code, _, _ = receiver.stop(timeout=2)
            self.assertEqual(code, -signal.SIGTERM)
            with self.assertRaises(Exception):  # its association went with it
                peer.receive_pdu()

    def test_a_closed_stdout_ends_it_quietly(self):
        with self.receiver() as receiver:
            receiver.process.stdout.close()
            receiver.process.stdout = None
            self.assertEqual(receiver.process.wait(10), -signal.SIGPIPE)
            self.assertNotIn(b"error", receiver.process.stderr.read())

    def test_nobody_reads_the_results_and_echo_still_works(self):
        with self.receiver() as receiver:
            peer = self.requestor(receiver)
            for number in range(900):  # more than a pipe holds
                self.assertEqual(peer.store(f"1.2.9.{number}", made.instance(f"1.2.9.{number}")), 0)
            with Requestor(receiver.port) as other:
                self.assertEqual(other.echo(), 0)
            self.assertEqual(len(set(receiver.lines(900))), 900)

    def test_it_says_where_it_listens_and_tells_the_service_manager(self):
        name = str(self.scratch / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(name)
            manager.settimeout(10)
            with self.receiver("--aet", "MY STORE", env={"NOTIFY_SOCKET": name}) as receiver:
                self.assertEqual(receiver.err.decode(),
                                 f"dpipe-receive: listening on 127.0.0.1:{receiver.port} as MY STORE\n")
                self.assertEqual(manager.recv(100), b"READY=1")
                receiver.stop()
                self.assertEqual(manager.recv(100), b"STOPPING=1")

    @dpipe.unittest.skipUnless(pathlib.Path("/proc/net/if_inet6").exists(), "this machine has no IPv6")
    def test_ipv6(self):
        process = dpipe.start("dpipe-receive", "--bind", "::1", "--port", "0", "-o", self.out,
                              stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        port = int(process.stderr.readline().decode().split("[::1]:")[1].split()[0])
        socket.create_connection(("::1", port)).close()

    def test_two_on_one_folder_refuse_each_other(self):
        with self.receiver() as receiver:
            self.requestor(receiver)
            self.assertIn("another receiver", self.fails(
                1, "dpipe-receive", "--bind", "127.0.0.1", "--port", "0", "-o", self.out / ".").err)
            receiver.process.kill()  # its associations hold no lock
            receiver.process.wait()
            with self.receiver():
                pass

    def test_leftovers_of_the_dead_are_swept(self):
        self.out.mkdir()
        gone = subprocess.Popen(["true"])
        gone.wait()
        names = [f".incoming.{gone.pid}.1.part", f".incoming.{gone.pid}.r1.part", f".incoming.{os.getpid()}.1.part",
                 ".incoming.x.part", ".incoming.part", "incoming.1.part"]
        for name in names:
            (self.out / name).touch()
        with self.receiver() as receiver:
            self.assertIn("removed 2 unfinished", receiver.err.decode())
            self.assertEqual([path.name for path in stored(self.out)], sorted(names[2:]))

    def test_wrong_words(self):
        with self.receiver() as receiver:
            self.assertIn("in use", self.fails(
                1, "dpipe-receive", "--bind", "127.0.0.1", "--port", receiver.port, "-o",
                self.scratch / "other").err)
        for words in (["--aet", "A TITLE THAT IS TOO LONG"], ["--aet", ""], ["--port", "65536"],
                      ["--layout", "{NoSuchKeyword}"], ["--max-pdu", "100"], ["--timeout", "0"],
                      ["--bind", "localhost"]):
            with self.subTest(words):
                self.fails(2, "dpipe-receive", "-o", self.out, *words)
        self.assertIn("--out", self.fails(2, "dpipe-receive").err)


if __name__ == "__main__":
    dpipe.main()
