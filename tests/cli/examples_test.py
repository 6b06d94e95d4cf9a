"""Every folder of examples/ does what it says, on generated studies."""

import hashlib
import io
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import subprocess
import time
import warnings
import zipfile

import pydicom
from pydicom.fileset import FileSet

import api
import dpipe
import form_api
import tiny
from fake_store import FakeStore
from peers import Dcmqrscp, free_port, wait_for_port

EXAMPLES = dpipe.ROOT / "examples"


def setUpModule():
    # pydicom 2.3 announces that its DicomDir class will go.
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", ResourceWarning)
    # Some of the made-up names are as wrong as names in archives are.
    warnings.simplefilter("ignore", UserWarning)


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
        tried = {"makefile-pipeline", "cron", "cohort-query", "restore", "service", "forward", "systems"}
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

    def test_forward(self):
        """A node that is away at first gets everything later; what came at first comes once."""
        study = self.scratch / "anon" / "study"
        files = [tiny.write(study / f"{n}.dcm", InstanceNumber=n, PatientIdentityRemoved="YES") for n in range(1, 5)]
        (study / ".dpipe-study").touch()
        nodes = self.scratch / "forward" / "nodes.json"
        with FakeStore() as one, FakeStore() as two:
            def use(port):
                text = (EXAMPLES / "forward" / "nodes.json").read_text()
                for host, old, new in (("pacs.example.org", 104, one.port), ("10.0.0.7", 11112, port)):
                    text = text.replace(f'"host": "{host}", "port": {old}', f'"host": "127.0.0.1", "port": {new}')
                nodes.write_text(text)
            watch = ("dpipe-watch", "--once", "--timeout", "0.01", "--exec", "forward/forward.sh {}", "anon")
            use(free_port())
            self.shell("sleep", "0.1")  # longer than --timeout: the study is quiet
            self.shell(*watch, code=3)
            self.assertEqual((len(one.stored), len(two.stored)), (4, 0))
            use(two.port)
            for _ in range(20):  # what failed is tried again, after a while
                self.shell("sleep", "0.5")
                subprocess.run(watch, cwd=self.scratch, check=False, capture_output=True,
                               env={**os.environ, "PATH": f"{dpipe.BIN}:{os.environ['PATH']}"})
                if two.stored:
                    break
            self.assertEqual((one.asked.total(), two.asked.total()), (len(files), len(files)))

    @dpipe.needs("dcmqrscp")
    def test_cohort_query(self):
        self.with_keys()
        modalities = {}
        with Dcmqrscp(self.scratch / "pacs") as pacs:
            pacs.store(*sorted(self.raw.glob("*/[cm][tr]")))
            for _ in range(2):  # the same again does no harm
                self.shell(
                    "cohort-query/fetch.sh", "cohort-query/cohort.csv", AET="ME", NODE=f"QRSCP@127.0.0.1:{pacs.port}")
        for path in (p for p in (self.scratch / "anon").rglob("*") if p.is_file() and not p.name.startswith(".")):
            ds = pydicom.dcmread(path, stop_before_pixels=True)
            modalities[ds.Modality] = modalities.get(ds.Modality, 0) + 1
            self.assertRegex(ds.PatientID, "^0000[0-9]{2}$")
        self.assertEqual(modalities.keys(), {"MR"})

    def unit(self, name, **replaced):
        """What a unit starts, its paths and times made fit for a test, started in the scratch folder."""
        text = (EXAMPLES / "service" / f"{name}.service").read_text()
        words = shlex.split(re.search("^ExecStart=(.*)$", text, re.M).group(1))
        for old, new in replaced.items():
            words[words.index(f"--{old}") + 1] = new
        self.assertEqual(words[0], f"/usr/local/bin/{pathlib.Path(words[0]).name}")
        with open(self.scratch / f"{name}.log", "ab") as log:
            return subprocess.Popen(
                [dpipe.BIN / pathlib.Path(words[0]).name, *words[1:]], cwd=self.scratch, stdout=log, stderr=log,
                env={**os.environ, "PATH": f"{dpipe.BIN}:{os.environ['PATH']}", "URL": self.url})

    @dpipe.needs("systemd-analyze")
    def test_systemd_takes_the_units(self):
        for unit in sorted((EXAMPLES / "service").glob("*.service")):
            text = unit.read_text().replace("/usr/local/bin/", f"{dpipe.BIN}/").replace("User=dpipe", "User=root")
            (self.scratch / unit.name).write_text(text)
            result = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", self.scratch / unit.name], capture_output=True, text=True,
                check=False)
            self.assertNotIn(unit.name, result.stderr)

    @dpipe.needs("dcmsend")
    def test_service(self):
        """Both units, killed at any instant and started again: every study is uploaded, and once."""
        self.with_keys()
        shutil.copy(EXAMPLES / "service" / "study.sh", self.scratch)
        password = self.scratch / "keys" / "password"
        password.touch(mode=0o600)
        password.write_text("demo\n")
        port = free_port()
        chance = random.Random(5)
        with api.serving(self.scratch / "api", "--username", "study", "--misbehave", "500,lost") as server:
            self.url = server.url
            receive = self.unit("dpipe-receive", port=str(port))
            self.addCleanup(lambda: receive.poll() is None and receive.kill())
            wait_for_port(port, receive)
            for study in self.raw.iterdir():
                # Not all of the made-up files are such that DCMTK sends them.
                subprocess.run(
                    ["dcmsend", "-q", "-nh", "-aec", "DICOMRCV", "127.0.0.1", str(port), "+sd", "+r", "+sp", "*.dcm",
                     study], capture_output=True, check=False)
            judged = dpipe.run("dpipe-filter", "--rules", "identifiable", "--json", self.scratch / "incoming")
            records = [json.loads(line) for line in judged.lines]
            expected = len({r["StudyInstanceUID"] for r in records if r["status"] == "ok"})
            self.assertGreaterEqual(expected, 2)
            for _ in range(4):
                watch = self.unit("dpipe-study", timeout="0.2")
                time.sleep(chance.uniform(0.1, 0.8))
                watch.kill()
                watch.wait()
            watch = self.unit("dpipe-study", timeout="0.2")
            self.addCleanup(lambda: watch.poll() is None and watch.kill())
            until = time.monotonic() + 90
            def zips():
                return {hashlib.sha256(p.read_bytes()).hexdigest() for p in (self.scratch / "zips").glob("*.zip")}
            while time.monotonic() < until and (
                    len(zips()) < expected or zips() != {u["sha256"] for u in server.uploads()}):
                time.sleep(0.1)
            log = (self.scratch / "dpipe-study.log").read_text()
            self.assertEqual(zips(), {u["sha256"] for u in server.uploads()}, log)
            self.assertEqual(len(server.uploads()), len(zips()), "a study was stored twice")
            self.assertEqual(len(zips()), expected, log)
            for process in (watch, receive):
                process.terminate()
                process.wait(30)
        self.assertFalse(self.names(self.raw) & self.names(self.scratch / "anon"))

    def system(self, name, **env):
        """Starts systems/receive.sh."""
        with open(self.scratch / "system.log", "ab") as log:
            process = subprocess.Popen(
                [self.scratch / "systems" / "receive.sh", name], cwd=self.scratch, stdout=log, stderr=log,
                env={**os.environ, "PATH": f"{dpipe.BIN}:{os.environ['PATH']}", **env})
        self.addCleanup(lambda: process.poll() is None and process.terminate())
        return process

    def send(self, aet, port):
        for study in self.raw.iterdir():
            # Not all of the made-up files are such that DCMTK sends them.
            subprocess.run(
                ["dcmsend", "-q", "-nh", "-aec", aet, "127.0.0.1", str(port), "+sd", "+r", "+sp", "*.dcm", study],
                capture_output=True, check=False)

    def received(self, name, aet, port_name, server, **env):
        """Sends the studies to a system; gives the uploads (name and bytes of each ZIP) when they do not grow any more."""
        self.with_keys()
        port = free_port()
        env = {**env, port_name: str(port), "no_proxy": "127.0.0.1"}
        process = self.system(name, **env)
        wait_for_port(port, process)
        self.send(aet, port)
        judged = dpipe.run("dpipe-filter", "--rules", name, "--not-modality", "DOC", "--json", self.scratch / "incoming")
        records = [json.loads(line) for line in judged.lines]
        # A document can hold any identity: dpipe-anon keeps it back.
        expected = len({r["StudyInstanceUID"] for r in records if r["status"] == "ok"
                        and "EncapsulatedDocument" not in pydicom.dcmread(r["path"], force=True)})
        self.assertGreaterEqual(expected, 2)
        until = time.monotonic() + 60
        while time.monotonic() < until and len(server.forms) < expected:
            time.sleep(0.1)
        process.terminate()
        process.wait(30)
        self.assertEqual(len(server.forms), expected, (self.scratch / "system.log").read_text())
        again = self.system(name, **env)  # what is done is not done again
        time.sleep(1.5)
        again.terminate()
        again.wait(30)
        self.assertEqual(len(server.forms), expected)
        originals = self.names(self.raw)
        for form in server.forms:
            zip_name, content = form["file"]
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for entry in archive.namelist():
                    ds = pydicom.dcmread(io.BytesIO(archive.read(entry)), stop_before_pixels=True, force=True)
                    self.assertNotIn(str(ds.get("PatientName")), originals)
                    self.assertEqual(ds.PatientIdentityRemoved, "YES")
                    self.assertEqual(zip_name, f"{ds.PatientID}_{ds.StudyInstanceUID}.zip")
        return server.forms

    @dpipe.needs("dcmsend")
    def test_pixieveil(self):
        with form_api.serving(body=b"ok") as server:
            forms = self.received("pixieveil", "PIXIEVEIL", "PORT", server, COMPLETION_TIMEOUT="0.5",
                                  REMOTE_URL=server.url, AUTH_TOKEN="secret")
            self.assertEqual({h["Authorization"] for h in server.headers}, {"Bearer secret"})
            self.assertEqual(set(server.paths), {"/api/upload"})
            for form in forms:
                self.assertEqual(form["remote_path"], f"studies/{form['file'][0]}")

    @dpipe.needs("dcmsend")
    def test_dicom_receiver(self):
        with form_api.serving() as server:
            env = {"DICOM_RECEIVER_TIMEOUT": "0.5", "DICOM_RECEIVER_API_URL": server.url,
                   "DICOM_RECEIVER_API_USERNAME": "user", "DICOM_RECEIVER_API_PASSWORD": "pass",
                   "DICOM_RECEIVER_CLEANUP_AFTER_UPLOAD": "true"}
            forms = self.received("receiver", "DICOMRCV", "DICOM_RECEIVER_PORT", server, **env)
            self.assertEqual({json.loads(b)["username"] for b in server.logins}, {"user"})
            self.assertEqual(set(server.paths), {"/api/users/login/", "/api/data/upload/"})
            self.assertEqual(list((self.scratch / "zips").glob("*.zip")), [])
            self.assertEqual(list((self.scratch / "anon").rglob("*.dcm")), [])
            # upload_study.py, and dicom-restore
            study = self.scratch / "incoming" / sorted(os.listdir(self.scratch / "incoming"))[-1]
            (self.scratch / "one").mkdir()
            shutil.copytree(study, self.scratch / "one" / "study")
            for receipt in (self.scratch / "zips").iterdir():
                receipt.unlink()
            self.shell("systems/receive.sh", "receiver", "one/study", **env)
            self.assertEqual(len(server.forms), len(forms))
        with zipfile.ZipFile(io.BytesIO(server.forms[-1]["file"][1])) as archive:
            archive.extractall(self.scratch / "sent")
        self.shell("restore/who.sh", "images", "back", "sent")
        back = self.names(self.scratch / "back")
        self.assertTrue(back)
        self.assertLessEqual(back, self.names(self.raw))

    @dpipe.needs("dcmsend")
    def test_ith(self):
        with form_api.serving() as server:
            forms = self.received("ith", "DICOMRCV", "DICOM_PORT", server, DICOM_STUDY_TIMEOUT="0.5",
                                  ITH_URL=server.url[:-4], ITH_WORKSPACE="lab", ITH_TOKEN="key")
            self.assertEqual(set(server.paths), {"/api/v1/proxy/lab/archives/upload"})
            self.assertEqual({h["X-Proxy-Key"] for h in server.headers}, {"key"})
            for form in forms:
                self.assertGreater(json.loads(form["metadata"])["instances_count"], 0)
                self.assertEqual(form["conflict_resolution"], "skip_existing")

    @dpipe.needs("dcmqrscp")
    def test_pacsifier(self):
        self.with_keys()
        self.raw = self.raw.rename(self.scratch / "originals")  # raw/ is where retrieved studies go
        with Dcmqrscp(self.scratch / "pacs") as pacs:
            pacs.store(*sorted(self.raw.glob("*/[cm][tr]")))
            (self.scratch / "config.json").write_text(json.dumps({
                "server_address": "127.0.0.1", "port": pacs.port, "server_AET": "QRSCP", "AET": "ME", "batch_size": 10,
                "batch_wait_time": 0}))
            (self.scratch / "query.csv").write_text("StudyDate,Modality\n20000101-20301231,MR\n20000101-20301231,CT\n")
            for _ in range(2):  # the same again does no harm
                self.shell("systems/pacsifier.sh", "query.csv", "config.json")
        raw = [p for p in (self.scratch / "raw").rglob("*") if p.is_file()]
        self.assertTrue(any(p.suffix == ".csv" for p in raw))
        media = FileSet(self.scratch / "media" / "DICOMDIR")
        self.assertGreaterEqual(len(media), 2)
        originals = self.names(self.raw)
        for node in media:
            ds = node.load()
            self.assertNotIn(str(ds.PatientName), originals)
            self.assertRegex(ds.PatientID, "^[0-9]{6}$")

    @dpipe.needs("dcmqrscp")
    def test_dicom_pipeline(self):
        self.with_keys()
        self.raw = self.raw.rename(self.scratch / "originals")  # raw/ is where retrieved studies go
        with Dcmqrscp(self.scratch / "staging") as staging, Dcmqrscp(self.scratch / "research") as research:
            staging.store(*sorted(self.raw.glob("*/[cm][tr]")))
            uids = {str(pydicom.dcmread(p, stop_before_pixels=True).StudyInstanceUID)
                    for p in self.raw.glob("*/[cm][tr]/**/*.dcm")}
            (self.scratch / "studies.txt").write_text("".join(f"{uid}\n" for uid in sorted(uids)))
            env = {"STAGING": f"QRSCP@127.0.0.1:{staging.port}", "RESEARCH": f"QRSCP@127.0.0.1:{research.port}"}
            self.shell("systems/dicom-pipeline.sh", "--max", "1", "studies.txt", **env)
            first = len(list((self.scratch / "research" / "db").glob("*_*")))
            self.assertGreater(first, 0)
            time.sleep(1.1)  # a run's folder has the second in its name
            self.shell("systems/dicom-pipeline.sh", "studies.txt", **env)
        stored = [pydicom.dcmread(p, stop_before_pixels=True)
                  for p in (self.scratch / "research" / "db").iterdir() if p.name != "index.dat"]
        self.assertGreater(len(stored), first)
        anon = [p for p in (self.scratch / "anon").rglob("*") if p.is_file() and not p.name.startswith(".")]
        self.assertEqual(len(stored), len(anon))
        originals = self.names(self.raw)
        for ds in stored:
            self.assertNotIn(str(ds.PatientName), originals)
            self.assertNotIn(ds.StudyInstanceUID, uids)
        runs = sorted((self.scratch / "runs").iterdir())
        self.assertEqual([len(list(run.glob("*.log"))) for run in runs], [4, 4])

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
