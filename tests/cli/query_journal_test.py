"""What dpipe-query remembers of a run, and what a killed one loses: nothing."""

import csv
import json
import os
import random
import signal
import subprocess
import time

import dpipe
from querying import PATIENT, QueryTest, series


class Again(QueryTest):
    cohort = "PatientID\nP1\nP2\nP0\n"

    def archive(self):
        pacs = self.pacs(series(3) + series(3, study="7", attributes={PATIENT: "P2"}))
        pacs.matches = {PATIENT}
        return pacs

    def test_resume_asks_for_nothing(self):
        pacs = self.archive()
        self.save(pacs, self.cohort)
        asked = len(pacs.log)
        self.assertEqual(self.save(pacs, self.cohort, "--resume"), [])
        self.assertEqual(len(pacs.log), asked)
        self.assertIn("3 left out", self.err)
        # A row more is asked for alone; one that was done in another order, or another file, is not.
        pacs.instances.update({i.uid: i for i in series(1, study="8", attributes={PATIENT: "P3"})})
        self.assertEqual([r["row"] for r in self.save(pacs, "PatientID\nP2\nP3\nP1\n", "--resume")], [3])

    def test_without_it_the_node_is_asked_what_there_is_and_sends_nothing(self):
        pacs = self.archive()
        self.save(pacs, self.cohort)
        self.assertEqual([(r["status"], r["received"]) for r in self.save(pacs, self.cohort)], [("skipped", 0)] * 2)
        self.assertEqual(len(pacs.asked("get")), 2)

    def test_retry_failed_asks_for_those_alone(self):
        pacs = self.archive()
        pacs.lost = {"7.1.2": 1000}
        self.save(pacs, self.cohort, "--max-retries", "1", code=3)
        pacs.lost.clear()
        asked = len(pacs.asked("find"))
        (record,) = self.save(pacs, self.cohort, "--retry-failed")
        self.assertEqual((record["row"], record["status"], record["received"]), (3, "ok", 1))
        self.assertEqual({keys[PATIENT] for level, keys in pacs.asked("find")[asked:] if level == "STUDY"}, {"P2"})
        self.assertEqual(self.save(pacs, self.cohort, "--retry-failed"), [])

    def test_max_and_the_same_words_again(self):
        pacs = self.pacs([one for n in range(1, 8) for one in series(2, number=n)])
        received = []
        for _ in range(4):
            records = self.save(pacs, "PatientID\nP1\n", "--max", "2")
            received.append(sum(r["received"] > 0 for r in records))
        self.assertEqual(received, [2, 2, 2, 1])
        self.check_whole(pacs)
        self.assertEqual(len(pacs.asked("get")), 7)

    def test_a_row_that_max_cut_short_is_not_done(self):
        pacs = self.pacs([one for n in range(1, 4) for one in series(2, number=n)])
        self.save(pacs, "PatientID\nP1\n", "--max", "2")
        self.assertEqual([r["status"] for r in self.save(pacs, "PatientID\nP1\n", "--resume")],
                         ["skipped", "skipped", "ok"])

    def test_reports_as_table_and_as_json(self):
        pacs = self.archive()
        pacs.lost = {"7.1.2": 1000}
        table, lines = self.scratch / "report.csv", self.scratch / "report.json"
        self.save(pacs, self.cohort, "--max-retries", "0", "--report", table, "--report", lines, code=3)
        with table.open(newline="") as file:
            rows = [{k: v for k, v in row.items() if v} for row in csv.DictReader(file)]
        objects = [json.loads(line) for line in lines.read_text().splitlines()]
        self.assertEqual([(r["row"], r["status"]) for r in rows], [("2", "ok"), ("3", "failed"), ("4", "empty")])
        self.assertEqual([{k: str(v) for k, v in o.items() if v != ""} for o in objects[:-1]], rows)
        self.assertEqual((objects[1]["expected"], objects[1]["received"], objects[1]["missing"]), (3, 2, 1))
        self.assertIn("1 of 3 instances are missing", objects[1]["reason"])
        self.assertEqual({k: objects[-1][k] for k in ("rows", "empty", "failed", "series")},
                         {"rows": 3, "empty": 1, "failed": 1, "series": 2})

    def test_no_value_of_the_cohort_is_in_the_journal(self):
        pacs = self.pacs(series(1, attributes={PATIENT: "SECRET7"}))
        self.save(pacs, "PatientID\nSECRET7\n")
        for path in self.out.glob(".dpipe-query.db*"):
            self.assertNotIn(b"SECRET7", path.read_bytes())

    def test_codes_of_the_cohort(self):
        pacs = self.archive()
        self.save(pacs, "PatientID,new_ids\nP1,sub-code1\nP2,\nP0,x\n")
        self.assertEqual(json.loads((self.out / "new_ids.json").read_text()), {"sub-P1": "sub-code1"})
        self.save(pacs, "PatientID,new_ids\nP2,code2\n")
        self.assertEqual(json.loads((self.out / "new_ids.json").read_text()),
                         {"sub-P1": "sub-code1", "sub-P2": "code2"})
        self.query(pacs, "PatientID,new_ids\n,code2\n", code=2)

    def test_info_files_elsewhere(self):
        pacs = self.archive()
        info = self.scratch / "info"
        self.save(pacs, "PatientID\nP1\n", "--info-dir", info, "--layout", "pacsifier")
        self.assertEqual([p.relative_to(info).as_posix() for p in info.rglob("*.csv")],
                         ["sub-P1/ses-20240102/00001-No_series_description.csv"])
        self.assertEqual(list(self.out.rglob("*.csv")), [])
        self.query(pacs, "PatientID\nP2\n", "--info-dir", info, "--layout", "pacsifier")
        self.assertEqual(len(list(info.rglob("*.csv"))), 2)


    def test_the_journal_is_its_owner_s_alone(self):
        pacs = self.pacs(series(1))
        self.save(pacs)
        self.assertEqual((self.out / ".dpipe-query.db").stat().st_mode & 0o777, 0o600)


class Forwarding(QueryTest):
    """What the node sends to a third one, by its own books."""

    def setUp(self):
        super().setUp()
        self.taken = self.scratch / "taken"
        receiver = subprocess.Popen(
            [dpipe.BIN / "dpipe-receive", "--port", str(self.move_port), "--bind", "127.0.0.1", "-o", self.taken],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(receiver.wait)
        self.addCleanup(receiver.kill)
        time.sleep(0.5)

    def forward(self, pacs, *words, cohort="PatientID\nP1\n", **how):
        return self.query(pacs, cohort, "--move", "ME", "--journal", self.scratch / "journal", *words, **how)


class Forwarded(Forwarding):
    def images(self, pacs):
        return [(level, len(keys[0x00080018].split("\\")) if level == "IMAGE" else 0)
                for level, keys in pacs.asked("move")]

    def test_what_the_node_names_as_failed_is_asked_for_again_alone(self):
        pacs = self.pacs(series(100))
        pacs.lost, pacs.lists_failed = {"1.2.1.7": 1, "1.2.1.50": 1, "1.2.1.99": 2}, True
        (record,) = self.forward(pacs)
        self.assertEqual((record["status"], record["received"], record["missing"]), ("ok", 100, 0))
        self.assertEqual(self.images(pacs), [("SERIES", 0), ("IMAGE", 3), ("IMAGE", 1)])
        self.assertEqual(len(list(self.taken.rglob("*.dcm"))), 100)

    def test_again_only_what_was_not_sent(self):
        pacs = self.pacs(series(20) + series(3, number=2))
        pacs.lost, pacs.lists_failed = {"1.2.1.7": 1000}, True
        records = self.forward(pacs, "--max-retries", "1", code=3)
        self.assertEqual([(r["status"], r["missing"]) for r in records], [("failed", 1), ("ok", 0)])
        pacs.lost, pacs.log = {}, []
        records = self.forward(pacs)
        self.assertEqual([(r["status"], r["present"], r["received"]) for r in records],
                         [("ok", 19, 1), ("skipped", 3, 0)])
        self.assertEqual(self.images(pacs), [("IMAGE", 1)])
        pacs.log = []
        self.assertEqual(self.forward(pacs, "--resume"), [])
        self.assertEqual(pacs.log, [])

    def test_success_without_enough_is_none(self):
        pacs = self.pacs(series(5))
        pacs.lost = {"1.2.1.3": 1000}
        (record,) = self.forward(pacs, "--max-retries", "1", code=3)
        self.assertEqual((record["status"], record["received"], record["missing"]), ("failed", 4, 1))
        self.assertIn("row 2: a series: ", self.err)
        self.assertNotIn(record["SeriesInstanceUID"], self.err, "a value of a data set in the log")

    def test_several_at_once(self):
        pacs = self.pacs([one for n in range(1, 9) for one in series(3, number=n)])
        pacs.instance_delay = 0.02
        records = self.forward(pacs, "--parallel", "3")
        self.assertEqual([r["status"] for r in records], ["ok"] * 8)
        self.assertLessEqual(pacs.most_open, 3)
        self.assertEqual(len(list(self.taken.rglob("*.dcm"))), 24)

    def test_as_pacsifier_says_it(self):
        pacs = self.pacs(series(2))
        config = self.scratch / "config.json"
        config.write_text(json.dumps({
            "server_address": "127.0.0.1", "port": pacs.port, "server_AET": "FAKE", "AET": "PACSIFIER_SCU",
            "move_AET": "ME", "move_port": 1, "batch_size": 2, "batch_wait_time": 0}))
        cohort = self.scratch / "cohort.csv"
        cohort.write_text("PatientID\nP1\n")
        for words in (["--move", "--config", config, "--queryfile", cohort],
                      ["--queryfile", cohort, "--config", config, "--move"]):
            self.succeeds("dpipe-query", *words)
        self.assertEqual(pacs.acceptor.callers[0], ("PACSIFIER_SCU", "FAKE"))
        self.assertEqual(len(list(self.taken.rglob("*.dcm"))), 2)


class ForwardedAndKilled(Forwarding):
    def test_what_was_not_sent_is_in_the_end(self):
        pacs = self.pacs([one for n in range(1, 7) for one in series(20, number=n)])
        pacs.instance_delay = 0.003
        chance = random.Random(3)
        for _ in range(5):
            process = dpipe.start(*self.words(pacs, "PatientID\nP1\n", "--move", "ME", "--journal",
                                              self.scratch / "journal"),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.05, 0.3))
            process.kill()
            process.wait()
        records = self.forward(pacs)
        self.assertEqual([r["missing"] for r in records], [0] * 6)
        self.assertEqual(len(list(self.taken.rglob("*.dcm"))), 120)
        self.assertEqual({r["status"] for r in self.forward(pacs)}, {"skipped"})


class Killed(QueryTest):
    """At random instants, again and again, the same words: in the end all is there, and little was sent twice."""

    rounds = int(os.environ.get("DPIPE_FAULT_ROUNDS", "6"))

    def kill_until_done(self, pacs, *words):
        chance = random.Random(7)
        for _ in range(self.rounds):
            process = dpipe.start(*self.words(pacs, "PatientID\nP1\n", "--save", "-o", self.out, *words),
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.02, 0.4))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            for path in self.out.rglob("*.dcm") if self.out.exists() else []:
                self.assertEqual(path.read_bytes()[132:].endswith(pacs.instances[path.stem].data_set), True)
        time.sleep(0.3)
        records = self.save(pacs, "PatientID\nP1\n", *words)
        self.assertEqual({r["missing"] for r in records}, {0})
        self.check_whole(pacs)
        self.assertEqual({r["status"] for r in self.save(pacs, "PatientID\nP1\n", *words)}, {"skipped"})

    def archive(self):
        pacs = self.pacs([one for n in range(1, 9) for one in series(25, number=n)])
        pacs.instance_delay = 0.003
        return pacs

    def test_by_get(self):
        self.kill_until_done(self.archive())

    def test_by_move(self):
        self.kill_until_done(self.archive(), "--move-port", str(self.move_port), "--bind", "127.0.0.1",
                             "--linger", "0.5")

    def test_by_several(self):
        self.kill_until_done(self.archive(), "--parallel", "4")


if __name__ == "__main__":
    dpipe.main()
