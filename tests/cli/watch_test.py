"""dpipe-watch: every complete study once, whatever stops it in between."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import dpipe
import page
import small_disk
import tiny

#: Seconds without a change that make a study complete here.
QUIET = 1.2  # long enough for a busy machine


class WatchCase(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.tree = self.scratch / "incoming"
        self.one = tiny.study(self.tree / "p1" / "one")
        self.two = tiny.study(self.tree / "p1" / "two")

    def once(self, *words, **how):
        """A single look in which everything is old enough."""
        return self.succeeds("dpipe-watch", "--once", "--timeout", 0, self.tree, *words, **how)

    def state_of(self, study):
        name = "+".join(study.relative_to(self.tree).parts)
        path = self.tree / ".dpipe-watch" / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    @contextlib.contextmanager
    def service(self, *words, **how):
        """A running watch; `lines` of it grows as it prints."""
        process = dpipe.start(
            "dpipe-watch", self.tree, "--timeout", QUIET, *words, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, **how)
        process.lines = []
        reader = threading.Thread(target=lambda: process.lines.extend(l.rstrip("\n") for l in process.stdout))
        reader.start()
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            reader.join()
            process.stdout.close()
            process.stderr.close()

    def wait_for(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, "it did not happen in time")
            time.sleep(0.01)


class Once(WatchCase):
    def test_prints_each_complete_study_once(self):
        self.assertEqual(self.once().lines, [str(self.one), str(self.two)])
        self.assertEqual(self.once().lines, [])
        done = self.state_of(self.one)["done"]
        self.assertEqual((done["revision"], done["files"]), (1, 2))

    def test_a_late_instance_opens_a_new_revision(self):
        self.once()
        tiny.write(self.two / "1" / "9.dcm", InstanceNumber=9)
        record, = map(json.loads, self.once("--json").lines)
        self.assertEqual((record["path"], record["revision"], record["files"]), (str(self.two), 2, 3))
        self.assertEqual(self.once().lines, [])

    def test_what_is_too_young_waits_and_the_next_run_remembers(self):
        words = ("dpipe-watch", "--once", "--timeout", 3, self.tree)
        self.assertEqual(self.succeeds(*words).lines, [])
        time.sleep(3.1)
        self.assertEqual(len(self.succeeds(*words).lines), 2)

    def test_by_depth(self):
        for study in (self.one, self.two):
            (study / tiny.MARKER).unlink()
        self.assertEqual(self.once().lines, [])
        self.assertEqual(self.once("--depth", 1).lines, [str(self.tree / "p1")])
        self.assertEqual(self.once("--depth", 2).lines, [str(self.one), str(self.two)])

    def test_a_tree_that_is_a_study_itself(self):
        result = self.succeeds("dpipe-watch", "--once", "--timeout", 0, self.one)
        self.assertEqual(result.lines, [str(self.one)])
        self.assertEqual(self.succeeds("dpipe-watch", "--once", "--timeout", 0, self.one).lines, [])

    def test_a_tree_that_is_none(self):
        self.fails(1, "dpipe-watch", "--once", self.scratch / "nowhere")
        self.fails(2, "dpipe-watch", "--once")

    def test_a_folder_that_cannot_be_read_does_not_hide_the_others(self):
        closed = self.tree / "p1" / "one" / "1"
        closed.chmod(0)
        self.addCleanup(closed.chmod, 0o755)
        for folder in (self.scratch, self.tree):
            folder.chmod(0o777)
        watch = shutil.copy(dpipe.BIN / "dpipe-watch", self.scratch)  # where the build is, only its owner may come
        nobody = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
        process = dpipe.start(
            watch, "--once", "--timeout", 0, "--json", self.tree, stdout=-1, stderr=-1, **nobody)
        out, err = process.communicate()
        records = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(process.returncode, 3, err)
        self.assertEqual(
            [(r["path"], r["status"]) for r in records], [(str(self.one), "failed"), (str(self.two), "ok")])

    def test_no_room_for_the_state_is_said_before_anything_is_handed_over(self):
        with small_disk.mounted(self.scratch / "disk", 1 << 20) as disk:
            study = tiny.study(disk / "s")
            with open(disk / "filler", "wb", buffering=0) as filler, self.assertRaises(OSError):
                while True:
                    filler.write(bytes(4096))
            result = self.fails(3, "dpipe-watch", "--once", "--timeout", 0, disk)
            self.assertEqual(result.out, "")
            (disk / "filler").unlink()
            self.assertEqual(self.succeeds("dpipe-watch", "--once", "--timeout", 0, disk).lines, [str(study)])

    def test_names_with_a_line_feed_need_null(self):
        odd = tiny.study(self.tree / "p1" / "a\nb")
        out = self.once("-0").raw
        self.assertIn(os.fsencode(odd) + b"\0", out)


class Exec(WatchCase):
    def log(self, *more):
        """A command that notes the folder it is given."""
        program = self.scratch / "note.py"
        program.write_text(
            "import sys\n"
            f"with open({str(self.scratch / 'log')!r}, 'a') as log:\n"
            "    log.write(sys.argv[1] + '\\n')\n" + "\n".join(more) + "\n")
        return f"{sys.executable} {program} {{}}"

    def logged(self):
        path = self.scratch / "log"
        return path.read_text().splitlines() if path.exists() else []

    def test_runs_without_a_shell_and_prints_nothing_itself(self):
        study = tiny.study(self.tree / "p1" / "$(touch evil); 'x' \"y\" {}")
        result = self.once("--exec", self.log("print('from the command')"))
        self.assertEqual(self.logged(), [str(study), str(self.one), str(self.two)])
        self.assertEqual(result.lines, ["from the command"] * 3)
        self.assertEqual(self.once("--exec", self.log()).lines, [])
        self.assertEqual(len(self.logged()), 3)

    def test_a_failure_is_not_done_and_the_next_run_tries_again(self):
        fail_two = self.log("sys.exit(9 if sys.argv[1].endswith('two') else 0)")
        result = self.fails(3, "dpipe-watch", "--once", "--timeout", 0, self.tree, "--exec", fail_two, "--json")
        self.assertIn("exit code 9", result.err)
        failed, = map(json.loads, result.lines)
        self.assertEqual((failed["path"], failed["status"]), (str(self.two), "failed"))
        self.once("--exec", self.log())
        self.assertEqual(self.logged(), [str(self.one), str(self.two), str(self.two)])

    def test_a_command_that_cannot_work_is_a_usage_error(self):
        for command in ("no-such-program {}", "true", "true '{}"):
            self.fails(2, "dpipe-watch", "--once", self.tree, "--exec", command)

    def test_its_stdin_is_empty_and_a_closed_pipe_would_end_it(self):
        out = self.once("--exec", "cat - /proc/self/status {}/1/1.dcm", stdin="not for the command").raw
        self.assertTrue(out.startswith(b"Name:"))
        ignored = int(out.split(b"SigIgn:")[1].split()[0], 16)
        self.assertFalse(ignored >> (signal.SIGPIPE - 1) & 1)

    def test_the_service_tries_a_failure_again_by_itself(self):
        flaky = self.log(
            "import os", "seen = open(sys.argv[1] + '/../.tries-' + os.path.basename(sys.argv[1]), 'a+')",
            "seen.write('x')", "sys.exit(0 if seen.tell() > 2 else 1)")
        with self.service("--exec", flaky) as process:
            self.wait_for(lambda: "done" in self.state_of(self.two) and "done" in self.state_of(self.one))
            self.assertEqual(sorted(self.logged()), sorted([str(self.one)] * 3 + [str(self.two)] * 3))
            process.terminate()
            self.assertEqual(process.wait(), -signal.SIGTERM)

    def test_several_at_a_time_and_never_more(self):
        for i in range(6):
            tiny.study(self.tree / "p2" / str(i))
        together = self.log(
            "import os, time", f"room = {str(self.scratch)!r} + '/room-'", "own = room + str(os.getpid())",
            "open(own, 'w').close()", "time.sleep(0.3)",
            f"here = sum(n.startswith('room-') for n in os.listdir({str(self.scratch)!r}))",
            f"open({str(self.scratch / 'most')!r}, 'a').write(f'{{here}}\\n')", "os.remove(own)")
        self.once("--exec", together, "-j", 3)
        self.assertEqual(len(set(self.logged())), 8)
        self.assertIn(max(map(int, (self.scratch / "most").read_text().split())), (2, 3))
        self.once("--exec", self.log(), "-j", 3)
        self.assertEqual(len(self.logged()), 8)
        self.fails(2, "dpipe-watch", "--once", self.tree, "--exec", self.log(), "-j", 0)

    def test_one_that_takes_long_does_not_hold_up_the_others(self):
        ready = self.scratch / "ready"
        slow = self.log("import os, time",
                        f"while sys.argv[1].endswith('one') and not os.path.exists({str(ready)!r}):", "    time.sleep(0.01)")
        with self.service("--exec", slow, "-j", 2) as process:
            self.wait_for(lambda: "done" in self.state_of(self.two))
            three = tiny.study(self.tree / "p1" / "three")
            self.wait_for(lambda: "done" in self.state_of(three))
            self.assertNotIn("done", self.state_of(self.one))
            ready.touch()
            self.wait_for(lambda: "done" in self.state_of(self.one))
            process.terminate()
            process.wait()
        self.assertEqual(sorted(self.logged()), sorted(map(str, (self.one, self.two, three))))

    def test_several_trees(self):
        other = tiny.study(self.scratch / "other tree" / "x")
        self.succeeds("dpipe-watch", "--once", "--timeout", 0, self.tree, other.parent, "--exec", self.log(), "-j", 2)
        self.assertEqual(sorted(self.logged()), sorted(map(str, (self.one, self.two, other))))
        self.assertTrue((other.parent / ".dpipe-watch" / "x.json").exists())

    def test_what_failed_too_long_is_given_up_and_said_once(self):
        words = ["dpipe-watch", "--once", "--timeout", 0, self.tree, "--exec"]
        self.fails(3, *words, self.log("sys.exit(sys.argv[1].endswith('two'))"))
        time.sleep(1.1)
        result = self.fails(3, *words, self.log(), "--max-age", 1, "--json")
        self.assertIn("gave up", result.err)
        self.assertEqual([json.loads(line)["path"] for line in result.lines], [str(self.two)])
        self.succeeds(*words, self.log(), "--max-age", 1)
        self.assertEqual(len(self.logged()), 2)
        tiny.write(self.two / "3" / "1.dcm", SeriesNumber=3)
        self.succeeds(*words, self.log(), "--max-age", 60)
        self.assertEqual(self.logged()[2:], [str(self.two)])

    def test_what_was_old_before_anybody_looked_is_left_alone(self):
        time.sleep(1.1)
        self.assertEqual(self.once("--max-age", 1).lines, [])
        self.assertEqual(len(self.once("--max-age", 3600).lines), 2)

    def test_a_stop_waits_for_the_command_and_records_it(self):
        slow = self.log("import time", "time.sleep(0.5)")
        with self.service("--exec", slow) as process:
            self.wait_for(lambda: self.logged())
            process.terminate()
            self.assertEqual(process.wait(), -signal.SIGTERM)
        self.assertEqual(self.logged(), [str(self.one)])
        self.assertIn("done", self.state_of(self.one))
        self.assertNotIn("done", self.state_of(self.two))

    def test_a_command_that_outlives_a_killed_watch_keeps_its_study(self):
        ready = self.scratch / "ready"
        slow = self.log("import os, time", f"while not os.path.exists({str(ready)!r}):", "    time.sleep(0.01)")
        process = dpipe.start(
            "dpipe-watch", self.tree, "--timeout", QUIET, "--exec", slow, stdout=subprocess.DEVNULL)
        self.wait_for(self.logged)
        process.kill()
        process.wait()
        self.once("--exec", self.log())
        self.assertEqual(self.logged(), [str(self.one), str(self.two)])
        ready.touch()
        self.wait_for(lambda: self.once("--exec", self.log()) and len(self.logged()) == 3)
        self.assertEqual(self.logged()[2], str(self.one))


class Service(WatchCase):
    def test_prints_a_study_when_it_has_become_quiet(self):
        with self.service() as process:
            self.wait_for(lambda: len(process.lines) == 2)
            growing = self.tree / "p2" / "growing"
            end = time.monotonic() + 2 * QUIET
            count = 0
            while time.monotonic() < end:
                tiny.write(growing / f"{count}.dcm", InstanceNumber=count)
                (growing / tiny.MARKER).touch()
                count += 1
                time.sleep(QUIET / 10)
            self.assertEqual(process.lines, [str(self.one), str(self.two)])
            self.wait_for(lambda: len(process.lines) == 3)
            process.terminate()
            self.assertEqual(process.wait(), -signal.SIGTERM)
            self.assertEqual(self.state_of(growing)["done"]["files"], count)
            self.assertEqual(process.lines[2:], [str(growing)])

    def test_a_file_that_grows_holds_its_study(self):
        stop = threading.Event()

        def grow():
            with open(self.one / "growing.dcm", "wb", buffering=0) as file:
                while not stop.wait(QUIET / 10):
                    file.write(b"x")
        writer = threading.Thread(target=grow)
        writer.start()
        try:
            with self.service() as process:
                self.wait_for(lambda: process.lines)
                time.sleep(3 * QUIET)
                self.assertEqual(process.lines, [str(self.two)])
                stop.set()
                self.wait_for(lambda: len(process.lines) == 2)
        finally:
            stop.set()
            writer.join()

    def test_a_closed_pipe_ends_it_and_what_was_not_taken_is_not_done(self):
        reader, writer = os.pipe()
        process = dpipe.start("dpipe-watch", self.tree, "--timeout", QUIET, stdout=writer)
        os.close(writer)
        os.close(reader)
        self.assertEqual(process.wait(timeout=20), -signal.SIGPIPE)
        self.assertEqual(len(self.once().lines), 2)

    def test_a_tree_that_goes_and_comes_back_does_not_end_it(self):
        away = self.scratch / "away"
        with self.service() as process:
            self.wait_for(lambda: "done" in self.state_of(self.two) if len(process.lines) == 2 else False)
            self.tree.rename(away)
            time.sleep(QUIET)
            self.assertIsNone(process.poll())
            self.assertFalse(self.tree.exists())
            away.rename(self.tree)
            tiny.study(self.tree / "p3")
            self.wait_for(lambda: len(process.lines) == 3)
            self.assertEqual(process.lines[2], str(self.tree / "p3"))

    def test_killed_at_any_instant_it_forgets_nothing_and_repeats_only_what_it_had_in_hand(self):
        studies = [str(tiny.study(self.tree / "many" / f"{i:02}", instances=1)) for i in range(20)]
        studies = sorted(studies + [str(self.one), str(self.two)])
        chance = random.Random(5)
        printed = []
        for _ in range(12):
            process = dpipe.start(
                "dpipe-watch", "--once", "--timeout", 0, self.tree, stdout=subprocess.PIPE)
            time.sleep(chance.uniform(0, 0.03))
            process.kill()
            printed += process.communicate()[0].decode().splitlines()
        printed += self.once().lines
        self.assertEqual(sorted(set(printed)), studies)
        self.assertLessEqual(len(printed), len(studies) + 12)
        self.assertEqual(self.once().lines, [])

    def test_two_at_once_share_the_studies(self):
        studies = {str(tiny.study(self.tree / "many" / f"{i:02}", instances=1)) for i in range(30)}
        both = [
            dpipe.start("dpipe-watch", "--once", "--timeout", 0, self.tree, stdout=subprocess.PIPE)
            for _ in range(2)]
        printed = sum((p.communicate()[0].decode().splitlines() for p in both), [])
        self.assertEqual([p.returncode for p in both], [0, 0])
        self.assertEqual(sorted(printed), sorted(studies | {str(self.one), str(self.two)}))


class Page(dpipe.TestCase):
    def test_the_page_has_the_options_of_the_command(self):
        page.check(self, "dpipe-watch")


if __name__ == "__main__":
    dpipe.main()
