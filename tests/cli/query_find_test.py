"""dpipe-query asks an archive that cuts answers off, ignores keys, is slow or never ends (N13)."""

import csv
import io
import os
import signal
import subprocess
import sys
import time
import unittest

import dicom_bytes as made
import dpipe
import fake_pacs
from fake_pacs import FakeInstance
from querying import DATE, DESCRIPTION, NAME, PATIENT, QueryTest, series

TIME, ACCESSION = 0x00080030, 0x00080050


def studies(count, date=lambda n: f"2024{n % 12 + 1:02}{n // 12 % 28 + 1:02}", time_of=lambda n: "120000"):
    return [FakeInstance(f"1.{n}.1.1", f"1.{n}", f"1.{n}.1", {PATIENT: "P1", DATE: date(n), TIME: time_of(n)})
            for n in range(1, count + 1)]


class Cut(QueryTest):
    """Answers end after so many, and nothing says so."""

    def listed(self, pacs, cohort="PatientID\nP1\n", *words, **how):
        return {r.get("StudyInstanceUID") for r in self.query(pacs, cohort, "--level", "study", *words, **how)}

    def archive(self, instances, most=100):
        pacs = self.pacs(instances)
        pacs.most_answers, pacs.by_date = most, True
        return pacs

    def test_the_rest_is_found_by_date(self):
        everything = studies(700)
        pacs = self.archive(everything)
        self.assertEqual(self.listed(pacs), {i.study for i in everything})
        self.assertIn("the node gives 100 answers to a query at most", self.err)
        self.assertNotIn("there may be more", self.err)

    def test_within_the_dates_of_the_row(self):
        everything = studies(700)
        pacs = self.archive(everything)
        wanted = {i.study for i in everything if "20240301" <= i.attributes[DATE] <= "20240630"}
        self.assertEqual(self.listed(pacs, "StudyDate\n20240301-20240630\n"), wanted)
        self.assertTrue(all("20240301" <= key <= "20240630" for _, keys in pacs.asked("find")
                            for key in keys[DATE].split("-")))

    def test_one_day_by_time(self):
        everything = studies(250, lambda n: "20240506", lambda n: f"{n // 60:02}{n % 60:02}00")
        self.assertEqual(self.listed(self.archive(everything)), {i.study for i in everything})

    def test_a_status_that_says_so(self):
        everything = studies(90)
        for status in (0xA700, 0xC001):
            pacs = self.archive(everything, 33)
            pacs.cut_status = status
            self.assertEqual(self.listed(pacs), {i.study for i in everything})

    def test_a_limit_that_is_known(self):
        everything = studies(90)
        self.assertEqual(self.listed(self.archive(everything, 37), "PatientID\nP1\n", "--max-answers", "37"),
                         {i.study for i in everything})

    def test_what_cannot_be_asked_for_in_parts_is_a_failure(self):
        pacs = self.archive(studies(50, lambda n: "20240506"), 37)
        (record,) = self.query(pacs, "PatientID\nP1\n", "--max-answers", "37", code=3)
        self.assertIn("it gives 37 answers at most", record["reason"])
        pacs.cut_status = 0xA700
        self.assertIn("status A700H at level STUDY after 37 answers",
                      self.query(pacs, "PatientID\nP1\n", code=3)[0]["reason"])

    def test_a_node_that_ignores_dates_is_not_asked_for_ever(self):
        pacs = self.archive(studies(300), 100)
        pacs.by_date = False
        self.assertEqual(len(self.listed(pacs)), 100)
        self.assertIn("row 2: the node gave a round number of answers, and not by date: there may be more", self.err)
        self.assertLess(len(pacs.asked("find")), 10)

    def test_a_round_number_may_be_all_there_is(self):
        pacs = self.archive(studies(100), 1000)
        self.assertEqual(len(self.listed(pacs)), 100)
        self.assertNotIn("there may be more", self.err)

    def test_a_list_of_images_that_is_cut_is_none(self):
        pacs = self.pacs(series(150))
        pacs.most_answers = 100
        (record,) = self.save(pacs)
        self.assertEqual((record["verified"], record["received"]), ("count", 150))

    def test_out_of_resources_once_is_a_busy_node(self):
        pacs = self.pacs(series(2))
        pacs.find_status = {"STUDY": 0xA700}
        respond = pacs.respond

        def recover(*words, **more):
            pacs.find_status = {}
            return respond(*words, **more)
        pacs.respond = recover
        self.assertEqual(len(self.query(pacs, "PatientID\nP1\n")), 1)
        self.assertEqual([level for level, _ in pacs.asked("find")], ["STUDY", "STUDY", "SERIES"])


class Slow(QueryTest):
    def stop(self, process, number=signal.SIGTERM):
        start = time.monotonic()
        process.send_signal(number)
        process.communicate(timeout=20)
        return time.monotonic() - start

    def started(self, pacs, *words):
        process = dpipe.start(*self.words(pacs, "PatientID\nP1\n", *words), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        until = time.monotonic() + 20
        while not pacs.asked("find") and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.3)
        return process

    def test_a_stop_cancels_the_query(self):
        pacs = self.pacs(studies(1000))
        pacs.delay = 0.05
        process = self.started(pacs)
        self.assertLess(self.stop(process), 3)
        self.assertEqual(process.returncode, -signal.SIGTERM)
        self.assertEqual(pacs.cancelled, 1)

    def test_a_node_that_is_deaf_to_it_is_aborted_within_5_s(self):
        pacs = self.pacs(studies(10_000))
        pacs.delay, pacs.hears_cancel = 0.02, False
        self.assertLess(self.stop(self.started(pacs)), 7)
        self.assertEqual(pacs.cancelled, 1)

    def test_a_node_that_sleeps_for_an_hour_between_answers(self):
        pacs = self.pacs(studies(3))
        pacs.delay = 3600
        self.assertLess(self.stop(self.started(pacs)), 8)

    def test_and_without_a_signal_it_is_given_up_after_the_timeout(self):
        pacs = self.pacs(studies(3))
        pacs.delay = 3600
        start = time.monotonic()
        (record,) = self.query(pacs, "PatientID\nP1\n", "--timeout", "1", "--max-retries", "0", code=3)
        self.assertIn("it was silent for too long", record["reason"])
        self.assertLess(time.monotonic() - start, 10)


class Answers(QueryTest):
    def test_keys_that_are_ignored_and_their_number(self):
        pacs = self.pacs(studies(30) + [FakeInstance("7.1.1", "7", "7.1", {PATIENT: "P2", DATE: "20240101"})])
        report = self.scratch / "report.json"
        records = self.query(pacs, "PatientID\nP2\n", "--level", "study", "--report", report)
        self.assertEqual([r["StudyInstanceUID"] for r in records], ["7"])
        self.assertIn('"dropped":30', report.read_text().replace(" ", ""))

    def test_unique_keys_of_upper_levels_are_always_there(self):
        pacs = self.pacs(series(2))
        self.query(pacs, "PatientID\nP1\n", "--level", "image")
        for level, keys in pacs.asked("find"):
            self.assertIn(0x00080005, keys)
            self.assertEqual(bool(keys.get(0x0020000D)), level != "STUDY")
            self.assertEqual(bool(keys.get(0x0020000E)), level == "IMAGE")

    def test_names_in_another_character_set(self):
        for text, declared, words in [("latin-1", "ISO_IR 100", ()), ("utf-8", "ISO_IR 192", ()),
                                      ("iso8859_5", "", ("--answer-character-set", "ISO_IR 144"))]:
            with self.subTest(text):
                name = "Жук^Иван" if text == "iso8859_5" else "Jäger^Ä"
                pacs = self.pacs(series(1, attributes={NAME: name, **({0x00080005: declared} if declared else {})}))
                pacs.text = text
                (record,) = self.query(pacs, "PatientName\n" + name[:3] + "*\n", *words)
                self.assertEqual(record["PatientName"], name)

    def test_studies_and_images_as_a_table(self):
        pacs = self.pacs(series(3) + series(2, number=2))
        words = [w for w in self.words(pacs, "PatientID\nP1\n") if w != "--json"]
        rows = list(csv.DictReader(io.StringIO(self.succeeds(*words, "--level", "image").out)))
        self.assertEqual(sorted(r["SOPInstanceUID"] for r in rows), sorted(pacs.instances))
        self.assertEqual(len(self.succeeds(*words, "--level", "study").lines), 2)

    def test_max_ends_a_list(self):
        self.assertEqual(len(self.query(self.pacs(studies(20)), "PatientID\nP1\n", "--max", "7")), 7)

    def test_a_list_of_studies(self):
        pacs = self.pacs(studies(20))
        records = self.query(pacs, "1.3\n\n1.5\r\n", "--studies")
        self.assertEqual([(r["row"], r["StudyInstanceUID"]) for r in records], [(1, "1.3"), (3, "1.5")])
        self.query(pacs, "1.3\n1.x\n", "--studies", code=2)


class Relational(QueryTest):
    cohort = "PatientID,SeriesDescription\nP1,two\n"

    def archive(self):
        pacs = self.pacs(series(2, attributes={DESCRIPTION: "one"})
                         + series(2, number=2, attributes={DESCRIPTION: "two"}))
        return pacs

    def levels(self, pacs, *words):
        self.assertEqual([r["SeriesInstanceUID"] for r in self.query(pacs, self.cohort, *words)], ["1.2.2"])
        return [level for level, _ in pacs.asked("find")]

    def test_only_where_the_node_agrees(self):
        pacs = self.archive()
        self.assertEqual(self.levels(pacs, "--relational"), ["STUDY", "SERIES"])
        pacs = self.archive()
        pacs.relational = True
        self.assertEqual(self.levels(pacs), ["STUDY", "SERIES"])
        pacs = self.archive()
        pacs.relational = True
        self.assertEqual(self.levels(pacs, "--relational"), ["SERIES"])
        self.assertEqual(pacs.asked("find")[0][1][PATIENT], "P1")

    def test_or_where_its_profile_says_so(self):
        profile = self.scratch / "profile.json"
        profile.write_text('{"relational": true}')
        self.assertEqual(self.levels(self.archive(), "--profile", profile), ["SERIES"])


class Flood(fake_pacs.FakePacs):
    """A million studies, without holding them."""

    def __init__(self, count):
        super().__init__([])
        self.flood = count

    def answers(self, keys):
        head = (made.element(0x00080005, "CS") + made.element(DATE, "DA", "20240101")
                + made.element(0x00080052, "CS", "STUDY") + made.element(PATIENT, "LO", "P1"))
        for number in range(self.flood):
            yield head + made.element(0x0020000D, "UI", f"1.2.{number:07}")

    def heard_cancel(self, peer):
        return False


class Streamed(QueryTest):
    @unittest.skipIf(dpipe.SANITIZED, "memory is not what users see")
    def test_a_million_answers_in_the_memory_of_ten_thousand(self):
        """In full by `make faults`: here a tenth."""
        many = 1_000_003 if "DPIPE_FAULT_ROUNDS" in os.environ else 100_003
        used = []
        for count in (10_003, many):
            pacs = Flood(count)
            self.addCleanup(pacs.acceptor.close)
            cohort = self.scratch / "cohort.csv"
            cohort.write_text("PatientID\nP1\n")
            measure = ("import os, resource, subprocess, sys; "
                       "code = subprocess.run(sys.argv[1:], stdout=open(os.environ['OUT'], 'w')).returncode; "
                       "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
            out = self.scratch / "list.csv"
            result = dpipe.run(sys.executable, "-c", measure, dpipe.BIN / "dpipe-query", "--node",
                               f"FAKE@127.0.0.1:{pacs.port}", "--level", "study", cohort, env={"OUT": str(out)},
                               timeout=600)
            code, kilobytes = map(int, result.out.split())
            self.assertEqual(code, 0, result.err)
            with out.open() as lines:
                self.assertEqual(sum(1 for _ in lines), count + 1)
            used.append(kilobytes)
        self.assertLess(used[1] - used[0], 24 * 1024, used)


class ForEver(fake_pacs.FakePacs):
    def answers(self, keys):
        while True:
            yield self.answer(keys, list(self.instances.values()))


@unittest.skipUnless("DPIPE_FAULT_ROUNDS" in os.environ, "it takes a while: `make faults` runs it")
class Repeated(QueryTest):
    def test_the_same_answer_for_ever(self):
        pacs = ForEver(series(1))
        self.addCleanup(pacs.acceptor.close)
        (record,) = self.query(pacs, "PatientID\nP1\n", code=3)
        self.assertIn("it gives the same answers again and again", record["reason"])
        self.assertEqual(pacs.cancelled, 1)


if __name__ == "__main__":
    dpipe.main()
