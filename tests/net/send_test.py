"""dpipe-send to archives that we did not write, and to our own: every data set arrives as it stood on the disk."""

import json
import pathlib
import subprocess
import time
import zipfile

import dicom_bytes as made
import dpipe
import tiny
from certificates import Authority
from fake_store import FakeStore
from peers import Dcmqrscp, Orthanc, Server, free_port, needs_orthanc
from receiving import Receiver, stored


def data_set(path):
    return made.split(pathlib.Path(path).read_bytes())[1]


class SendTest(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.raw = self.scratch / "raw"

    def send(self, port, *words, aet="STORE", code=0, **how):
        words = ("--node", f"{aet}@127.0.0.1:{port}", *words)
        result = dpipe.run("dpipe-send", "--journal", self.scratch / "sent.db", "--aet", "ME",
                           "--retry-delay", "0.05", *words, **how)
        self.assertEqual(result.code, code, result.out + result.err)
        return result

    def records(self, result):
        return [json.loads(line) for line in result.lines]

    def fill(self, count=12):
        """`count` instances in three series; {UID: path}."""
        files = {}
        for number in range(count):
            path = tiny.write(self.raw / f"{number % 3}" / f"{number}.dcm", ("CT", "MR", "OT")[number % 3],
                              SeriesNumber=number % 3 + 1, InstanceNumber=number + 1)
            files[made.split(path.read_bytes())[0][0x00020003].decode()] = path
        return files

    def arrived(self, files, there):
        """`there` is {UID: data set}: those of the files, byte by byte."""
        self.assertEqual(sorted(there), sorted(files))
        for uid, path in files.items():
            self.assertEqual(there[uid], data_set(path), path)


class ToOthers(SendTest):
    @dpipe.needs("storescp")
    def test_storescp_keeps_every_byte(self):
        files, out = self.fill(), self.scratch / "out"
        out.mkdir()
        port = free_port()
        with Server(["storescp", "+B", "-od", out, port], port, self.scratch):
            result = self.send(port, self.raw)
        self.assertEqual(sorted(result.lines), sorted(map(str, files.values())))
        self.arrived(files, {path.name.split(".", 1)[1]: data_set(path) for path in out.iterdir()})

    @dpipe.needs("dcmqrscp")
    def test_dcmqrscp(self):
        files = self.fill()
        with Dcmqrscp(self.scratch / "qr") as archive:
            self.send(archive.port, self.raw, aet="QRSCP")
            there = list((self.scratch / "qr" / "db").glob("*_*"))
            self.assertEqual(len(there), len(files))

    @needs_orthanc
    def test_orthanc_has_each_data_set_and_commits_itself(self):
        files = self.fill()
        back = free_port()
        with Orthanc(self.scratch / "orthanc", {"me": ["ME", "127.0.0.1", back]}) as orthanc:
            result = self.send(orthanc.port, "--remove-source", "--commit-port", back, "--json", self.raw / "0",
                               aet="ORTHANC")
            self.assertEqual([r["removed"] for r in self.records(result)], [True] * 4)
            self.assertEqual(list((self.raw / "0").iterdir()), [])
            self.fill()
            self.send(orthanc.port, self.raw, aet="ORTHANC")
            there = {}
            for one in orthanc.rest("/instances"):
                uid = orthanc.rest(f"/instances/{one}")["MainDicomTags"]["SOPInstanceUID"]
                there[uid] = made.split(orthanc.raw(f"/instances/{one}/file"))[1]
            self.arrived(files, there)

    def test_our_receiver(self):
        files, out = self.fill(), self.scratch / "in"
        with Receiver(out) as receiver:
            self.send(receiver.port, "--associations", "3", self.raw)
            self.arrived(files, {path.stem: data_set(path) for path in stored(out)})

    def test_our_receiver_commits_itself_before_sources_go(self):
        files, out = self.fill(), self.scratch / "in"
        kept = {uid: data_set(path) for uid, path in files.items()}
        with Receiver(out) as receiver:
            result = self.send(receiver.port, "--remove-source", "--json", self.raw)
            self.assertEqual({(r["status"], r["committed"], r["removed"]) for r in self.records(result)},
                             {("ok", True, True)})
            self.assertEqual({path.stem: data_set(path) for path in stored(out)}, kept)
        self.assertEqual([path for path in self.raw.rglob("*") if path.is_file()], [])

    def test_our_receiver_that_asks_who_we_are(self):
        self.fill(2)
        users, right, wrong = (self.scratch / name for name in ("users", "right", "wrong"))
        for path, text in ((users, "anna:s3cret\n"), (right, "s3cret\n"), (wrong, "other\n")):
            path.touch(mode=0o600)
            path.write_text(text)
        with Receiver(self.scratch / "in", "--users", users) as receiver:
            self.send(receiver.port, self.raw, code=4)
            self.send(receiver.port, "--username", "anna", "--password-file", wrong, self.raw, code=4)
            result = self.send(receiver.port, "--username", "anna", "--password-file", right, self.raw)
            self.assertEqual(len(result.lines), 2)
            self.fails(2, "dpipe-send", "--node", "A@b:1", "--password", "s3cret", self.raw)

    @dpipe.needs_real_data
    def test_real_files_arrive_as_they_stand_whatever_their_transfer_syntax(self):
        manifest = (dpipe.REAL_DATA / "MANIFEST.tsv").read_text().splitlines()
        names = [line.split("\t")[0] for line in manifest[1:]]
        wanted = [n for n in names if n.split("/")[0] in (
            "transfersyntax", "enhanced", "misc_sop", "private", "rt", "sr_seg")]
        files = [dpipe.REAL_DATA / name for name in wanted]
        out = self.scratch / "in"
        with Receiver(out) as receiver:
            result = dpipe.run(
                "dpipe-send", "--journal", self.scratch / "sent.db", "--node", f"R@127.0.0.1:{receiver.port}",
                "--json", *files)
            sent = [r for r in self.records(result) if r["status"] == "ok"]
            there = [data_set(path) for path in stored(out)]
            self.assertGreater(len(there), 60)
            for record in sent:  # several share a UID, and some are copies of each other
                source = pathlib.Path(record["path"]).read_bytes()
                self.assertTrue(any(len(d) == record["bytes"] and d in source for d in there), record["path"])
            self.assertLessEqual(len(there), len(sent))
            for record in self.records(result):
                if record["status"] == "failed":
                    self.assertTrue(record["reason"], record)

    @dpipe.needs("storescp")
    def test_tls_with_an_authority_and_never_without(self):
        self.fill(3)
        authority, other = Authority(self.scratch / "ca"), Authority(self.scratch / "other", "Other")
        certificate, key = authority.issue("node", "127.0.0.1")
        ours, our_key = authority.issue("me")
        port = free_port()
        out = self.scratch / "out"
        out.mkdir()
        with Server(["storescp", "+tls", key, certificate, "+cf", authority.ca, "-rc", "-od", out, port], port,
                    self.scratch):
            tls = ("--tls", "--tls-cert", ours, "--tls-key", our_key)
            self.send(port, *tls, "--tls-ca", other.ca, self.raw, code=4)
            self.assertEqual(list(out.iterdir()), [])
            self.send(port, *tls, "--tls-ca", authority.ca, self.raw)
            self.assertEqual(len(list(out.iterdir())), 3)


class Inputs(SendTest):
    def test_files_folders_zips_and_stdin(self):
        files = self.fill(6)
        paths = list(files.values())
        zipped = self.scratch / "more.zip"
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(".dpipe-study", "{}")
            for number, path in enumerate(paths[2:4]):
                archive.write(path, f"study/{number}.dcm")
        lines = f"{paths[4]}\n" + json.dumps({"path": str(paths[5]), "status": "ok"}) + "\n" + json.dumps(
            {"path": "gone", "status": "failed", "reason": "upstream"}) + "\n"
        with FakeStore() as store:
            result = self.send(store.port, paths[0], paths[1], zipped, "-", stdin=lines, code=3)
            self.arrived(files, {uid: data for uid, data, _ in store.stored})
            self.assertEqual(sorted(result.lines), sorted(map(str, [*paths[:2], zipped, *paths[4:]])))
            again = self.send(store.port, zipped, "--json")
            self.assertEqual([(r["status"], r["entry"]) for r in self.records(again)], [("skipped", 1), ("skipped", 2)])
            self.assertEqual(store.asked.total(), 6)

    def test_a_damaged_zip_entry_is_named_and_the_rest_sent(self):
        files = list(self.fill(2).values())
        zipped = self.scratch / "x.zip"
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_STORED) as archive:
            for path in files:
                archive.write(path, path.name)
        damaged = bytearray(zipped.read_bytes())
        damaged[400] ^= 0xFF  # in the first instance, past its preamble
        zipped.write_bytes(damaged)
        with FakeStore() as store:
            result = self.send(store.port, zipped, code=3)
            self.assertEqual(len(store.stored), 1)
            self.assertIn("CRC", result.err)
            self.assertEqual(result.lines, [])  # not all of it

    def test_what_is_no_instance_is_named_and_the_rest_sent(self):
        files = list(self.fill(3).values())
        (self.raw / "notes.txt").write_text("hello")
        whole = files[0].read_bytes()
        files[0].write_bytes(whole[:-10])
        with FakeStore() as store:
            result = self.send(store.port, self.raw, "--json", code=3)
            self.assertEqual(len(store.stored), 2)
        failed = {r["path"] for r in self.records(result) if r["status"] == "failed"}
        self.assertEqual(failed, {str(files[0]), str(self.raw / "notes.txt")})

    def test_only_what_says_that_it_is_deidentified(self):
        for number, value in enumerate(("YES", "NO", None, "YES")):
            tiny.write(self.raw / f"{number}.dcm", InstanceNumber=number + 1, PatientIdentityRemoved=value)
        with FakeStore() as store:
            result = self.send(store.port, "--require-deidentified", "--json", self.raw, code=5)
            self.assertEqual(len(store.stored), 2)
        self.assertEqual([r["path"] for r in self.records(result) if r["status"] == "quarantined"],
                         [str(self.raw / "1.dcm"), str(self.raw / "2.dcm")])

    def test_a_dry_run_calls_nobody(self):
        files = self.fill(3)
        with FakeStore() as store:
            self.send(store.port, next(iter(files.values())))
            result = self.send(store.port, "--dry-run", "--json", self.raw)
            self.assertEqual(len(store.associations), 1)
        self.assertEqual(sorted((r["status"], r["to_send"]) for r in self.records(result)),
                         [("ok", 1), ("ok", 1), ("skipped", 0)])

    def test_a_pipe_is_sent_while_it_is_open(self):
        files = self.fill(2)
        with FakeStore() as store:
            process = dpipe.start(
                "dpipe-send", "--journal", self.scratch / "j.db", "--node", f"S@127.0.0.1:{store.port}", "-",
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            with process:
                for path in files.values():
                    process.stdin.write(f"{path}\n".encode())
                    process.stdin.flush()
                    self.assertEqual(process.stdout.readline().decode().strip(), str(path))
                    time.sleep(1.5)  # longer than an association is kept for nothing
                process.stdin.close()
                self.assertEqual(process.wait(20), 0)
            self.assertEqual(len(store.associations), 2)


class Nodes(SendTest):
    def test_every_node_gets_everything_and_one_that_is_away_stops_no_other(self):
        files = self.fill(6)
        with FakeStore() as one, FakeStore() as two:
            more = ("--node", f"TWO@127.0.0.1:{two.port}", "--node", f"AWAY@127.0.0.1:{free_port()}")
            result = self.send(one.port, *more, "--json", self.raw, code=4)
            for store in (one, two):
                self.arrived(files, {uid: data for uid, data, _ in store.stored})
            for record in self.records(result):
                self.assertEqual((record["status"], record["sent"]), ("failed", 2))
                self.assertIn("AWAY@", record["reason"])

    def test_names_of_a_nodes_file_and_all_that_are_enabled(self):
        self.fill(1)
        with FakeStore() as one, FakeStore() as two:
            nodes = self.scratch / "nodes.json"
            nodes.write_text(json.dumps({"nodes": {
                "a": {"name": "first", "ip": "127.0.0.1", "port": one.port, "aet": "ONE", "enabled": True},
                "b": {"name": "off", "ip": "127.0.0.1", "port": 1, "aet": "OFF", "enabled": False},
                "c": {"name": "second", "ip": "127.0.0.1", "port": two.port, "aet": "TWO"}}}))
            words = ("--journal", self.scratch / "j.db", "--nodes", nodes)
            self.succeeds("dpipe-send", *words, "--node", "first", self.raw)
            self.assertEqual((len(one.stored), len(two.stored)), (1, 0))
            self.succeeds("dpipe-send", *words, "--all-nodes", self.raw)
            self.assertEqual((len(one.stored), len(two.stored)), (1, 1))
            self.assertEqual(two.acceptor.callers[0], ("DPIPE", "TWO"))
            self.fails(2, "dpipe-send", *words, "--node", "off", self.raw)
            self.fails(2, "dpipe-send", *words, "--node", "nobody", self.raw)

    def test_echo(self):
        with FakeStore() as store:
            node = f"STORE@127.0.0.1:{store.port}"
            self.assertEqual(self.send(store.port, "--echo").lines, [node])
            away = ("--node", f"AWAY@127.0.0.1:{free_port()}")
            self.assertEqual(self.send(store.port, *away, "--echo", code=4).lines, [node])

    def test_pacsifier_uploads_with_its_own_words(self):
        files = self.fill(3)
        with FakeStore() as store:
            config = self.scratch / "config.json"
            config.write_text(json.dumps({
                "server_address": "127.0.0.1", "port": store.port, "server_AET": "PACS", "AET": "CLIENT",
                "move_AET": "M", "move_port": 4242, "batch_size": 20, "batch_wait_time": 1}))
            self.succeeds("dpipe-send", "--journal", self.scratch / "j.db", "--config", config, "--upload",
                          "--upload_directory", self.raw)
            self.arrived(files, {uid: data for uid, data, _ in store.stored})
            self.assertEqual(store.acceptor.callers[0], ("CLIENT", "PACS"))

    def test_wrong_words(self):
        self.fill(1)
        for words in [(), ("--node", "x"), ("--node", "A@b:1", "--node", "A@b:1"), ("--node", "A@b:1", "--all-nodes"),
                      ("--node", "A@b:1", "--tls-ca", "x"), ("--node", "A@b:1", "--associations", "0"),
                      ("--node", "A@b:1", "--associations", "2", "--bandwidth", "20K"),
                      ("--node", "A@b:1", "--report", "x.txt"), ("--node", "A@b:1", "--aet", "A" * 17)]:
            with self.subTest(words):
                self.fails(2, "dpipe-send", "--journal", self.scratch / "j.db", *words, self.raw)


if __name__ == "__main__":
    dpipe.main()
