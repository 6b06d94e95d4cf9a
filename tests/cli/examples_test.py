"""Every folder of examples/ does what it says, on generated studies."""

import json
import os
import shutil
import subprocess

import pydicom

import api
import dpipe

EXAMPLES = dpipe.ROOT / "examples"


class Examples(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.succeeds(dpipe.BUILD / "tests" / "make-studies", self.scratch / "input", "--scale", "small", "--studies", "3")
        self.raw = self.scratch / "raw"
        for study in sorted((self.scratch / "input").glob("study-*")):
            shutil.copytree(study, self.raw / study.name)
        shutil.copytree(EXAMPLES, self.scratch, dirs_exist_ok=True)

    def shell(self, *argv, code=0, stdin=None, **env):
        result = subprocess.run(
            [str(word) for word in argv], cwd=self.scratch, capture_output=True, text=True, check=False, timeout=300,
            input=stdin, env={**os.environ, "PATH": f"{dpipe.BIN}:{os.environ['PATH']}", **env})
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stdout

    def names(self, folder):
        return {str(pydicom.dcmread(p, stop_before_pixels=True, force=True).get("PatientName"))
                for p in folder.rglob("*.dcm") if p.is_file()}

    def with_keys(self):
        (self.scratch / "keys").mkdir(mode=0o700)
        self.succeeds("dpipe-map", "init", "-m", self.scratch / "keys" / "link.db")

    def test_every_example_is_tried_here(self):
        tried = {"makefile-pipeline", "cron", "restore"}
        self.assertEqual({p.name for p in EXAMPLES.iterdir() if p.is_dir()}, tried)

    def test_makefile_pipeline(self):
        make = ("make", "-j2", "-f", "makefile-pipeline/Makefile", "RAW=raw")
        self.shell(*make)
        zips = sorted(p.name for p in (self.scratch / "zips").glob("*.zip"))
        self.assertGreaterEqual(len(zips), 3)
        self.assertTrue(all(name.startswith("sub-00") for name in zips))
        self.assertNotIn("dpipe-anon", self.shell(*make), "what is done is done again")

    def test_cron(self):
        self.with_keys()
        (self.scratch / "keys" / "password").touch(mode=0o600)
        (self.scratch / "keys" / "password").write_text("demo\n")
        for study in self.raw.iterdir():
            (study / ".dpipe-study").touch()
        watch = ("dpipe-watch", "--once", "--timeout", "0.01", "--exec", "cron/study.sh {}", "raw")
        with api.serving(self.scratch / "api", "--username", "study", "--misbehave", "404") as server:
            self.shell(*watch, code=3, URL=server.url)
            sent = len(server.uploads())
            for _ in range(20):  # what failed is tried again, after a while
                self.shell("sleep", "0.5")
                tried = subprocess.run(["dpipe-watch", *watch[1:]], cwd=self.scratch, check=False, capture_output=True,
                                       env={**os.environ, "PATH": f"{dpipe.BIN}:{os.environ['PATH']}", "URL": server.url})
                if len(server.uploads()) > sent:
                    break
            packed = len(list((self.scratch / "zips").glob("*.zip")))
            self.assertEqual(len({u["sha256"] for u in server.uploads()}), packed, tried.stderr)
            self.assertEqual(self.shell(*watch, URL=server.url), "", "what is done is done again")

    def test_restore(self):
        self.with_keys()
        anon = dpipe.run("dpipe-anon", "-m", self.scratch / "keys/link.db", "-o", self.scratch / "anon", self.raw)
        self.assertIn(anon.code, (0, 3), anon.err)
        person = json.loads(self.shell("restore/who.sh", "code", "sub-001"))
        self.assertIn(person["PatientName"], self.names(self.raw))
        self.shell("restore/who.sh", "images", "back", "anon/sub-001")
        self.assertIn(person["PatientName"], self.names(self.scratch / "back"))
        table = json.loads(self.shell("restore/who.sh", "table", stdin='{"PatientID": "sub-001", "volume": 7}\n'))
        self.assertEqual((table["PatientID"], table["volume"]), (person["PatientID"], 7))
        self.shell("dpipe-map", "audit", "-m", "keys/link.db")
        self.assertGreaterEqual(len((self.scratch / "keys" / "link.audit.jsonl").read_text().splitlines()), 3)


if __name__ == "__main__":
    dpipe.main()
