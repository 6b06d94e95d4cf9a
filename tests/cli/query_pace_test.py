"""dpipe-query is no burden to an archive (N14): the archive's own clock says when it was asked for what."""

import datetime
import signal
import subprocess
import time

import dpipe
from querying import QueryTest, series


def several(count, instances=2):
    return [one for n in range(1, count + 1) for one in series(instances, number=n)]


class PaceTest(QueryTest):
    cohort = "PatientID\nP1\n"

    def times(self, pacs, *what):
        return [at for name, at in pacs.now if name in what]

    def gaps(self, pacs, *what):
        times = self.times(pacs, *what)
        return [b - a for a, b in zip(times, times[1:])]

    def started(self, pacs, *words, **how):
        return dpipe.start(*self.words(pacs, self.cohort, "--save", "-o", self.out, *words),
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)


class Waiting(PaceTest):
    def test_a_pause_after_each_batch_of_series(self):
        pacs = self.pacs(several(6))
        self.save(pacs, self.cohort, "--batch-size", "2", "--batch-wait", "0.5")
        gaps = self.gaps(pacs, "get")
        self.assertEqual([gap >= 0.5 for gap in gaps], [False, True, False, True, False])

    def test_what_is_there_already_takes_no_pause(self):
        pacs = self.pacs(several(6))
        self.save(pacs)
        start = time.monotonic()
        self.save(pacs, self.cohort, "--batch-size", "1", "--batch-wait", "5")
        self.assertLess(time.monotonic() - start, 5)

    def test_a_gap_between_requests(self):
        pacs = self.pacs(several(3))
        self.save(pacs, self.cohort, "--gap", "0.2")
        self.assertGreaterEqual(min(self.gaps(pacs, "find")), 0.19)
        self.assertGreaterEqual(min(self.gaps(pacs, "get")), 0.19)

    def test_bytes_a_second(self):
        pacs = self.pacs(series(40))
        for instance in pacs.instances.values():
            instance.attributes[0x00081030] = "x" * 10_000
        start = time.monotonic()
        self.save(pacs, self.cohort, "--max-rate", "200K")
        self.assertGreater(time.monotonic() - start, 1.9)
        self.check_whole(pacs)

    def test_by_move_as_well(self):
        pacs = self.pacs(series(40))
        for instance in pacs.instances.values():
            instance.attributes[0x00081030] = "x" * 10_000
        start = time.monotonic()
        self.save(pacs, self.cohort, "--max-rate", "200K", "--move-port", str(self.move_port), "--linger", "0.5")
        self.assertGreater(time.monotonic() - start, 1.9)
        self.check_whole(pacs)


class Windows(PaceTest):
    def clock(self, seconds):
        """That much from now, by the clock of the machine, in UTC."""
        return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%H:%M:%S")

    def test_nothing_is_asked_before_it_opens(self):
        pacs = self.pacs(several(2))
        opens = time.monotonic() + 2
        self.save(pacs, self.cohort, "--window", f"{self.clock(3)}-{self.clock(600)}", env={"TZ": "UTC"})
        self.assertGreaterEqual(pacs.now[0][1], opens)
        self.check_whole(pacs)

    def test_nothing_is_begun_after_it_closes(self):
        pacs = self.pacs(several(40))
        pacs.instance_delay = 0.1
        closes = time.monotonic() + 3
        process = self.started(pacs, "--window", f"{self.clock(-60)}-{self.clock(3)}", env={"TZ": "UTC"})
        time.sleep(5)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
        self.assertIn(b"for the window to open", err)
        self.assertEqual(process.returncode, -signal.SIGTERM)
        asked = self.times(pacs, "get")
        self.assertGreater(len(asked), 2)
        self.assertLess(max(asked), closes + 0.1)
        self.assertEqual(len(self.stored()), 2 * len(asked))  # what was begun is whole

    def test_words_that_are_no_window(self):
        for text in ("20:00", "25:00-06:00", "20-06", "mon 20:00", "xyz 20:00-06:00", "20:61-22:00"):
            with self.subTest(text):
                self.query(self.pacs([]), self.cohort, "--window", text, code=2)


class Parallel(PaceTest):
    def test_never_more_associations_than_that_and_all_of_them_used(self):
        pacs = self.pacs(several(24, 4))
        pacs.instance_delay = 0.02
        start = time.monotonic()
        records = self.save(pacs, self.cohort, "--parallel", "4")
        took = time.monotonic() - start
        self.assertEqual([r["status"] for r in records], ["ok"] * 24)
        self.assertEqual(pacs.most_open, 4)
        self.check_whole(pacs)
        self.assertLess(took, 24 * 4 * 0.02)
        self.assertEqual({r["status"] for r in self.save(pacs, self.cohort, "--parallel", "4")}, {"skipped"})

    def test_one_at_a_time_is_the_default(self):
        pacs = self.pacs(several(6))
        self.save(pacs)
        self.assertEqual(pacs.most_open, 1)

    def test_failures_come_back_from_the_processes(self):
        pacs = self.pacs(several(6))
        pacs.lost = {"1.2.3.1": 1000}
        records = self.save(pacs, self.cohort, "--parallel", "3", "--max-retries", "1", code=3)
        self.assertEqual(sorted(r["status"] for r in records), ["failed"] + ["ok"] * 5)

    def test_killed_and_run_again(self):
        pacs = self.pacs(several(20, 5))
        pacs.instance_delay = 0.005
        process = self.started(pacs, "--parallel", "4")
        until = time.monotonic() + 20
        while len(self.stored() if self.out.exists() else []) < 30 and time.monotonic() < until:
            time.sleep(0.005)
        process.kill()
        process.communicate()
        time.sleep(0.3)
        there = len(self.stored())
        records = self.save(pacs, self.cohort, "--parallel", "4")
        self.assertGreaterEqual(sum(r["present"] for r in records), there - 4)
        self.check_whole(pacs)
        time.sleep(0.2)
        self.assertEqual(pacs.open, 0)


class Busy(PaceTest):
    def test_pauses_double_and_halve_again(self):
        pacs = self.pacs(several(8))
        pacs.refusals = [0xA702] * 3
        self.save(pacs, self.cohort, "--retry-delay", "0.2")
        gaps = self.gaps(pacs, "get")
        for gap, expected in zip(gaps, (0.2, 0.4, 0.8, 0.4, 0.2)):
            self.assertGreaterEqual(gap, expected / 2)
            self.assertLess(gap, expected * 1.5 + 0.3)
        self.assertLess(max(gaps[-2:]), 0.3)

    def test_a_node_that_fails_again_and_again_is_only_asked_by_echo_until_it_answers(self):
        pacs = self.pacs(several(2))
        pacs.hates = {"STUDY"}
        serve = pacs.respond

        def heal(peer, context, command, *rest, **more):
            if command["CommandField"] == 0x0030:
                pacs.hates = set()
            return serve(peer, context, command, *rest, **more)
        pacs.respond = heal
        records = self.query(pacs, "PatientID\n1\n2\n3\nP1\n", "--max-retries", "1", code=3)
        self.assertEqual([(r["row"], r["status"]) for r in records if r["status"] == "failed"],
                         [(2, "failed"), (3, "failed"), (4, "failed")])
        self.assertEqual({r["row"] for r in records if r["status"] == "ok"}, {5})
        self.assertEqual([name for name, _ in pacs.now].count("find"), 3 * 3 + 2)

    def test_series_that_break_off_open_it_too(self):
        pacs = self.pacs(several(8))
        pacs.die_after = [0] * 100
        result = self.save(pacs, self.cohort, "--max-retries", "1", code=4)
        self.assertEqual(len(result), 4)  # three, and one after C-ECHO was answered
        self.assertEqual([name for name, *_ in pacs.log].count("echo"), 1)


class Stopping(PaceTest):
    def test_the_series_at_hand_is_finished(self):
        pacs = self.pacs(several(3, 20))
        pacs.instance_delay = 0.03
        process = self.started(pacs)
        until = time.monotonic() + 20
        while len(self.stored() if self.out.exists() else []) < 3 and time.monotonic() < until:
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, -signal.SIGTERM)
        self.assertEqual(len(self.stored()), 20)
        self.assertEqual(len(pacs.asked("get")), 1)

    def test_those_at_hand_are_where_there_are_several(self):
        pacs = self.pacs(several(12, 20))
        pacs.instance_delay = 0.03
        process = self.started(pacs, "--parallel", "4")
        until = time.monotonic() + 20
        while len(self.stored() if self.out.exists() else []) < 6 and time.monotonic() < until:
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, -signal.SIGTERM)
        self.assertEqual(len(self.stored()), 20 * len(pacs.asked("get")))
        self.assertLess(len(self.stored()), 12 * 20)

    def test_a_second_signal_ends_it_at_once(self):
        pacs = self.pacs(several(1, 200))
        pacs.instance_delay = 0.05
        process = self.started(pacs)
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        start = time.monotonic()
        process.communicate(timeout=20)
        self.assertLess(time.monotonic() - start, 2)


if __name__ == "__main__":
    dpipe.main()
