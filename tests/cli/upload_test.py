"""dpipe-upload: each ZIP once, whatever the server, the network or a kill does."""

import hashlib
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import time
import unittest
import zipfile
import zlib

import api
import dpipe
import drain
import form_api
import measured
import page
import small_disk

#: The loopback is nobody's proxy to reach.
ENV = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}


def sparse_zip(path, *names, size):
    """A ZIP of stored files of `size` zeros that are holes in it."""
    crc = 0
    for _ in range(size >> 20):
        crc = zlib.crc32(bytes(1 << 20), crc)
    directory = b""
    with open(path, "wb") as file:
        for name in map(str.encode, names):
            common = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x21, crc, size, size, len(name), 0)
            directory += b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, file.tell()) + name
            file.write(b"PK\3\4" + common + name)
            file.truncate(file.seek(size, os.SEEK_CUR))
        start = file.tell()
        file.write(directory + b"PK\5\6" + struct.pack(
            "<HHHHIIH", 0, 0, len(names), len(names), len(directory), start, 0))


class UploadCase(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.zips = self.scratch / "zips"
        self.zips.mkdir()
        self.one = self.make_zip("one.zip", b"first")
        self.two = self.make_zip("two.zip", b"second")
        self.password = self.scratch / "password"
        self.password.write_text("demo\n")
        self.password.chmod(0o600)

    def make_zip(self, name, content):
        path = self.zips / name
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("study/1.dcm", content)
        return path

    def serve(self, *words, name="api"):
        server = api.serving(self.scratch / name, *words)
        self.addCleanup(server.__exit__, None, None, None)
        return server.__enter__()

    def words(self, server, *more):
        url = server if isinstance(server, str) else server.url
        return ["--url", url, "--username", "demo", "--password-file", self.password,
                "--retry-delay", "0.02", "--timeout", "1", "--json", *more]

    def upload(self, code, server, *more, env=None):
        """Run; assert the exit code; give the records and the result."""
        result = dpipe.run("dpipe-upload", *self.words(server, *more), env={**ENV, **(env or {})})
        self.assertEqual(result.code, code, result.err + result.out)
        result.records = [json.loads(line) for line in result.lines]
        result.states = [r["status"] for r in result.records]
        return result

    def receipt_of(self, zip_file):
        path = zip_file.with_name(zip_file.name + ".receipt.json")
        return json.loads(path.read_text()) if path.exists() else None


class Sending(UploadCase):
    def test_the_server_gets_the_bytes_and_we_a_receipt(self):
        server = self.serve()
        result = self.upload(0, server, self.one, self.two)
        self.assertEqual([r["path"] for r in result.records], [str(self.one), str(self.two)])
        self.assertEqual([p.read_bytes() for p in server.stored()], [self.one.read_bytes(), self.two.read_bytes()])
        self.assertEqual(server.uploads()[0]["name"], "one.zip")
        self.assertEqual(server.statuses("/users/login/"), [200])
        receipt = self.receipt_of(self.one)
        self.assertEqual(receipt["url"], f"{server.url}/data/upload/")
        self.assertEqual(receipt["sha256"], hashlib.sha256(self.one.read_bytes()).hexdigest())
        self.assertEqual(receipt["bytes"], self.one.stat().st_size)
        self.assertEqual((receipt["http_status"], receipt["id"]), (201, "1"))
        self.assertRegex(receipt["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_a_token_needs_no_login(self):
        server = self.serve("--token", "secret-token")
        token = self.scratch / "token"
        token.write_text("secret-token\n")
        token.chmod(0o600)
        self.succeeds("dpipe-upload", "--url", server.url + "/", "--token-file", token, self.one, env=ENV)
        self.succeeds("dpipe-upload", "--url", server.url, self.two, env={**ENV, "DPIPE_TOKEN": "secret-token"})
        self.assertEqual(server.statuses("/users/login/"), [])
        self.assertEqual(len(server.uploads()), 2)

    def test_the_same_bytes_are_sent_once(self):
        with api.serving(self.scratch / "api") as server:
            self.upload(0, server, self.one)
        again = self.upload(0, server, self.one)  # the server is gone: it is not asked
        self.assertEqual(again.states, ["skipped"])
        self.assertEqual(again.records[0]["id"], "1")

    def test_other_bytes_under_the_same_name_are_sent(self):
        server = self.serve()
        self.upload(0, server, self.one)
        self.make_zip("one.zip", b"more of it")
        self.assertEqual(self.upload(0, server, self.one).states, ["ok"])
        self.assertEqual(len(server.uploads()), 2)

    def test_each_server_has_its_receipt(self):
        first, second = self.serve(), self.serve(name="other")
        for server, state in ((first, "ok"), (second, "ok"), (first, "skipped"), (second, "skipped")):
            self.assertEqual(self.upload(0, server, self.one).states, [state])

    def test_a_proxy_of_the_environment_is_used(self):
        proxy = self.serve()
        result = dpipe.run(
            "dpipe-upload", *self.words("http://api.invalid"), self.one,
            env={"http_proxy": proxy.url, "no_proxy": "", "NO_PROXY": ""})
        self.assertEqual(result.code, 2, result.err)  # the demo is no proxy: 404 to the login
        self.assertEqual(proxy.statuses("http://api.invalid/users/login/"), [404])

    @unittest.skipIf(dpipe.SANITIZED, "memory is not what users will see")
    def test_three_gigabytes_stream_through_32_megabytes(self):
        big = self.zips / "big.zip"
        sparse_zip(big, "study/a.dcm", "study/b.dcm", "study/c.dcm", size=1 << 30)
        token = self.scratch / "token"
        token.write_text("t\n")
        token.chmod(0o600)
        with drain.serving(b'{"id": 1}') as server:
            code, peak = measured.run(
                dpipe.BIN / "dpipe-upload", "--url", server.url, "--token-file", token, big, env=ENV)
            self.assertEqual(code, 0)
            self.assertGreater(server.bytes, 3 << 30)
        self.assertLess(peak, 32 << 20)
        self.assertEqual(self.receipt_of(big)["bytes"], big.stat().st_size)

    def test_the_key_is_that_of_the_content(self):
        def key_of(name, content, compression):
            path = self.zips / name
            with zipfile.ZipFile(path, "w", compression) as archive:
                archive.writestr("study/1.dcm", content)
            with form_api.serving() as server:
                self.upload(0, server, path)
                return server.headers[-1]["Idempotency-Key"]

        key = key_of("a.zip", b"x" * 1000, zipfile.ZIP_STORED)
        self.assertEqual(key_of("b.zip", b"x" * 1000, zipfile.ZIP_DEFLATED), key)
        self.assertNotEqual(key_of("c.zip", b"x" * 999 + b"y", zipfile.ZIP_STORED), key)

    @dpipe.needs("7zz")
    def test_an_encrypted_zip_is_checked_by_its_password(self):
        (self.scratch / "1.dcm").write_text("content")
        path = self.zips / "secret.zip"
        self.succeeds("7zz", "a", "-tzip", "-mem=AES256", "-pright", path, self.scratch / "1.dcm")
        server = self.serve()
        self.upload(3, server, path)
        self.upload(3, server, path, env={"DPIPE_ZIP_PASSWORD": "wrong"})
        self.assertEqual(server.statuses(), [])
        self.upload(0, server, path, env={"DPIPE_ZIP_PASSWORD": "right"})
        self.assertEqual(len(server.stored()), 1)


class Retries(UploadCase):
    """--misbehave, then: exit code, states of the two files, answers that the server gave to uploads."""

    def check(self, script, code, states, statuses, *words):
        for receipt in self.zips.glob("*.json"):
            receipt.unlink()
        server = self.serve("--misbehave", script, name=script.replace(":", "_"))
        result = self.upload(code, server, *words, self.one, self.two)
        self.assertEqual(result.states, states)
        self.assertEqual(server.statuses(), statuses)
        for zip_file, state in zip((self.one, self.two), states):
            self.assertEqual(self.receipt_of(zip_file) is not None, state == "ok")
        return server

    def test_a_passing_failure_is_outlived(self):
        for status in (408, 425, 429, 500, 502, 503, 504):
            with self.subTest(status):
                self.check(f"{status},{status}", 0, ["ok", "ok"], [status, status, 201, 201])

    def test_a_failure_of_one_file_does_not_stop_the_next(self):
        self.check("500,500,502,500", 3, ["failed", "ok"], [500, 500, 502, 500, 201])

    def test_a_busy_server_ends_the_batch(self):
        self.check("503,429,503", 4, ["failed"], [503, 429, 503], "--max-retries", "2")

    def test_a_refusal_is_not_tried_again(self):
        for status in (400, 403, 404, 405, 409, 413, 415, 422):
            with self.subTest(status):
                self.check(str(status), 3, ["failed", "ok"], [status, 201])

    def test_retry_after_is_honoured(self):
        server = self.check("429:1", 0, ["ok", "ok"], [429, 201, 201])
        refused, taken, _ = server.times()
        self.assertGreaterEqual(taken - refused, 1)

    def test_a_very_long_retry_after_is_not_waited_for(self):
        self.check("503:86400", 4, ["failed"], [503])

    def test_a_lost_token_costs_one_login(self):
        server = self.check("401", 0, ["ok", "ok"], [401, 201, 201])
        self.assertEqual(server.statuses("/users/login/"), [200, 200])

    def test_credentials_that_stay_refused_end_the_batch(self):
        server = self.check("401,401", 2, ["failed"], [401, 401])
        self.assertEqual(server.statuses("/users/login/"), [200, 200])

    def test_a_token_that_is_refused_ends_the_batch(self):
        server = self.serve()
        result = dpipe.run("dpipe-upload", "--url", server.url, self.one, self.two, env={**ENV, "DPIPE_TOKEN": "old"})
        self.assertEqual((result.code, server.statuses()), (2, [401]))
        self.assertNotIn("old", result.err)

    def test_a_login_is_tried_again_too(self):
        server = self.check("login:500,login:429", 0, ["ok", "ok"], [201, 201])
        self.assertEqual(server.statuses("/users/login/"), [500, 429, 200])

    def test_a_wrong_password_is_tried_once(self):
        self.password.write_text("wrong\n")
        server = self.serve()
        result = self.upload(2, server, self.one, self.two)
        self.assertEqual(server.statuses("/users/login/"), [401])
        self.assertNotIn("wrong", result.err.replace("wrong --", ""))

    def test_a_broken_connection_is_tried_again(self):
        self.check("reset", 0, ["ok", "ok"], [None, 201, 201])

    def test_a_server_that_never_answers_is_tried_again(self):
        self.check("hang", 0, ["ok", "ok"], [None, 201, 201])

    def test_an_answer_that_is_lost_makes_no_second_copy(self):
        server = self.check("lost", 0, ["ok", "ok"], [None, 200, 201])
        self.assertEqual(len(server.stored()), 2)

    def test_a_page_of_somebody_else_is_no_success(self):
        self.check("garbage", 3, ["failed", "ok"], [200, 201], "--remove-source")
        self.assertTrue(self.one.exists())

    def test_a_server_that_is_down(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound, not listening: refused
            result = self.upload(4, f"http://127.0.0.1:{taken.getsockname()[1]}", self.one, self.two)
        self.assertEqual(result.states, ["failed"])
        self.assertEqual(result.err.count("try "), 3)
        self.assertIsNone(self.receipt_of(self.one))

    def test_a_redirect_is_not_followed(self):
        elsewhere = self.serve("--token", "t", name="elsewhere")
        for status in (301, 302, 307, 308):
            with self.subTest(status):
                server = self.serve(
                    "--misbehave", status, "--redirect-to", f"{elsewhere.url}/data/upload/", name=str(status))
                result = self.upload(3, server, self.one)
                self.assertIn("redirect", result.err)
        self.assertEqual(elsewhere.statuses(), [])


class Secrets(UploadCase):
    def test_never_in_a_word(self):
        for word in ("--password", "--token"):
            result = self.fails(2, "dpipe-upload", "--url", "http://127.0.0.1:1", word, "hunter2", self.one)
            self.assertIn(f"{word}-file", result.err)
            self.assertNotIn("hunter2", result.err)
        result = self.fails(2, "dpipe-upload", *self.words("http://me:hunter2@127.0.0.1:1"), self.one)
        self.assertNotIn("hunter2", result.err)

    def test_from_the_environment_or_a_pipe(self):
        server = self.serve()
        self.succeeds(
            "dpipe-upload", "--url", server.url, "--username", "demo", self.one, env={**ENV, "DPIPE_PASSWORD": "demo"})
        self.succeeds(
            "dpipe-upload", "--url", server.url, "--username", "demo", "--password-file", "/dev/stdin", self.two,
            stdin="demo\n", env=ENV)

    def test_a_file_that_others_can_read_is_said(self):
        self.password.chmod(0o644)
        self.assertIn("chmod 600", self.upload(0, self.serve(), self.one).err)

    def test_missing_or_contradictory(self):
        url = ["--url", "http://127.0.0.1:1"]
        for words in ([], ["--username", "x"], ["--username", "x", "--token-file", self.password],
                      ["--token-file", self.scratch / "nowhere"], ["--token-file", os.devnull]):
            with self.subTest(words):
                self.fails(2, "dpipe-upload", *url, *words, self.one)

    def test_a_token_that_would_forge_a_header(self):
        result = dpipe.run(
            "dpipe-upload", "--url", "http://127.0.0.1:1", self.one, env={"DPIPE_TOKEN": "x\r\nHost: evil"})
        self.assertEqual(result.code, 2)

    def test_a_url_that_is_none(self):
        for url in ("127.0.0.1:1", "ftp://host/", "file:///etc/passwd", "http://127.0.0.1:1/?q=1"):
            with self.subTest(url):
                self.fails(2, "dpipe-upload", *self.words(url), self.one)

    def test_plain_http_to_another_host_is_warned_of(self):
        result = dpipe.run("dpipe-upload", *self.words("http://api.invalid"), "--max-retries", "0", self.one, env=ENV)
        self.assertIn("not encrypted", result.err)
        self.assertNotIn("not encrypted", self.upload(0, self.serve(), self.one).err)


@dpipe.needs("openssl")
class Tls(UploadCase):
    def certificate(self, name, san):
        pem = self.scratch / f"{name}.pem"
        key = self.scratch / f"{name}.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
             "-addext", f"subjectAltName={san}", "-keyout", key, "-out", pem], check=True, capture_output=True)
        both = self.scratch / f"{name}.both"
        both.write_bytes(key.read_bytes() + pem.read_bytes())
        return pem, both

    def test_only_a_certificate_that_we_trust_and_that_names_the_host(self):
        good, good_key = self.certificate("good", "IP:127.0.0.1")
        wrong, wrong_key = self.certificate("wrong", "DNS:other.invalid")
        server = self.serve("--tls", good_key)
        self.assertEqual(self.upload(5, server, self.one, self.two).states, ["failed"])
        self.assertEqual(self.upload(0, server, "--ca-file", good, self.one).states, ["ok"])
        other = self.serve("--tls", wrong_key, name="other")
        self.upload(5, other, "--ca-file", wrong, self.two)
        self.assertEqual(other.statuses("/users/login/"), [])
        self.upload(2, server, "--ca-file", self.scratch / "nowhere", self.two)


class BadInput(UploadCase):
    def failed(self, path):
        """The reason why this input is not sent; a good one after it still is."""
        server = self.serve()
        result = self.upload(3, server, path, self.two)
        self.assertEqual(result.states, ["failed", "ok"])
        self.assertEqual(len(server.uploads()), 1)
        return result.records[0]["reason"]

    def test_a_damaged_zip_is_never_sent(self):
        content = self.one.read_bytes()
        self.one.write_bytes(content.replace(b"first", b"fIrst", 1))
        self.assertIn("CRC", self.failed(self.one))

    def test_of_a_large_damaged_zip_the_server_never_has_the_whole(self):
        large = self.zips / "large.zip"
        sparse_zip(large, *(f"study/{i}.dcm" for i in range(4)), size=32 << 20)
        with open(large, "r+b") as file:
            file.seek((128 << 20) - 1000)  # in the last entry
            file.write(b"x")
        with drain.serving(b'{"id": 1}') as server:
            result = dpipe.run(
                "dpipe-upload", "--url", server.url, "--json", large, env={**ENV, "DPIPE_TOKEN": "t"})
            self.assertEqual(result.code, 3, result.err)
            self.assertIn("CRC", json.loads(result.out)["reason"])
            self.assertLess(server.bytes, large.stat().st_size)
        self.assertIsNone(self.receipt_of(large))

    def test_a_cut_zip_is_never_sent(self):
        self.one.write_bytes(self.one.read_bytes()[:-3])
        self.failed(self.one)

    def test_an_empty_zip_is_never_sent(self):
        zipfile.ZipFile(self.one, "w").close()
        self.assertIn("empty", self.failed(self.one))

    def test_a_folder_names_the_way(self):
        self.assertIn("dpipe-zip", self.failed(self.scratch))

    def test_a_file_that_is_not_there(self):
        self.failed(self.scratch / "nowhere.zip")

    def test_a_receipt_that_cannot_be_read_is_for_a_person(self):
        self.one.with_name("one.zip.receipt.json").write_text("{")
        self.assertIn("line", self.failed(self.one))

    def test_a_failure_upstream_is_passed_on(self):
        server = self.serve()
        result = dpipe.run(
            "dpipe-upload", *self.words(server), "-", env=ENV,
            stdin=f'{{"path":"x","status":"failed","reason":"r"}}\n{self.one}\n')
        self.assertEqual(result.code, 3)
        self.assertEqual([json.loads(line)["status"] for line in result.lines], ["failed", "ok"])


class RemoveSource(UploadCase):
    def test_after_success_only(self):
        server = self.serve("--misbehave", "413")
        self.upload(3, server, "--remove-source", self.one, self.two)
        self.assertTrue(self.one.exists())
        self.assertFalse(self.two.exists())
        self.assertIsNotNone(self.receipt_of(self.two))

    def test_the_same_words_again_end_the_same(self):
        server = self.serve()
        self.upload(0, server, "--remove-source", self.one)
        self.assertEqual(self.upload(0, server, "--remove-source", self.one).states, ["skipped"])
        self.assertEqual(len(server.statuses()), 1)

    def test_a_run_that_was_killed_before_the_removal_is_made_good(self):
        with api.serving(self.scratch / "api") as server:
            self.upload(0, server, self.one)
        self.assertEqual(self.upload(0, server, "--remove-source", self.one).states, ["skipped"])
        self.assertFalse(self.one.exists())


class Trouble(UploadCase):
    def setUp(self):
        super().setUp()
        self.one = self.make_zip("one.zip", random.Random(1).randbytes(4 << 20))

    def test_killed_at_any_instant_it_ends_with_one_copy_and_one_receipt(self):
        server = self.serve()
        chance = random.Random(3)
        for _ in range(20):
            process = dpipe.start("dpipe-upload", *self.words(server), self.one, env=ENV, stdout=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, 0.12))
            process.kill()
            process.wait()
            if self.receipt_of(self.one):  # it came to its end: from the start again
                self.one.with_name("one.zip.receipt.json").unlink()
        self.upload(0, server, "--remove-source", self.one)
        self.assertEqual(len(server.stored()), 1)
        self.assertEqual(self.receipt_of(self.one)["id"], "1")
        self.assertEqual(
            sorted(p.name for p in self.zips.iterdir()), ["one.zip.receipt.json", "two.zip"])

    def stopped(self, server, when):
        """SIGTERM once `when(process)` returns; the command ends by it, soon, without a receipt."""
        process = dpipe.start(
            "dpipe-upload", "--url", server.url, "--username", "demo", "--password-file", self.password,
            "--retry-delay", 60, "--timeout", 1, self.two, env=ENV, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        when(process)
        start = time.monotonic()
        process.terminate()
        self.assertEqual(process.communicate()[0], b"")
        self.assertEqual(process.returncode, -signal.SIGTERM)
        self.assertLess(time.monotonic() - start, 10)
        self.assertIsNone(self.receipt_of(self.two))
        self.assertTrue(self.two.exists())

    def test_a_stop_while_waiting_for_the_next_try_ends_it(self):
        server = self.serve("--misbehave", "500")
        self.stopped(server, lambda process: process.stderr.readline())  # says when it tries again

    def test_a_stop_while_the_server_hangs_ends_it(self):
        def until_sent(_process):
            while None not in server.statuses():
                time.sleep(0.01)
        server = self.serve("--misbehave", "hang")
        self.stopped(server, until_sent)

    def test_two_at_once_send_once(self):
        server = self.serve()
        both = [
            dpipe.start("dpipe-upload", *self.words(server), self.one, env=ENV, stdout=subprocess.PIPE)
            for _ in range(2)]
        states = sorted(json.loads(p.communicate()[0])["status"] for p in both)
        self.assertEqual(states, ["ok", "skipped"])
        self.assertEqual(server.statuses(), [201])

    def test_no_room_for_the_receipt_keeps_the_source(self):
        server = self.serve()
        with small_disk.mounted(self.scratch / "disk", 5 << 20) as disk:
            full = disk / "one.zip"
            shutil.copy(self.one, full)
            with open(disk / "filler", "wb", buffering=0) as filler, self.assertRaises(OSError):
                while True:
                    filler.write(bytes(4096))
            self.upload(3, server, "--remove-source", full)
            self.assertTrue(full.exists())
            (disk / "filler").unlink()
            self.assertEqual(self.upload(0, server, "--remove-source", full).records[0]["id"], "1")
            self.assertFalse(full.exists())
        self.assertEqual(len(server.stored()), 1)


class Page(dpipe.TestCase):
    def test_the_page_has_the_options_of_the_command(self):
        page.check(self, "dpipe-upload")


if __name__ == "__main__":
    dpipe.main()
