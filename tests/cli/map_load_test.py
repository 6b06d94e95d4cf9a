"""The link map under load: many processes at once, killed at any instant, and searched for what it must not show."""

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from random import Random

import tiny

import dpipe

#: The short forms run with every change; `make map-faults` sets these for the long ones.
PATIENTS = int(os.environ.get("DPIPE_TEST_PATIENTS", "60"))
KILLS = int(os.environ.get("DPIPE_TEST_KILLS", "8"))
PROCESSES = int(os.environ.get("DPIPE_TEST_PROCESSES", "4"))


class UnderLoad(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.map = self.scratch / "link.db"
        self.restore_key = self.scratch / "link.restore.key"
        self.succeeds("dpipe-map", "init", "-m", self.map)

    def map_verb(self, verb, *words):
        return self.succeeds("dpipe-map", verb, "-m", self.map, *words, timeout=600)

    def tree(self, patients):
        ds = tiny.instance("OT")
        for n in range(patients):
            ds.PatientID, ds.PatientName = f"MRN-{n:06}", f"Name{n:06}^X"
            ds.StudyInstanceUID, ds.SOPInstanceUID = tiny.uid("study", n), tiny.uid("instance", n)
            ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
            path = self.scratch / "in" / f"{n:06}.dcm"
            path.parent.mkdir(exist_ok=True)
            ds.save_as(path, write_like_original=False)
        return self.scratch / "in"

    def codes(self, number):
        return [f"sub-{n:03}" for n in range(1, number + 1)]

    def test_processes_at_once_give_codes_without_gap(self):
        tree = self.tree(PATIENTS)
        running = [dpipe.start("dpipe-anon", "-q", "-m", self.map, "-o", self.scratch / f"out{n}", tree,
                               stdout=subprocess.DEVNULL) for n in range(PROCESSES)]
        self.assertEqual([r.wait() for r in running], [0] * PROCESSES)
        self.assertEqual(self.map_verb("list").lines, self.codes(PATIENTS))
        trees = [sorted(p.relative_to(self.scratch / f"out{n}") for p in (self.scratch / f"out{n}").rglob("*.dcm"))
                 for n in range(PROCESSES)]
        self.assertEqual(trees.count(trees[0]), PROCESSES)

    def test_processes_at_once_each_with_patients_of_its_own(self):
        tree = self.tree(PATIENTS)
        files = sorted(tree.iterdir())
        shares = [files[n::PROCESSES] for n in range(PROCESSES)]
        running = [dpipe.start("dpipe-anon", "-q", "-m", self.map, "-o", self.scratch / "out", "-",
                               stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) for _ in shares]
        for process, share in zip(running, shares):
            process.stdin.write("".join(f"{p}\n" for p in share).encode())
            process.stdin.close()
        self.assertEqual([r.wait() for r in running], [0] * PROCESSES)
        self.assertEqual(self.map_verb("list").lines, self.codes(PATIENTS))
        outputs = {}
        for path in (self.scratch / "out").rglob("*.dcm"):
            outputs.setdefault(path.relative_to(self.scratch / "out").parts[0], []).append(path)
        self.assertEqual(sorted(outputs), sorted(self.codes(PATIENTS)))
        self.assertEqual({len(paths) for paths in outputs.values()}, {1})

    def test_killed_at_any_instant_no_code_is_lost_or_given_twice(self):
        tree = self.tree(40)
        command = ["dpipe-anon", "-q", "-m", self.map, "-o", self.scratch / "out", tree]
        random = Random(4)
        known = {}
        for number in range(KILLS):
            running = [dpipe.start(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
            time.sleep(random.uniform(0, 0.05))
            for process in running:
                process.send_signal(signal.SIGKILL)
            for process in running:
                process.wait()
            self.map_verb("check")
            codes = self.map_verb("list").lines
            self.assertEqual(codes, self.codes(len(codes)))
            # Who has a code keeps it, round after round.
            now = self.by_blind_index()
            self.assertEqual(known, {blind: code for blind, code in now.items() if blind in known})
            known = now
            if len(codes) == 40:
                # All are known: under the next keys again, so that every round has something to give.
                shutil.rmtree(self.scratch / "out")
                for path in self.scratch.glob("link.*"):
                    path.unlink()
                self.succeeds("dpipe-map", "init", "-m", self.map)
                known = {}
        self.succeeds(*command)
        self.assertEqual(self.map_verb("list").lines, self.codes(40))
        self.map_verb("check", "--restore-key", self.restore_key)
        undisturbed = self.scratch / "again"
        self.succeeds("dpipe-anon", "-q", "-m", self.map, "-o", undisturbed, tree)
        for path in undisturbed.rglob("*.dcm"):
            self.assertEqual(path.read_bytes(), (self.scratch / "out" / path.relative_to(undisturbed)).read_bytes())

    def by_blind_index(self):
        db = sqlite3.connect(self.map)
        try:
            return dict(db.execute("select blind, code from patient"))
        finally:
            db.close()

    def test_no_file_of_the_map_shows_anybody(self):
        patients = max(PATIENTS, 200)
        self.succeeds("dpipe-anon", "-q", "-m", self.map, "-o", self.scratch / "out", self.tree(patients), timeout=600)
        # Rows that went leave free pages behind; a reader holds the log open while we look.
        db = sqlite3.connect(self.map, isolation_level=None)
        db.execute("pragma secure_delete = off")
        db.execute("delete from first")
        db.execute("delete from originals where id % 2 = 0 and id not in (select base from originals where base > 0)")
        self.assertTrue(self.map.with_name("link.db-wal").exists())
        files = sorted(self.scratch.glob("link.db*"))
        self.assertEqual([p.name for p in files], ["link.db", "link.db-shm", "link.db-wal"])
        for file in files:
            data = file.read_bytes()
            for n in range(patients):
                for value in (f"MRN-{n:06}", f"Name{n:06}", str(tiny.uid("study", n)), str(tiny.uid("instance", n))):
                    self.assertNotIn(value.encode(), data, file)
        db.close()


if __name__ == "__main__":
    dpipe.main()
