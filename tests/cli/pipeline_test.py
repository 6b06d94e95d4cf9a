"""The main job as a pipe of commands: any stage may be killed at any instant and run again with the same words."""

import hashlib
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import tempfile
import time
import unittest

import api
import dpipe
import receiving

#: Kills a stage; more make the test longer, not different.
ROUNDS = int(os.environ.get("DPIPE_TEST_KILLS", "4"))


def contents(*folders):
    """Every file that a user sees: its path below its folder, and a digest. Names with a dot are state; a receipt
    holds what the API answered (its id, the time): that it is there is what counts."""
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.is_file() and not any(part.startswith(".") for part in inside.parts):
                found[f"{folder.name}/{inside}"] = (
                    "a receipt" if path.name.endswith(".receipt.json") else hashlib.sha256(path.read_bytes()).hexdigest())
    return found


def killed_at(seconds, argv, stdin):
    """Run a command and kill it after so long; whether it was killed before its end."""
    process = subprocess.Popen(
        [dpipe.BIN / argv[0], *map(str, argv[1:])], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        process.communicate(stdin, timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True


class Killed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = pathlib.Path(tempfile.mkdtemp(prefix="dpipe-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.home, ignore_errors=True)
        made = dpipe.run(dpipe.BUILD / "tests" / "make-studies", cls.home / "input", "--scale", "small")
        assert made.code == 0, made.err
        for extra in (cls.home / "input").glob("*.json"):
            extra.unlink()
        assert dpipe.run("dpipe-map", "init", "-m", cls.home / "link.db").code == 0
        (cls.home / "password").touch(mode=0o600)
        (cls.home / "password").write_text("demo\n")
        (cls.home / "log").mkdir()

    def setUp(self):
        self.random = random.Random(20261121)

    def fresh(self, name):
        """A folder for one trial, with the map and keys as they were before any run."""
        folder = self.home / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for path in self.home.glob("link*"):
            shutil.copy2(path, folder)
        return folder

    def stages(self, folder, url):
        """(name, command, stdin, folder it fills): what is run in turn, each reading what the last printed."""
        return (
            ("anon", ["dpipe-anon", "-m", folder / "link.db", "-o", folder / "anon", "-"], folder / "anon"),
            ("zip", ["dpipe-zip", "-o", folder / "zips", "-"], folder / "zips"),
            ("upload", ["dpipe-upload", "--url", url, "--username", "demo", "--password-file",
                        self.home / "password", "-"], folder / "api"),
            ("restore", ["dpipe-restore", "-m", folder / "link.db", "--restore-key", folder / "link.restore.key",
                         "--level", "full", "-o", folder / "restored", "-"], folder / "restored"),
        )

    def trial(self, name, victim=None, after=0.0):
        """The whole pipe in a folder of its own, `victim` killed once; what it made, and how long each took."""
        folder = self.fresh(name)
        took, printed, hit = {}, {"anon": str(self.home / "input") + "\n"}, False
        with api.serving(folder / "api") as server:
            for stage, argv, _ in self.stages(folder, server.url):
                stdin = printed[{"zip": "anon", "upload": "zip", "restore": "anon"}.get(stage, stage)]
                if stage != "anon":
                    stdin = stdin.out
                if stage == victim:
                    hit = killed_at(after, argv, stdin.encode())
                start = time.monotonic()
                result = dpipe.run(*argv, stdin=stdin)
                took[stage] = time.monotonic() - start
                # Documents that may hold any identity are kept back, as they should be.
                self.assertIn(result.code, (0, 3) if stage == "anon" else (0,), result.err)
                printed[stage] = result
            received = sorted({(u["name"], u["sha256"]) for u in server.uploads()})
        made = contents(*(filled for stage, _, filled in self.stages(folder, "") if stage != "upload"))
        lists = {stage: sorted(line.replace(str(folder), "") for line in result.lines)
                 for stage, result in printed.items() if hasattr(result, "lines")}
        shutil.rmtree(folder)
        return (made, lists, received), took, hit

    def test_any_stage_of_the_pipe(self):
        expected, took, _ = self.trial("undisturbed")
        made, lists, received = expected
        self.assertGreater(len(made), 100)
        self.assertEqual(len(received), len(lists["zip"]))
        for stage, seconds in took.items():
            hits, longest = 0, seconds
            for _ in range(10 * ROUNDS):
                after = self.random.uniform(0, longest)
                with self.subTest(stage=stage, after=f"{after:.3f} s"):
                    got, _, hit = self.trial("trial", stage, after)
                    for what, ours, theirs in zip(("lists", "received"), got[1:], expected[1:]):
                        self.assertEqual(ours, theirs, what)
                    differ = {k for k in got[0].keys() | expected[0].keys() if got[0].get(k) != expected[0].get(k)}
                    self.assertEqual(differ, set(), "files that are not the same")
                hits += hit
                if hits == ROUNDS:
                    break
                longest = longest if hit else after
            self.assertEqual(hits, ROUNDS, f"{stage} ended before it was killed: the test shows nothing of it")

    def test_many_at_once_on_a_map_that_nobody_used_before(self):
        folder = self.fresh("together")
        reader = sqlite3.connect(folder / "link.db", isolation_level=None)  # as of a process that lists the codes
        self.addCleanup(reader.close)
        reader.execute("BEGIN")
        self.assertEqual(reader.execute("SELECT count(*) FROM patient").fetchone(), (0,))
        running = [
            dpipe.start("dpipe-anon", "-q", "-m", folder / "link.db", "-o", folder / "anon", study,
                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            for study in sorted((self.home / "input").iterdir())[:6]]
        for process in running:
            with process:
                self.assertIn(process.wait(timeout=30), (0, 3), process.stderr.read())
        codes = sorted(p.name for p in (folder / "anon").iterdir() if not p.name.startswith("."))
        self.assertEqual(codes, [f"sub-{n + 1:03}" for n in range(len(codes))])

    @dpipe.needs("storescu")
    def test_the_receiver_and_what_it_prints_for(self):
        files = sorted(str(p) for p in (self.home / "input").rglob("*.dcm"))[:120]

        def send(receiver):
            return subprocess.run(
                ["storescu", "-R", "-nh", "127.0.0.1", str(receiver.port), *files], capture_output=True, check=False)

        def whole(name, after=None):
            out = self.home / name
            if after is not None:
                with receiving.Receiver(out, stdout=subprocess.DEVNULL) as receiver:
                    sending = subprocess.Popen(
                        ["storescu", "-R", "-nh", "127.0.0.1", str(receiver.port), *files],
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    time.sleep(after)
                    receiver.kill()
                    sending.wait()
            with receiving.Receiver(out, stdout=subprocess.DEVNULL) as receiver:
                sent = send(receiver)
                self.assertEqual(sent.returncode, 0, sent.stderr)
                receiver.stop()
            return contents(out)

        expected = whole("received")
        self.assertGreater(len(expected), 50)
        for after in (0.05, 0.1, 0.2):
            with self.subTest(after=after):
                again = whole(f"received-{after}", after)
                self.assertEqual({k.split("/", 1)[1]: v for k, v in again.items()},
                                 {k.split("/", 1)[1]: v for k, v in expected.items()})

    def test_watch_neither_forgets_nor_repeats(self):
        tree = self.home / "watched"
        for study in range(40):
            (tree / f"1.2.{study}").mkdir(parents=True)
            (tree / f"1.2.{study}" / ".dpipe-study").touch()
            (tree / f"1.2.{study}" / "a.dcm").write_bytes(b"x")
        seen = []
        for after in (0.005, 0.02, 0.05, 0.1):
            process = dpipe.start(
                "dpipe-watch", "--once", "--timeout", "0.01", tree, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            time.sleep(after)
            process.kill()
            seen += process.communicate()[0].decode().splitlines()
        seen += dpipe.run("dpipe-watch", "--once", "--timeout", "0.01", tree).lines
        # Killed between the line and its note, a study is named again: at least once, never not at all.
        self.assertEqual(sorted(set(seen)), sorted(str(p) for p in tree.iterdir() if not p.name.startswith(".")))
        self.assertEqual(dpipe.run("dpipe-watch", "--once", "--timeout", "0.01", tree).lines, [])


if __name__ == "__main__":
    dpipe.main()
