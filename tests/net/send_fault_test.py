"""dpipe-send against nodes that misbehave, and killed at any instant: nothing is lost, and nothing is sent twice
that a node said it has."""

import csv
import json
import pathlib
import random
import signal
import socket
import subprocess
import sys
import time

import dicom_bytes as made
import dpipe
from fake_store import FakeStore
from peers import free_port
from receiving import Receiver


class FaultTest(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.raw = self.scratch / "raw"
        self.raw.mkdir()

    def fill(self, count, **more):
        """{UID: data set}; the files are named by their number."""
        data_sets = {}
        for number in range(count):
            uid = f"1.2.3.{number + 1}"
            data_sets[uid] = made.instance(uid, **more)
            (self.raw / f"{number + 1:04}.dcm").write_bytes(made.part10(data_sets[uid], uid))
        return data_sets

    def words(self, store, *words):
        words = words if "--retry-delay" in words else (*words, "--retry-delay", "0.05")
        return ("--journal", self.scratch / "sent.db", "--aet", "ME", "--json", "--node",
                f"STORE@127.0.0.1:{store.port if isinstance(store, FakeStore) else store}", *words, self.raw)

    def send(self, store, *words, code=0, **how):
        result = dpipe.run("dpipe-send", *self.words(store, *words), **how)
        self.assertEqual(result.code, code, result.out + result.err)
        self.records = {r.get("SOPInstanceUID", r["path"]): r for r in map(json.loads, result.lines)}
        return result

    def statuses(self):
        return {uid: record["status"] for uid, record in sorted(self.records.items())}


class Answers(FaultTest):
    def test_a_busy_node_is_asked_again(self):
        self.fill(3)
        with FakeStore() as store:
            store.answers = {"1.2.3.1": [0xA700, 0xA701], "1.2.3.2": [0x0110]}
            self.send(store)
            self.assertEqual(store.asked, {"1.2.3.1": 3, "1.2.3.2": 2, "1.2.3.3": 1})
            self.assertEqual(len(store.associations), 1)

    def test_the_pauses_double(self):
        self.fill(1)
        with FakeStore() as store:
            store.answers = {"1.2.3.1": [0xA700] * 3}
            start = time.monotonic()
            self.send(store, "--retry-delay", "0.4")  # 0.4 + 0.8 + 1.6, each half more or less
            self.assertTrue(1.4 <= time.monotonic() - start <= 6)

    def test_a_refusal_is_final_until_told_otherwise(self):
        self.fill(4)
        with FakeStore() as store:
            store.answers = {"1.2.3.1": [0xA900], "1.2.3.2": [0xC123], "1.2.3.3": [0x0122]}
            self.send(store, code=3)
            self.assertEqual(list(self.statuses().values()), ["failed"] * 3 + ["ok"])
            self.assertIn("A900H, the data set does not match its SOP class", self.records["1.2.3.1"]["reason"])
            self.assertIn("C123H, it cannot understand", self.records["1.2.3.2"]["reason"])
            self.send(store, code=3)
            self.assertEqual(store.asked.total(), 4)
            self.assertIn("--retry-failed", self.records["1.2.3.1"]["reason"])
            self.send(store, "--retry-failed")
            self.assertEqual(list(self.statuses().values()), ["ok"] * 3 + ["skipped"])

    def test_what_stays_busy_fails_alone_and_is_sent_the_next_time(self):
        self.fill(3)
        with FakeStore() as store:
            store.answers = {"1.2.3.2": [0xA700] * 4}
            self.send(store, code=3)
            self.assertEqual(list(self.statuses().values()), ["ok", "failed", "ok"])
            self.send(store)
            self.assertEqual(list(self.statuses().values()), ["skipped", "ok", "skipped"])

    def test_a_node_that_is_busy_for_all_is_given_up(self):
        self.fill(30)
        with FakeStore() as store:
            store.status = 0xA700
            self.send(store, "--max-retries", "1", code=4)
            self.assertEqual(set(self.statuses().values()), {"failed"})
            self.assertEqual(store.asked.total(), 6)  # three instances, two tries each

    def test_warnings_are_success_and_named(self):
        self.fill(3)
        with FakeStore() as store:
            store.answers = {"1.2.3.1": [0xB000], "1.2.3.2": [0xB007]}
            result = self.send(store)
            self.assertEqual(set(self.statuses().values()), {"ok"})
            self.assertIn("B000H, data elements were coerced", self.records["1.2.3.1"]["warning"])
            self.assertIn("1 stored with B007H", result.err)
            self.send(store)
            self.assertEqual(store.asked.total(), 3)

    def test_a_context_that_is_refused_is_reported_by_its_reason(self):
        self.fill(2)
        uid = "1.2.9"
        (self.raw / "mr.dcm").write_bytes(made.part10(made.instance(uid, sop_class=made.MR), uid, made.MR))
        with FakeStore(choose=lambda abstract, syntaxes: syntaxes[0] if abstract != made.MR else None) as store:
            self.send(store, code=3)
            self.assertEqual(len(store.stored), 2)
            self.assertIn(f"SOP class {made.MR} in transfer syntax {made.EXPLICIT}: it does not take this SOP class",
                          self.records[uid]["reason"])

    def test_more_contexts_than_an_association_has(self):
        for number in range(300):
            uid, sop_class = f"1.2.3.{number + 1}", f"1.2.4.{number + 1}"
            data = made.instance(uid, sop_class=sop_class)
            (self.raw / f"{number:04}.dcm").write_bytes(made.part10(data, uid, sop_class))
        with FakeStore() as store:
            self.send(store)
            self.assertEqual(len(store.stored), 300)
            self.assertEqual([len(contexts) for contexts in store.associations][:2], [128, 128])
            self.assertLessEqual(len(store.associations), 3)

    def test_each_transfer_syntax_has_its_context(self):
        data_sets = {}
        for number, syntax in enumerate((made.EXPLICIT, made.HTJ2K, "1.2.840.10008.1.2.4.70", "1.2.3.4.5.6")):
            uid = f"1.2.3.{number}"
            data_sets[uid] = made.instance(uid)
            (self.raw / f"{number}.dcm").write_bytes(made.part10(data_sets[uid], uid, syntax=syntax))
        with FakeStore() as store:
            self.send(store)
            self.assertEqual({uid: data for uid, data, _ in store.stored}, data_sets)
            self.assertEqual([syntax for _, _, syntax in sorted(store.stored)],
                             [made.EXPLICIT, made.HTJ2K, "1.2.840.10008.1.2.4.70", "1.2.3.4.5.6"])
            self.assertEqual(len(store.associations), 1)


class Breaks(FaultTest):
    def test_an_abort_costs_a_try(self):
        data_sets = self.fill(5)
        with FakeStore() as store:
            store.aborts_at = ["1.2.3.2", "1.2.3.2", "1.2.3.4"]
            self.send(store)
            self.assertEqual({uid: data for uid, data, _ in store.stored}, data_sets)
            self.assertEqual(len(store.associations), 4)

    def test_an_instance_that_breaks_the_node_stops_no_other(self):
        self.fill(6)
        with FakeStore() as store:
            store.aborts_at = ["1.2.3.3"] * 9
            self.send(store, code=3)
            self.assertEqual([u for u, s in self.statuses().items() if s == "failed"], ["1.2.3.3"])
            self.assertEqual(store.asked["1.2.3.3"], 4)

    def test_a_node_that_goes_away_is_given_up_and_the_rest_sent_the_next_time(self):
        self.fill(200)
        with FakeStore() as store:
            store.aborts_at = [f"1.2.3.{n}" for n in range(101, 201) for _ in range(9)]
            start = time.monotonic()
            self.send(store, "--max-retries", "1", code=4)
            self.assertLess(time.monotonic() - start, 20)
            self.assertEqual(len(self.records), 200)
            store.aborts_at = []
            before = store.asked.copy()
            self.send(store)
            self.assertEqual(sorted(store.uids), sorted(set(store.uids)))
            self.assertEqual(len(store.stored), 200)
            self.assertEqual((store.asked - before).total(), 100)

    def test_an_unreachable_node_is_exit_4_at_once(self):
        self.fill(3)
        start = time.monotonic()
        self.send(free_port(), code=4)
        self.assertLess(time.monotonic() - start, 5)
        self.assertEqual(set(self.statuses().values()), {"failed"})

    def test_a_silent_node_is_exit_4_within_the_timeout(self):
        self.fill(3)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            start = time.monotonic()
            self.send(silent.getsockname()[1], "--timeout", "1", code=4)
            self.assertLess(time.monotonic() - start, 6)

    def test_a_node_that_stops_reading_is_left_within_the_timeout(self):
        self.fill(3, pixels=b"\1" * 20_000_000)
        with FakeStore() as store:
            store.deaf_after = 1
            start = time.monotonic()
            # Long enough for a slow archive on a busy machine to answer the first.
            self.send(store, "--timeout", "4", "--max-retries", "0", code=3)
            self.assertLess(time.monotonic() - start, 30)
            self.assertEqual(self.statuses()["1.2.3.1"], "ok")

    def test_one_that_takes_too_few_associations_gets_everything_over_those(self):
        self.fill(60)
        with FakeStore() as store:
            store.most, store.delay = 2, 0.02
            self.send(store, "--associations", "5")
            self.assertEqual(len(store.stored), 60)
            self.assertEqual(store.most_at_once, 2)

    def test_associations_at_once(self):
        self.fill(60)
        with FakeStore() as store:
            store.delay = 0.05
            self.send(store, "--associations", "4")
            self.assertEqual(store.most_at_once, 4)
            self.assertEqual(len(store.stored), 60)

    def test_no_more_bytes_a_second_than_are_wanted(self):
        self.fill(8, pixels=b"\1" * 500_000)
        with FakeStore() as store:
            start = time.monotonic()
            self.send(store, "--bandwidth", "2M", "--associations", "2")
            self.assertTrue(1.5 < time.monotonic() - start < 6)
            self.assertEqual(len(store.stored), 8)


class Again(FaultTest):
    def test_killed_at_any_instant_it_goes_on_where_it_was(self):
        data_sets = self.fill(300)
        chance = random.Random(4)
        with FakeStore() as store:
            store.delay = 0.002
            for _ in range(6):
                process = dpipe.start("dpipe-send", *self.words(store, "--associations", "2"),
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(chance.uniform(0.05, 0.3))
                process.kill()
                process.wait()
            self.assertGreater(len(store.stored), 0)
            self.send(store)
            self.assertEqual({uid: data for uid, data, _ in store.stored}, data_sets)
            # What was under way on the two associations when it was killed may come twice, and nothing else.
            self.assertLessEqual(store.asked.total(), 300 + 6 * 2)
            self.send(store)
            self.assertEqual(set(self.statuses().values()), {"skipped"})

    def test_a_signal_ends_it_after_the_instance_at_hand(self):
        self.fill(300)
        with FakeStore() as store:
            store.delay = 0.02
            process = dpipe.start("dpipe-send", *self.words(store), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            time.sleep(0.6)
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=20)
            self.assertEqual(process.returncode, -signal.SIGTERM)
            told = [json.loads(line) for line in out.decode().splitlines()]
            self.assertEqual([r["SOPInstanceUID"] for r in told], store.uids)
            self.assertLess(len(told), 300)
            self.assertEqual(store.asked.total(), len(told))
            self.send(store)
            self.assertEqual(store.asked.total(), 300)

    def test_who_reads_its_results_goes_away(self):
        self.fill(200)
        with FakeStore() as store:
            store.delay = 0.01
            with dpipe.start("dpipe-send", *self.words(store, "--associations", "3"), stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL) as process:
                process.stdout.readline()
                process.stdout.close()
                self.assertEqual(process.wait(20), -signal.SIGPIPE)
            self.assertLess(len(store.stored), 200)

    def test_a_file_that_changed_is_sent_again_and_one_that_moved_is_not(self):
        self.fill(2)
        with FakeStore() as store:
            self.send(store)
            (self.raw / "0001.dcm").rename(self.raw / "moved.dcm")
            changed = made.instance("1.2.3.2", pixels=b"\5" * 64)
            (self.raw / "0002.dcm").write_bytes(made.part10(changed, "1.2.3.2"))
            self.send(store)
            self.assertEqual(self.statuses(), {"1.2.3.1": "skipped", "1.2.3.2": "ok"})
            self.assertEqual(store.stored[-1][1], changed)

    def test_the_journal_is_its_owner_s_alone(self):
        self.fill(1)
        with FakeStore() as store:
            result = dpipe.run("dpipe-send", "--node", f"A@127.0.0.1:{store.port}", self.raw,
                               env={"XDG_STATE_HOME": str(self.scratch / "state")})
            self.assertEqual(result.code, 0, result.err)
        journal = self.scratch / "state" / "dcmpipe" / "send.db"
        self.assertEqual(journal.stat().st_mode & 0o777, 0o600)

    def test_a_journal_that_cannot_be_written_stops_it(self):
        self.fill(1)
        with FakeStore() as store:
            self.fails(1, "dpipe-send", "--journal", "/proc/none/j.db", "--node", f"A@127.0.0.1:{store.port}", self.raw)
            self.assertEqual(len(store.associations), 0)


class Reports(FaultTest):
    def test_a_line_for_each_and_the_counts(self):
        self.fill(3)
        table, counts = self.scratch / "r.csv", self.scratch / "r.json"
        with FakeStore() as store:
            store.answers = {"1.2.3.1": [0xB000], "1.2.3.2": [0xA900]}
            self.send(store, "--report", table, "--report", counts, code=3)
        rows = list(csv.DictReader(table.read_text().splitlines()))
        self.assertEqual([(r["SOPInstanceUID"], r["status"], r["committed"]) for r in rows],
                         [("1.2.3.1", "ok", "no"), ("1.2.3.2", "failed", "no"), ("1.2.3.3", "ok", "no")])
        self.assertIn("B000H", rows[0]["warning"])
        self.assertIn("A900H", rows[1]["reason"])
        node = json.loads(counts.read_text())["nodes"][0]
        self.assertEqual((node["sent"], node["skipped"], node["failed"], sum(node["warnings"].values())), (2, 0, 1, 1))

    def test_no_value_of_an_instance_is_in_a_message(self):
        uid = "1.2.3.1"
        data = made.instance(uid, more=[(0x00100010, made.element(0x00100010, "PN", "SECRET^NAME"))])
        (self.raw / "x").write_bytes(made.part10(data, uid))
        with FakeStore() as store:
            store.answers = {uid: [0xA900]}
            result = self.send(store, "--verbose", code=3)
            self.assertNotIn("SECRET", result.err + result.out)


class Size(FaultTest):
    @dpipe.unittest.skipIf(dpipe.SANITIZED, "a sanitizer's memory is not what users see")
    def test_a_large_instance_costs_no_memory(self):
        uid, size = "1.2.3.1", 400 << 20
        head = made.part10(made.instance(uid, pixels=b""), uid)[:-12]
        path = self.raw / "large.dcm"
        with path.open("wb") as file:
            file.write(head + made.element(0x7FE00010, "OW", length=size))
            file.truncate(file.tell() + size)
        peak = pathlib.Path(__file__).resolve().parents[1] / "support" / "peak.py"
        wrapper = self.scratch / "send.sh"
        with Receiver(self.scratch / "in", "--durability", "none") as receiver:
            words = " ".join(f"'{w}'" for w in self.words(receiver.port)[:-1])
            wrapper.write_text(f'#!/bin/sh\nexec {dpipe.BIN}/dpipe-send {words} "$1"\n')
            wrapper.chmod(0o755)
            done = subprocess.run([sys.executable, "-B", peak, wrapper], input=f"{path}\n".encode(),
                                  capture_output=True, check=True)
        result = json.loads(done.stdout)
        self.assertEqual(result["code"], 0, result)
        self.assertLess(result["megabytes"], 40)


if __name__ == "__main__":
    dpipe.main()
