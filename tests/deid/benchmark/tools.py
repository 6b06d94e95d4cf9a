"""The tools that are scored, each as its users run it. `run` gives {file: path of the output, or None}."""

import json
import pathlib
import shutil
import subprocess
import urllib.request

import dpipe
import peers

PROFILE = pathlib.Path(__file__).with_name("profile.json")


class Copy:
    """Calibration: what must stay stays, what must go does not."""

    name, names_files = "(copy)", False

    @staticmethod
    def available():
        return True

    def run(self, source, files, out):
        return {file: source / file for file in files if not file.startswith("broken/")}


class Nothing(Copy):
    """Calibration: the other way round."""

    name = "(nothing)"

    def run(self, source, files, out):
        return {}


class Dpipe:
    """dpipe-anon, the options that MIDI-B's data ask for."""

    name, names_files = "dpipe-anon", True

    def __init__(self, words=()):
        self.words = words

    @staticmethod
    def available():
        return (dpipe.BIN / "dpipe-anon").exists()

    def run(self, source, files, out):
        out.mkdir(parents=True)
        self.link = out / "link.db"
        checked("dpipe-map", "init", "-q", "-m", self.link)
        shutil.copy(self.link, out / "fresh.db")
        return self.anonymize(self.link, source, files, out / "anon")

    def anonymize(self, link, source, files, out, *words, env=None):
        names = "".join(f"{source / file}\0" for file in files)
        result = dpipe.run(
            "dpipe-anon", "-m", link, "--key-file", self.link.with_suffix(".key"), "-o", out, "-p", PROFILE, "--json", "-0",
            *self.words, *words, "-", stdin=names, env=env, timeout=3600)
        assert result.code in (0, 3), result.err
        (out.parent / "stderr.txt").write_text(result.err)
        records = [json.loads(line) for line in result.raw.decode().split("\0")[:-1]]
        assert len(records) == len(files), (len(records), len(files))
        return {f: r["path"] if r["status"] in ("ok", "skipped") else None for f, r in zip(files, records)}

    def again(self, source, files, out):
        """A second run from a fresh map: one thread, another place."""
        return self.anonymize(
            out / "fresh.db", source, files, out / "again", "-j1", env={"TZ": "Pacific/Kiritimati", "LC_ALL": "C"})

    def restored(self, outputs, out):
        paths = [str(p) for p in outputs.values() if p]
        result = dpipe.run(
            "dpipe-restore", "-m", self.link, "--restore-key", out / "link.restore.key", "--level", "full", "--json", "-0",
            "-o", out / "restored", "-", stdin="".join(f"{p}\0" for p in paths), timeout=3600)
        records = [json.loads(line) for line in result.raw.decode().split("\0")[:-1]]
        back = {p: r["path"] for p, r in zip(paths, records) if r["status"] in ("ok", "skipped")}
        return {file: back.get(str(path)) for file, path in outputs.items() if path}


class Gdcmanon:
    """gdcmanon over a folder of numbered files, sealing originals for a certificate."""

    name, names_files = "gdcmanon", False

    @staticmethod
    def available():
        return shutil.which("gdcmanon") and shutil.which("openssl")

    def run(self, source, files, out):
        flat, done = out / "in", out / "out"
        flat.mkdir(parents=True)
        done.mkdir()
        checked("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", out / "key.pem", "-out",
                out / "cert.pem", "-days", "9", "-subj", "/CN=bench")
        for number, file in enumerate(files):
            shutil.copy(source / file, flat / f"{number:05}.dcm")
        subprocess.run(
            ["gdcmanon", "-e", "-c", out / "cert.pem", "-r", "--continue", "-i", flat, "-o", done], capture_output=True,
            check=False)
        for path in sorted(flat.iterdir()):  # it ends at the first file that it cannot do: the rest one by one
            if not (done / path.name).exists():
                subprocess.run(
                    ["gdcmanon", "-e", "-c", out / "cert.pem", "-i", path, "-o", done / path.name], capture_output=True,
                    check=False)
        return existing({file: done / f"{number:05}.dcm" for number, file in enumerate(files)})


class Dcmodify:
    """The recipe that is pasted most often: blank the patient, new UIDs, drop private elements."""

    name, names_files = "dcmodify", False
    blank = ["PatientName", "PatientID", "PatientBirthDate", "AccessionNumber", "ReferringPhysicianName", "StudyID"]
    erase = ["InstitutionName", "InstitutionAddress", "PatientAddress", "PatientTelephoneNumbers", "(0010,1000)",
             "OperatorsName", "PerformingPhysicianName", "StationName", "PatientBirthName", "PatientMotherBirthName"]

    @staticmethod
    def available():
        return shutil.which("dcmodify")

    def run(self, source, files, out):
        out.mkdir()
        done = {}
        words = ["dcmodify", "-nb", "-q", "-imt", "-ep"]
        for keyword in self.blank:
            words += ["-i", f"{keyword}="]
        for keyword in self.erase:
            words += ["-ea", keyword]
        words += ["-gst", "-gse", "-gin"]
        for number, file in enumerate(files):
            path = out / f"{number:05}.dcm"
            shutil.copy(source / file, path)
            ended = subprocess.run([*words, path], capture_output=True, check=False)
            done[file] = path if ended.returncode == 0 else None
        return done


class Orthanc:
    """/patients/ID/anonymize of an Orthanc on loopback."""

    name, names_files = "Orthanc", False

    @staticmethod
    def available():
        return peers.ORTHANC

    def run(self, source, files, out):
        out.mkdir()
        done = {}
        with peers.Orthanc(out / "server") as server:
            stored = {}
            for file in files:
                try:
                    stored[server.rest("/instances", (source / file).read_bytes())["ID"]] = file
                except (OSError, ValueError, KeyError):
                    pass  # it takes no such file
            for patient in server.rest("/patients"):
                try:
                    answer = server.rest(f"/patients/{patient}/anonymize", {"KeepSource": True, "Permissive": True})
                except OSError:
                    continue
                for instance in server.rest(f"/patients/{answer['ID']}/instances"):
                    origin = text(server, f"/instances/{instance['ID']}/metadata/AnonymizedFrom")
                    if origin in stored:
                        path = out / f"{instance['ID']}.dcm"
                        path.write_bytes(content(server, f"/instances/{instance['ID']}/file"))
                        done[stored[origin]] = path
        return done


def content(server, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.http}{path}", timeout=30) as answer:
        return answer.read()


def text(server, path):
    return content(server, path).decode().strip().strip('"')


def existing(outputs):
    return {file: path for file, path in outputs.items() if path.is_file() and path.stat().st_size > 0}


def checked(*words):
    result = dpipe.run(*words)
    assert result.code == 0, f"{words}: {result.err}"


ALL = [Copy, Nothing, Dpipe, Gdcmanon, Orthanc, Dcmodify]
