"""dpipe-query against an archive that misbehaves: the books are right, nothing is done while something misses."""

import csv
import json
import signal
import subprocess
import time

import dicom_bytes as made
import dpipe
import fake_pacs
import receiving
from fake_pacs import FakeInstance
from querying import DATE, DESCRIPTION, NAME, NUMBER, PATIENT, QueryTest, series

class Retrieving:
    """The same for C-GET and for C-MOVE to ourselves."""

    operation = "get"
    proofs = 0  # requests for one instance, to see whether it comes here

    def requests(self, pacs):
        return pacs.asked(self.operation)[self.proofs:]

    def uids_asked_for(self, pacs):
        return [len(keys[0x00080018].split("\\")) for level, keys in self.requests(pacs) if level == "IMAGE"]

    def test_what_is_left_out_is_asked_for_again_alone(self):
        pacs = self.pacs(series(100))
        pacs.lost = {"1.2.1.7": 1, "1.2.1.50": 1, "1.2.1.99": 2}
        (record,) = self.save(pacs)
        self.assertEqual((record["status"], record["received"], record["missing"]), ("ok", 100, 0))
        asked = [(level, len(keys.get(0x00080018, "").split("\\")) if level == "IMAGE" else 0)
                 for level, keys in self.requests(pacs)]
        self.assertEqual(asked, [("SERIES", 0), ("IMAGE", 3), ("IMAGE", 1)])
        self.check_whole(pacs)

    def test_success_with_something_missing_is_no_success(self):
        pacs = self.pacs(series(5))
        pacs.lost = {"1.2.1.3": 1000}
        (record,) = self.save(pacs, code=3)
        self.assertEqual((record["status"], record["received"], record["missing"]), ("failed", 4, 1))
        self.assertIn("1 of 5 instances are missing", record["reason"])
        self.assertEqual(len(self.requests(pacs)), 5)  # the first, and four that brought nothing
        pacs.lost.clear()
        (record,) = self.save(pacs)
        self.assertEqual((record["status"], record["present"], record["received"]), ("ok", 4, 1))
        self.check_whole(pacs)

    def test_a_failure_that_lost_nothing_is_none(self):
        for status in (0xB000, 0xA702, 0xC001, 0xFE00):
            with self.subTest(status=hex(status)):
                pacs = self.pacs(series(3, f"1.{status}"))
                pacs.final, pacs.says_failed = status, 2
                self.assertEqual([(r["status"], r["received"]) for r in self.save(pacs)], [("ok", 3)])

    def test_success_with_nothing_done_is_a_busy_node(self):
        pacs = self.pacs(series(3))
        pacs.busy = 2
        self.assertEqual([(r["status"], r["received"]) for r in self.save(pacs)], [("ok", 3)])

    def test_a_node_that_dies_in_the_middle(self):
        pacs = self.pacs(series(10))
        pacs.die_after = [100] * self.proofs + [4, 3]
        self.assertEqual([(r["status"], r["received"]) for r in self.save(pacs)], [("ok", 10)])
        self.assertEqual(self.uids_asked_for(pacs), [6, 3])
        self.check_whole(pacs)

    def test_a_node_that_takes_no_list_of_uids(self):
        pacs = self.pacs(series(5))
        pacs.lost, pacs.no_uid_lists = {"1.2.1.2": 1}, True
        self.assertEqual([(r["status"], r["received"]) for r in self.save(pacs)], [("ok", 5)])
        self.check_whole(pacs)

    def test_what_nobody_asked_for_does_not_enter(self):
        pacs = self.pacs(series(3) + series(2, number=2))
        pacs.extra = series(2, study="9.9")
        (record,) = self.save(pacs, "PatientID,SeriesNumber\nP1,1\n")
        self.assertEqual(record["received"], 3)
        self.check_whole(pacs, series(3))

    def test_what_is_sent_twice_stands_once(self):
        pacs = self.pacs(series(3))
        pacs.extra = series(3)
        (record,) = self.save(pacs)
        self.assertEqual((record["received"], record["missing"]), (3, 0))
        self.check_whole(pacs)

    def test_a_node_that_lists_no_images_is_taken_by_number(self):
        pacs = self.pacs(series(4))
        pacs.find_status = {"IMAGE": 0xA900}
        (record,) = self.save(pacs)
        self.assertEqual((record["status"], record["verified"], record["received"]), ("ok", "count", 4))
        pacs.lost = {}
        (record,) = self.save(pacs)
        self.assertEqual((record["status"], record["present"]), ("skipped", 4))

    def test_a_number_that_is_not_reached_is_a_failure(self):
        pacs = self.pacs(series(4))
        pacs.find_status, pacs.lost = {"IMAGE": 0xA900}, {"1.2.1.1": 1000}
        (record,) = self.save(pacs, code=3)
        self.assertEqual((record["status"], record["missing"]), ("failed", 1))

    def test_criteria_that_only_the_data_sets_know(self):
        one, two = series(3), series(3, number=2)
        for instance in one + two:
            instance.attributes[DESCRIPTION] = "one" if instance in one else "two"
        pacs = self.pacs(one + two)
        pacs.silent_about = {DESCRIPTION}
        records = self.save(pacs, "PatientID,SeriesDescription\nP1,two\n")
        self.assertEqual([r["SeriesInstanceUID"] for r in records], ["1.2.2"])
        self.check_whole(pacs, two)
        # Of the other series one instance was looked at.
        self.assertEqual([(level, keys.get(0x00080018)) for level, keys in pacs.asked(self.operation)
                          if keys[0x0020000E] == "1.2.1"], [("IMAGE", "1.2.1.1")])

    def test_three_lost_of_a_thousand_cost_three_more(self):
        pacs = self.pacs(series(1000))
        pacs.lost = {"1.2.1.7": 1, "1.2.1.500": 1, "1.2.1.999": 1}
        (record,) = self.save(pacs, "PatientID\nP1\n", "--durability", "none")
        self.assertEqual((record["status"], record["received"], record["missing"]), ("ok", 1000, 0))
        self.assertEqual(pacs.sent_in_all, 997 + 3 + self.proofs)
        self.check_whole(pacs)

    def test_every_status_that_a_node_may_refuse_with(self):
        for status in (0xA700, 0xA701, 0xA702, 0xA801, 0xA900, 0xB000, 0xC001, 0xFE00, 0x0110):
            with self.subTest(hex(status)):
                pacs = self.pacs(series(3, f"1.{status}"))
                pacs.refusals = [status]  # it works the second time
                self.assertEqual([(r["status"], r["received"]) for r in self.save(pacs)], [("ok", 3)])

    def test_a_status_that_stays_is_a_failure_after_some_tries(self):
        for status in (0xA701, 0xFE00):
            pacs = self.pacs(series(3, f"2.{status}"))
            pacs.refusals = [status] * 100
            (record,) = self.save(pacs, code=3)
            self.assertEqual((record["status"], record["missing"]), ("failed", 3))
            self.assertIn(f"the node answered {status:04X}H", record["reason"])
            self.assertEqual(len(pacs.asked(self.operation)), 4)

    def test_a_warning_with_a_list_of_what_failed(self):
        pacs = self.pacs(series(10))
        pacs.lost, pacs.lists_failed = {"1.2.1.4": 1, "1.2.1.5": 1}, True
        (record,) = self.save(pacs)
        self.assertEqual((record["status"], record["received"]), ("ok", 10))
        self.assertEqual(self.uids_asked_for(pacs), [2])

    def test_pending_for_ever_is_silence(self):
        pacs = self.pacs(series(3))
        pacs.pending_for_ever = True
        start = time.monotonic()
        (record,) = self.save(pacs, "PatientID\nP1\n", "--timeout", "2", "--max-retries", "1", code=3)
        self.assertIn("it says that it goes on, but does not", record["reason"])
        self.assertLess(time.monotonic() - start, 15)
        pacs.pending_for_ever = False
        self.assertEqual([r["received"] for r in self.save(pacs)], [3])

    def test_no_final_answer(self):
        pacs = self.pacs(series(3))
        pacs.goes_silent = True
        start = time.monotonic()
        (record,) = self.save(pacs, "PatientID\nP1\n", "--timeout", "1", "--max-retries", "1", code=3)
        self.assertEqual(record["missing"], 3)
        self.assertLess(time.monotonic() - start, 15)

    def test_in_another_order_and_as_somebody_else(self):
        pacs = self.pacs(series(20))
        pacs.reverse, pacs.calling = True, "SOMEONE"
        self.assertEqual([(r["status"], r["received"]) for r in self.save(pacs)], [("ok", 20)])
        self.check_whole(pacs)

    def test_what_nobody_asked_for_is_counted_or_put_aside(self):
        pacs = self.pacs(series(3) + series(2, number=2))
        pacs.extra = series(2, study="9.9")
        cohort, aside = "PatientID,SeriesNumber\nP1,1\n", self.scratch / "aside"
        (record,) = self.save(pacs, cohort)
        self.assertEqual((record["received"], record["unasked"]), (3, 2 + 2 * self.proofs))
        self.out = self.scratch / "other"
        (record,) = self.save(pacs, cohort, "--aside", aside)
        self.assertEqual((record["received"], record["unasked"]), (3, 2 + 2 * self.proofs))
        self.check_whole(pacs, series(3))
        self.assertEqual(sorted(p.stem for p in aside.rglob("*.dcm")), ["9.9.1.1", "9.9.1.2"])

    def test_one_that_never_comes_does_not_hold_up_the_others(self):
        pacs = self.pacs(series(3) + series(3, number=2))
        pacs.lost = {"1.2.1.1": 1000}
        records = self.save(pacs, "PatientID\nP1\n", "--max-retries", "2", code=3)
        self.assertEqual([(r["status"], r["missing"]) for r in records], [("failed", 1), ("ok", 0)])
        self.assertEqual(len(self.requests(pacs)), 1 + 3 + 1)

    def test_killed_and_run_again(self):
        pacs = self.pacs(series(60))
        process = dpipe.start(*self.words(pacs, "PatientID\nP1\n", "--save", "-o", self.out, *self.method),
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while len(self.stored() if self.out.exists() else []) < 5 and time.monotonic() < until:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        time.sleep(0.1)
        there = len(self.stored())
        (record,) = self.save(pacs)
        self.assertEqual((record["status"], record["missing"]), ("ok", 0))
        self.assertGreaterEqual(record["present"], there - 1)
        self.check_whole(pacs)
        self.assertEqual(sorted(p.name for p in self.out.iterdir() if "part" in p.name), [])


class ByGet(Retrieving, QueryTest):
    pass


class ByMove(Retrieving, QueryTest):
    operation = "move"
    proofs = 1

    def setUp(self):
        super().setUp()
        self.method = ("--move-port", str(self.move_port), "--bind", "127.0.0.1", "--linger", "0.5")

    def test_instances_after_the_final_answer(self):
        pacs = self.pacs(series(6))
        pacs.late = ["1.2.1.5", "1.2.1.6"]
        self.assertEqual([(r["status"], r["received"]) for r in self.save(pacs)], [("ok", 6)])
        self.assertEqual(len(self.requests(pacs)), 1)

    def test_a_node_that_sends_what_is_meant_for_us_elsewhere_is_not_asked_for_more(self):
        """Row DP-12: the archive knows our AE title, at another machine."""
        other = self.scratch / "elsewhere"
        with receiving.Receiver(other) as elsewhere:
            pacs = self.pacs(series(20) + series(20, number=2))
            pacs.move_to = {"ME": elsewhere.port}
            (record,) = self.save(pacs, code=5)
            self.assertEqual(record["status"], "failed")
            self.assertIn("it says that it sent 1 to ME, and again nothing came", record["reason"])
            self.assertEqual(len(list(other.rglob("*.dcm"))), 2)

    def test_a_destination_that_the_node_does_not_know(self):
        pacs = self.pacs(series(2))
        pacs.move_to = {}
        (record,) = self.save(pacs, code=3)
        self.assertIn("the node answered A801H", record["reason"])


class Ways(QueryTest):
    """What a profile says of a node."""

    def profile(self, **members):
        path = self.scratch / "profile.json"
        path.write_text(json.dumps(members))
        return "--profile", path

    def test_the_next_operation_where_the_first_is_not_offered(self):
        pacs = self.pacs(series(3))
        pacs.acceptor.choose = lambda abstract, syntaxes: "" if abstract == fake_pacs.GET else syntaxes[0]
        move = ("--move-port", str(self.move_port), "--bind", "127.0.0.1", "--linger", "0.5")
        (record,) = self.save(pacs, "PatientID\nP1\n", *self.profile(operations=["get", "move"]), *move)
        self.assertEqual((record["status"], record["received"]), ("ok", 3))
        self.assertEqual([name for name, *_ in pacs.log if name != "find"], ["move"])
        self.out = self.scratch / "other"
        self.save(pacs, code=2)
        self.query(pacs, "PatientID\nP1\n", "--save", "-o", self.out, *self.profile(operations="move"), code=2)

    def test_one_uid_a_request(self):
        pacs = self.pacs(series(10))
        pacs.lost = {"1.2.1.3": 1, "1.2.1.4": 1}
        self.assertEqual(self.save(pacs, "PatientID\nP1\n", *self.profile(max_uids=1))[0]["received"], 10)
        self.assertEqual([keys.get(0x00080018) for level, keys in pacs.asked("get") if level == "IMAGE"],
                         ["1.2.1.3", "1.2.1.4"])

    def test_a_node_that_is_not_asked_for_images(self):
        pacs = self.pacs(series(4))
        (record,) = self.save(pacs, "PatientID\nP1\n", *self.profile(lists_images=False))
        self.assertEqual((record["verified"], record["received"]), ("count", 4))
        self.assertEqual([level for level, _ in pacs.asked("find")], ["STUDY", "SERIES"])

    def test_wildcards_that_it_does_not_take(self):
        pacs = self.pacs(series(1, attributes={NAME: "Doe^Jane"}) + series(1, "7", attributes={NAME: "Roe^Max"}))
        records = self.query(pacs, "PatientName\nDoe*\n", *self.profile(wildcards=False))
        self.assertEqual([r["PatientName"] for r in records], ["Doe^Jane"])
        self.assertEqual(pacs.asked("find")[0][1][NAME], "")

    def test_as_pacsifier_asks(self):
        pacs = self.pacs(series(2) + series(3, number=2))
        (record,) = self.save(pacs, "PatientID,SeriesNumber\nP1,2\n", "--profile", "carestream-chuv", "--move-port",
                              str(self.move_port), "--bind", "127.0.0.1", "--linger", "0.5")
        self.assertEqual((record["status"], record["received"]), ("ok", 3))
        self.assertEqual([level for level, _ in pacs.asked("find")], ["SERIES", "IMAGE"])
        for level, keys in pacs.asked("move"):
            self.assertEqual((level, keys[PATIENT], keys[0x0020000D], keys[0x0020000E]),
                             ("PATIENT", "P1", "1.2", "1.2.2"))
        self.assertEqual(len(pacs.asked("move")), 2)  # one of them to see whether it comes here
        self.check_whole(pacs, series(3, number=2))

    def test_a_strict_node_sends_the_whole_patient_and_the_rest_stays_out(self):
        pacs = self.pacs(series(2) + series(3, number=2))
        below = pacs.below
        pacs.below = lambda keys: below({} if keys[fake_pacs.LEVEL] == "PATIENT" else keys)
        (record,) = self.save(pacs, "PatientID,SeriesNumber\nP1,2\n", "--profile", "carestream-chuv", "--move-port",
                              str(self.move_port), "--bind", "127.0.0.1", "--linger", "0.5")
        self.assertEqual((record["status"], record["received"], record["unasked"]), ("ok", 3, 2))
        self.check_whole(pacs, series(3, number=2))

    def test_out_of_the_nodes_file(self):
        pacs = self.pacs(series(1))
        nodes = self.scratch / "nodes.json"
        nodes.write_text(json.dumps({"nodes": {"hospital": {"aet": "FAKE", "ip": "127.0.0.1", "port": pacs.port}},
                                     "profiles": {"hospital": {"relational": True}}}))
        self.query(pacs, "PatientID\nP1\n", "--node", "hospital", "--nodes", nodes)
        self.assertEqual([level for level, _ in pacs.asked("find")], ["SERIES"])


class Finding(QueryTest):
    def test_a_refused_query_is_never_an_empty_answer(self):
        for level in ("STUDY", "SERIES"):
            with self.subTest(level):
                pacs = self.pacs(series(2))
                pacs.find_status = {level: 0xC001}
                (record,) = self.query(pacs, "PatientID\nP1\n", code=3)
                self.assertEqual((record["status"], record["row"]), ("failed", 2))
                self.assertIn(f"status C001H at level {level}", record["reason"])

    def test_answers_that_ignore_the_keys_are_left_out(self):
        others = series(2, study="7", attributes={PATIENT: "P2"})
        pacs = self.pacs(series(2) + others)  # it looks at no key but UIDs
        records = self.query(pacs, "PatientID,StudyDate\nP2,20240101-20240103\n")
        self.assertEqual([r["StudyInstanceUID"] for r in records], ["7"])
        self.assertIn("row 2: 1 answers of the node do not fit", self.err)

    def test_names_in_the_set_that_the_query_names(self):
        pacs = self.pacs(series(1, attributes={NAME: "x"}))
        self.query(pacs, "PatientName\nJäger*\n", "--character-set", "ISO_IR 100")
        self.assertEqual(pacs.asked("find")[0][1][0x00080005], "ISO_IR 100")


    def test_a_row_that_the_node_breaks_off_does_not_end_the_others(self):
        pacs = self.pacs(series(1))
        pacs.hates = {"P13"}
        records = self.query(pacs, "PatientID\nP13\nP1\n", "--max-retries", "1", code=3)
        self.assertEqual([(r["status"], r["row"]) for r in records], [("failed", 2), ("ok", 3)])

    def test_the_report_has_a_line_for_every_row_and_series(self):
        pacs = self.pacs(series(2) + series(3, number=2))
        pacs.hates, pacs.lost = {"P13"}, {"1.2.2.1": 99}
        pacs.matches = {PATIENT}
        report = self.scratch / "report.csv"
        self.save(pacs, "PatientID\nP0\nP13\nP1\n", "--max-retries", "0", "--report", report, code=3)
        with report.open(newline="") as file:
            lines = [(r["row"], r["status"], r["expected"], r["received"], r["missing"]) for r in csv.DictReader(file)]
        self.assertEqual(lines, [("2", "empty", "", "", ""), ("3", "failed", "", "", ""),
                                 ("4", "ok", "2", "2", "0"), ("4", "failed", "3", "2", "1")])

    def test_a_dry_run_writes_nothing(self):
        records = self.save(self.pacs(series(2)), "PatientID\nP1\n", "--dry-run")
        self.assertEqual([r["dry_run"] for r in records], [True])
        self.assertFalse(self.out.exists())

    def test_a_node_by_its_name(self):
        pacs = self.pacs(series(1))
        nodes = self.scratch / "nodes.json"
        nodes.write_text(json.dumps({"nodes": {"hospital": {"aet": "FAKE", "ip": "127.0.0.1", "port": pacs.port}}}))
        words = [w if not str(w).startswith("FAKE@") else "hospital" for w in self.words(pacs, "PatientID\nP1\n")]
        self.assertEqual(len(self.succeeds(*words, "--nodes", nodes).lines), 1)
        self.assertEqual(pacs.acceptor.callers, [("ME", "FAKE")])
        words[words.index("hospital")] = "clinic"
        self.fails(2, *words, "--nodes", nodes)

    def test_a_node_that_breaks_off_everything_is_left_alone(self):
        pacs = self.pacs(series(1))
        pacs.hates = {"STUDY"}
        records = self.query(pacs, "PatientID\n1\n2\n3\n4\n5\n", "--max-retries", "0", code=4)
        self.assertEqual([r["row"] for r in records], [2, 3, 4])


class Forwarding(QueryTest):
    def test_the_count_of_the_node_must_reach_what_it_listed(self):
        taken = self.scratch / "taken"
        receiver = subprocess.Popen(
            [dpipe.BIN / "dpipe-receive", "--port", str(self.move_port), "--bind", "127.0.0.1", "-o", taken],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(receiver.wait)
        self.addCleanup(receiver.kill)
        time.sleep(0.5)
        pacs = self.pacs(series(5) + series(2, number=2))
        pacs.lost = {"1.2.1.3": 1}
        records = self.query(pacs, "PatientID,SeriesNumber\nP1,1\n", "--move", "ME")
        self.assertEqual([(r["status"], r["received"]) for r in records], [("ok", 5)])
        self.assertEqual(len(pacs.asked("move")), 2)
        self.assertEqual(len(list(taken.rglob("*.dcm"))), 5)
        pacs.lost = {"1.2.1.3": 1000}
        (record,) = self.query(pacs, "PatientID,SeriesNumber\nP1,1\n", "--move", "ME", "--max-retries", "1", code=3)
        self.assertEqual((record["status"], record["missing"]), ("failed", 1))


if __name__ == "__main__":
    dpipe.main()
