"""dpipe-upload --api stow: batches, failed instances sent again alone, receipts, kills."""

import json
import os
import random
import subprocess
import time
import unittest

import pydicom

import dpipe
import drain
import measured
import stow
import tiny

ENV = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}


class StowCase(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.study = tiny.study(self.scratch / "study", instances=4)
        self.files = sorted(self.study.rglob("*.dcm"))

    def words(self, server, *more):
        return ["--api", "stow", "--url", server.url, "--retry-delay", "0.02", "--json", *map(str, more)]

    def upload(self, code, server, *more):
        result = dpipe.run("dpipe-upload", *self.words(server, *more, self.study), env=ENV)
        self.assertEqual(result.code, code, result.err + result.out)
        result.record = json.loads(result.lines[0])
        return result

    def all_there_once(self, server):
        self.assertEqual(sorted(data for _, data in server.stored), sorted(f.read_bytes() for f in self.files))


class Requests(StowCase):
    def test_one_request_and_its_parts(self):
        with stow.serving() as server:
            self.assertEqual(self.upload(0, server).record["sent"], 4)
            self.all_there_once(server)
            self.assertEqual(server.paths, ["/dicom-web/studies"])
            self.assertIn('type="application/dicom"', server.headers[0]["Content-Type"])
            self.assertEqual(server.headers[0]["Accept"], "application/dicom+json")
            self.assertNotIn("Authorization", server.headers[0])

    def test_credentials(self):
        with stow.serving() as server:
            result = dpipe.run("dpipe-upload", *self.words(server), self.study, env={**ENV, "DPIPE_TOKEN": "abc"})
            self.assertEqual(result.code, 0)
            self.assertEqual(server.headers[0]["Authorization"], "Bearer abc")
            for name, password, text in (("u", "pw", "dTpwdw=="), ("us", "pw", "dXM6cHc="), ("use", "pw", "dXNlOnB3")):
                (self.scratch / "study.receipt.jsonl").unlink()
                dpipe.run("dpipe-upload", *self.words(server, "--username", name), self.study,
                          env={**ENV, "DPIPE_PASSWORD": password})
                self.assertEqual(server.headers[-1]["Authorization"], "Basic " + text)

    def test_batches_by_count_and_bytes(self):
        with stow.serving() as server:
            self.upload(0, server, "--batch-instances", 3)
            self.assertEqual([len(r) for r in server.requests], [3, 1])
        size = self.files[0].stat().st_size
        with stow.serving() as server:
            self.upload(0, server, "--batch-bytes", 2 * size + size // 2)
            self.assertEqual([len(r) for r in server.requests], [2, 2])
        with stow.serving() as server:
            self.upload(0, server, "--batch-bytes", 1)
            self.assertEqual([len(r) for r in server.requests], [1, 1, 1, 1])

    def test_too_large_a_request_is_cut_in_halves(self):
        with stow.serving(most=1) as server:
            self.upload(0, server)
            self.all_there_once(server)
            self.assertEqual([len(r) for r in server.requests], [4, 2, 1, 1, 2, 1, 1])

    @unittest.skipIf(dpipe.SANITIZED, "memory is not what users will see")
    def test_three_gigabytes_stream_through_32_megabytes(self):
        big = self.scratch / "big"
        for i in range(3):
            path = tiny.write(big / f"{i}.dcm", InstanceNumber=i + 1, PixelData=bytes(128))
            whole = path.read_bytes()
            size = 1 << 30
            # The pixel data are a hole in the file.
            path.write_bytes(whole[:-132] + size.to_bytes(4, "little"))
            os.truncate(path, len(whole) - 128 + size)
        stored = {"00081199": {"vr": "SQ", "Value": [
            {"00081155": {"vr": "UI", "Value": [pydicom.dcmread(p, stop_before_pixels=True).SOPInstanceUID]}}
            for p in big.iterdir()]}}
        with drain.serving(json.dumps(stored).encode(), "application/dicom+json") as server:
            code, peak = measured.run(
                dpipe.BIN / "dpipe-upload", "--api", "stow", "--url", server.url, big, env=ENV)
            self.assertEqual(code, 0)
            self.assertGreater(server.bytes, 3 << 30)
        self.assertLess(peak, 32 << 20)
        self.assertEqual(len((self.scratch / "big.receipt.jsonl").read_text().splitlines()), 3)


class Failures(StowCase):
    def test_only_what_failed_for_now_is_sent_again(self):
        with stow.serving([{1: 0xA700, 2: 0x0110}]) as server:
            self.upload(0, server)
            self.all_there_once(server)
            self.assertEqual(server.requests[1], server.requests[0][1:3])

    def test_what_the_server_does_not_name_is_not_taken_for_stored(self):
        with stow.serving([{3: None}]) as server:
            self.upload(0, server)
            self.all_there_once(server)
            self.assertEqual(server.requests[1], server.requests[0][3:])

    def test_what_is_refused_for_good_fails_and_the_rest_is_there(self):
        with stow.serving([{0: 0xA900}, {0: 0xA900}]) as server:
            result = self.upload(3, server)
            self.assertEqual(result.record["status"], "failed")
            self.assertIn("1 failed, 3 stored", result.err)
            self.assertIn("A900", result.err)
            self.assertEqual(len(server.requests), 1)
            self.upload(3, server)
            self.assertEqual(server.requests[1], server.requests[0][:1])
            self.upload(0, server)
            self.all_there_once(server)

    def test_all_refused(self):
        with stow.serving([{n: 0x0122 for n in range(4)}]) as server:
            self.assertIn("4 failed, 0 stored", self.upload(3, server).err)

    def test_the_retry_matrix(self):
        for fault in (408, 425, 429, 500, 502, 503, 504, "reset"):
            with self.subTest(fault), stow.serving([fault, fault]) as server:
                (self.scratch / "study.receipt.jsonl").unlink(missing_ok=True)
                self.upload(0, server)
                self.assertEqual(len(server.requests), 3)
                self.all_there_once(server)
        for fault, code in ((400, 3), (403, 3), (404, 3), (405, 3), (415, 3), (401, 2), ("page", 3)):
            with self.subTest(fault), stow.serving([fault]) as server:
                (self.scratch / "study.receipt.jsonl").unlink(missing_ok=True)
                self.upload(code, server)
                self.assertEqual((len(server.requests), server.stored), (1, []))

    def test_retry_after_is_honoured(self):
        with stow.serving([429], retry_after=1) as server:
            start = time.monotonic()
            self.upload(0, server)
            self.assertGreaterEqual(time.monotonic() - start, 1)

    def test_a_server_that_stays_away(self):
        with stow.serving() as server:
            pass
        self.assertEqual(self.upload(4, server).record["status"], "failed")


class Receipts(StowCase):
    def receipt(self):
        return self.scratch / "study.receipt.jsonl"

    def test_other_bytes_are_sent_and_the_same_are_not(self):
        with stow.serving() as server:
            self.upload(0, server)
            self.assertEqual(self.upload(0, server).record["status"], "skipped")
            self.assertEqual(len(server.requests), 1)
            data = bytearray(self.files[2].read_bytes())
            data[-1] ^= 1
            self.files[2].write_bytes(data)
            self.assertEqual(self.upload(0, server).record["sent"], 1)
        with stow.serving() as other:
            self.assertEqual(self.upload(0, other).record["sent"], 4)

    def test_a_line_that_was_cut_does_not_count(self):
        with stow.serving() as server:
            self.upload(0, server)
            text = self.receipt().read_text()
            self.receipt().write_text(text[:-20])
            self.assertEqual(self.upload(0, server).record["sent"], 1)
            self.assertEqual(self.upload(0, server).record["status"], "skipped")

    def test_a_receipt_that_cannot_be_read_is_for_a_person(self):
        self.receipt().write_text("{}\n")
        with stow.serving() as server:
            self.assertIn("line 1", self.upload(3, server).err)
            self.assertEqual(server.requests, [])

    def test_killed_at_any_instant_it_ends_with_everything_there(self):
        for number in range(5, 40):
            tiny.write(self.study / "1" / f"{number}.dcm", InstanceNumber=number)
        self.files = sorted(self.study.rglob("*.dcm"))
        chance = random.Random(1)
        with stow.serving() as server:
            for _ in range(12):
                process = dpipe.start(
                    "dpipe-upload", *self.words(server, "--batch-instances", 4), self.study, env=ENV,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(chance.uniform(0.005, 0.06))
                process.kill()
                process.wait()
            self.upload(0, server)
            self.assertEqual({uid: data for uid, data in server.stored},
                             {tiny_uid(f): f.read_bytes() for f in self.files})
            # What had a receipt was never sent again: at most one request a kill was for nothing.
            self.assertLessEqual(len(server.stored), len(self.files) + 12 * 4)

    def test_two_at_once_send_once(self):
        with stow.serving() as server:
            both = [dpipe.start("dpipe-upload", *self.words(server), self.study, env=ENV, stdout=subprocess.PIPE)
                    for _ in range(2)]
            states = sorted(json.loads(p.communicate()[0])["status"] for p in both)
            self.assertEqual(states, ["ok", "skipped"])
            self.all_there_once(server)


class Words(StowCase):
    def test_what_makes_no_sense(self):
        with stow.serving() as server:
            self.fails(2, "dpipe-upload", *self.words(server, "--remove-source"), self.study)
            self.fails(2, "dpipe-upload", *self.words(server, "--batch-instances", 0), self.study)
            self.fails(2, "dpipe-upload", *self.words(server, "--username", "me"), self.study)
            self.assertEqual(server.requests, [])

    def test_dry_run_sends_and_writes_nothing(self):
        with stow.serving() as server:
            record = self.upload(0, server, "-n").record
            self.assertEqual((record["status"], record["sent"], record["dry_run"]), ("ok", 4, True))
            self.assertFalse((self.scratch / "study.receipt.jsonl").exists())
            self.assertEqual(server.requests, [])
            self.upload(0, server)
            self.assertEqual(self.upload(0, server, "-n").record["status"], "skipped")

    def test_nothing_to_send(self):
        empty = self.scratch / "empty"
        empty.mkdir()
        with stow.serving() as server:
            self.fails(3, "dpipe-upload", *self.words(server), empty)


def tiny_uid(path):
    import pydicom
    return str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)


if __name__ == "__main__":
    dpipe.main()
