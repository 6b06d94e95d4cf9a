"""dpipe-map: keys, look-ups, exchange, upkeep, audit."""

import json
import os
import pathlib
import sqlite3
import stat
import subprocess
import unittest

import tiny

import dpipe

PERSON = {"PatientName": "Smithson^Jane", "PatientID": "MRN-4711", "PatientBirthDate": "19800203",
          "IssuerOfPatientID": "MERCY"}


class MapTest(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.map = self.scratch / "link.db"
        self.key = self.scratch / "link.key"
        self.restore_key = self.scratch / "link.restore.key"
        self.succeeds("dpipe-map", "init", "-m", self.map)

    def anonymize(self, **attributes):
        source = tiny.write(self.scratch / "x.dcm", "CT", **{**PERSON, **attributes})
        return self.succeeds(
            "dpipe-anon", "-m", self.map, "-o", self.scratch / "out", "--overwrite", source).lines[0]

    def map_verb(self, verb, *words, **how):
        return self.succeeds("dpipe-map", verb, "-m", self.map, *words, **how)

    def lookup(self, *words):
        return json.loads(self.map_verb("lookup", "--restore-key", self.restore_key, *words).out)

    def audit_lines(self):
        return [json.loads(line) for line in (self.scratch / "link.audit.jsonl").read_text().splitlines()]


class Init(MapTest):
    def test_all_files_are_for_their_owner_alone(self):
        for path in (self.map, self.key, self.restore_key):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)

    def test_nothing_is_ever_overwritten(self):
        before = {p: p.read_bytes() for p in (self.map, self.key, self.restore_key)}
        self.fails(1, "dpipe-map", "init", "-m", self.map)
        self.map.unlink()
        self.fails(1, "dpipe-map", "init", "-m", self.map)  # the keys are still there
        self.assertEqual(self.key.read_bytes(), before[self.key])

    def test_a_key_others_can_read_is_refused(self):
        self.key.chmod(0o644)
        self.assertIn("others can read it", self.fails(5, "dpipe-map", "list", "-m", self.map).err)

    def test_a_key_from_a_descriptor_and_from_the_environment(self):
        text = self.key.read_text()
        self.map_verb("list", "--key-file", "env:MY_KEY", env={"MY_KEY": text})
        with open(self.key, "rb") as key:
            run = subprocess.run(
                [dpipe.BIN / "dpipe-map", "list", "-m", self.map, "--key-file", f"fd:{key.fileno()}"],
                pass_fds=[key.fileno()], capture_output=True, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.fails(2, "dpipe-map", "list", "-m", self.map, "--key-file", "env:NO_SUCH_KEY")

    def test_the_restore_key_from_a_descriptor_and_from_the_environment(self):
        self.anonymize()
        look = ["lookup", "-m", self.map, "--pseudonym", "sub-001", "--restore-key"]
        self.assertIn("Smithson", self.succeeds(
            "dpipe-map", *look, "env:MINE", env={"MINE": self.restore_key.read_text()}).out)
        with open(self.restore_key, "rb") as key, open(self.key, "rb") as project_key:
            fds = [key.fileno(), project_key.fileno()]
            run = subprocess.run([dpipe.BIN / "dpipe-map", *look, f"fd:{fds[0]}", "--key-file", f"fd:{fds[1]}"],
                                 pass_fds=fds, capture_output=True, check=False)
        self.assertIn(b"Smithson", run.stdout, run.stderr)
        for where in ("env:NO_SUCH_KEY", "fd:99", self.scratch / "no-such.key", "env:PATH"):
            self.assertEqual(self.fails(2, "dpipe-map", *look, where).out, "")

    def test_a_key_as_an_option_is_refused_naming_the_way(self):
        self.assertIn("--key-file", self.fails(2, "dpipe-map", "list", "-m", self.map, "--key", "00").err)

    def test_another_key_is_known_before_the_first_file(self):
        self.succeeds("dpipe-map", "init", "-m", self.scratch / "other.db")
        result = self.fails(
            2, "dpipe-anon", "-m", self.map, "--key-file", self.scratch / "other.key", "-o", self.scratch / "out", "x")
        self.assertIn("it was made for key", result.err)

    def test_a_restore_key_under_a_passphrase(self):
        words = self.scratch / "words"
        words.write_text("correct horse battery\n")
        other = self.scratch / "other.db"
        self.succeeds("dpipe-map", "init", "-m", other, "--passphrase-file", words)
        key = self.scratch / "other.restore.key"
        self.assertIn("restore-key-under-passphrase: ", key.read_text())
        source = tiny.write(self.scratch / "x.dcm", "CT", **PERSON)
        self.succeeds("dpipe-anon", "-m", other, "-o", self.scratch / "out", source)
        look = ["dpipe-map", "lookup", "-m", other, "--restore-key", key, "--pseudonym", "sub-001"]
        self.assertIn("Smithson", self.succeeds(*look, "--passphrase-file", words).out)
        self.assertIn("Smithson", self.succeeds(*look, env={"DPIPE_PASSPHRASE": "correct horse battery"}).out)
        self.assertIn("passphrase is wrong", self.fails(5, *look, env={"DPIPE_PASSPHRASE": "no"}).err)
        self.assertIn("kept under a passphrase", self.fails(2, *look).err)


@dpipe.needs("cc")
@unittest.skipIf(dpipe.SANITIZED, "a sanitizer must be loaded first")
class NetworkFileSystem(MapTest):
    """A file system says what it is by statfs: here a library loaded in front says it."""

    def test_it_is_refused(self):
        source = self.scratch / "says.c"
        source.write_text(
            "#include <stdlib.h>\n#include <sys/vfs.h>\n#include <string.h>\n"
            "int statfs(const char *p, struct statfs *s)\n"
            "{ (void)p; memset(s, 0, sizeof *s); s->f_type = strtol(getenv(\"FS_TYPE\"), 0, 16); return 0; }\n"
            "int statfs64(const char *p, struct statfs64 *s)\n"
            "{ (void)p; memset(s, 0, sizeof *s); s->f_type = strtol(getenv(\"FS_TYPE\"), 0, 16); return 0; }\n")
        library = self.scratch / "says.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", library, source], check=True)
        before = self.map.read_bytes()
        for name, magic in {"nfs": "6969", "smb2": "fe534d42", "lustre": "bd00bd0"}.items():
            with self.subTest(name):
                env = {"LD_PRELOAD": str(library), "FS_TYPE": magic}
                self.assertIn("network file system", self.fails(5, "dpipe-map", "list", "-m", self.map, env=env).err)
                new = self.scratch / f"{name}.db"
                self.fails(5, "dpipe-map", "init", "-m", new, env=env)
                self.assertFalse(new.exists())
        self.assertEqual(self.map.read_bytes(), before)
        self.succeeds("dpipe-map", "list", "-m", self.map, env={"LD_PRELOAD": str(library), "FS_TYPE": "ef53"})


class Lookup(MapTest):
    def test_by_code_id_and_study(self):
        path = pathlib.Path(self.anonymize())
        study = path.parts[-3]
        found = self.lookup("--pseudonym", "sub-001")
        self.assertEqual((found["PatientName"], found["PatientID"]), ("Smithson^Jane", "MRN-4711"))
        self.assertEqual(self.lookup("--patient-id", "MRN-4711", "--issuer", "MERCY")["code"], "sub-001")
        self.assertEqual(self.lookup("--study-uid", study)["PatientName"], "Smithson^Jane")

    def test_nobody_is_said_to_be_nobody(self):
        look = ["dpipe-map", "lookup", "-m", self.map, "--restore-key", self.restore_key]
        self.assertIn("no such code", self.fails(1, *look, "--pseudonym", "sub-999").err)
        self.assertIn("no patient", self.fails(1, *look, "--patient-id", "X").err)
        self.assertIn("no such study", self.fails(1, *look, "--study-uid", "1.2.3").err)

    def test_without_the_restore_key_nobody_is_named(self):
        self.anonymize()
        self.fails(2, "dpipe-map", "lookup", "-m", self.map, "--pseudonym", "sub-001")
        self.succeeds("dpipe-map", "init", "-m", self.scratch / "other.db")
        result = self.fails(
            5, "dpipe-map", "lookup", "-m", self.map, "--pseudonym", "sub-001", "--restore-key",
            self.scratch / "other.restore.key")
        self.assertIn("does not fit", result.err)
        self.assertEqual(self.map_verb("list").lines, ["sub-001"])

    def test_every_look_is_in_the_audit_log_first(self):
        self.anonymize()
        self.lookup("--pseudonym", "sub-001")
        line = self.audit_lines()[0]
        self.assertEqual((line["program"], line["action"], line["of"]), ("dpipe-map", "lookup by code", ["sub-001"]))
        self.assertNotIn("Smithson", json.dumps(self.audit_lines()))

    def test_no_log_no_reveal(self):
        self.anonymize()
        result = self.fails(
            5, "dpipe-map", "lookup", "-m", self.map, "--restore-key", self.restore_key, "--pseudonym", "sub-001",
            "--audit-log", "/proc/no/such/log")
        self.assertEqual(result.out, "")


class Audit(MapTest):
    def setUp(self):
        super().setUp()
        self.anonymize()
        for _ in range(3):
            self.lookup("--pseudonym", "sub-001")
        self.log = self.scratch / "link.audit.jsonl"

    def test_a_whole_log_is_whole(self):
        self.assertEqual(json.loads(self.map_verb("audit", "--verify", "--json").out)["lines"], 3)

    def is_found(self, *words):
        return self.fails(5, "dpipe-map", "audit", "--verify", "-m", self.map, *words).err

    def test_it_is_printed_as_it_stands(self):
        self.assertEqual(self.map_verb("audit").out, self.log.read_text())
        for number, line in enumerate(self.audit_lines(), 1):
            self.assertEqual((line["n"], line["of"], line["action"]), (number, ["sub-001"], "lookup by code"))

    def test_a_changed_a_missing_and_a_moved_line_show(self):
        lines = self.log.read_text().splitlines(keepends=True)
        for name, damaged in {
                "changed": [lines[0].replace("sub-001", "sub-002"), *lines[1:]],
                "missing in front": lines[1:],
                "missing": [lines[0], lines[2]],
                "twice": [lines[0], *lines],
                "moved": [lines[1], lines[0], lines[2]]}.items():
            with self.subTest(name):
                self.log.write_text("".join(damaged))
                self.assertIn("audit log", self.is_found())

    def test_lines_cut_off_its_end_show_and_so_does_a_log_that_is_gone(self):
        lines = self.log.read_text().splitlines(keepends=True)
        for kept in (2, 1, 0):
            self.log.write_text("".join(lines[:kept]))
            self.assertIn("the map knows of 3 lines", self.is_found())
        self.log.unlink()
        self.assertIn("the map knows of 3 lines", self.is_found())
        # Nor is it whole again with what comes later.
        for kept in ("", lines[0]):
            self.log.write_text(kept)
            self.lookup("--pseudonym", "sub-001")
            self.assertIn("taken out", self.is_found())
        self.assertEqual(self.audit_lines()[1]["n"], 5)

    def test_what_the_map_knows_of_it_can_only_be_changed_with_the_restore_key(self):
        self.log.write_text("".join(self.log.read_text().splitlines(keepends=True)[:1]))
        line = self.audit_lines()[0]
        db = sqlite3.connect(self.map)
        db.execute("update note set text = ?", (f"1 {line['mac']}",))
        db.commit()
        db.close()
        self.assertIn("tampered", self.is_found("--restore-key", self.restore_key))
        result = self.fails(5, "dpipe-map", "lookup", "-m", self.map, "--restore-key", self.restore_key, "--pseudonym",
                            "sub-001", "--audit-log", self.log)
        self.assertEqual(len(self.audit_lines()), 1, result.err)

    def test_it_stays_whole_over_a_rekey(self):
        new = self.scratch / "new.restore.key"
        self.map_verb("rekey", "--restore-key", self.restore_key, "--new-restore-key", new)
        self.succeeds("dpipe-map", "lookup", "-m", self.map, "--restore-key", new, "--pseudonym", "sub-001")
        done = json.loads(self.map_verb("audit", "--verify", "--json", "--restore-key", new).out)
        self.assertEqual(done["lines"], 4)

    def test_a_line_cut_short_by_a_crash_does_not_stop_the_log(self):
        self.log.write_text(self.log.read_text() + '{"time":"2024')
        self.lookup("--pseudonym", "sub-001")
        self.assertIn("line 4 was cut short", self.is_found())

    def test_two_at_once(self):
        running = [dpipe.start(
            "dpipe-map", "lookup", "-m", self.map, "--restore-key", self.restore_key, "--pseudonym", "sub-001",
            stdout=subprocess.DEVNULL) for _ in range(6)]
        self.assertEqual([r.wait() for r in running], [0] * 6)
        self.assertEqual(json.loads(self.map_verb("audit", "--verify", "--json").out)["lines"], 9)


class Exchange(MapTest):
    def import_file(self, form, content, *words):
        file = self.scratch / f"import-{form}"
        file.write_text(content) if isinstance(content, str) else file.write_bytes(content)
        return json.loads(self.map_verb("import", "--json", "--format", form, *words, file).out)

    def code_of(self, **attributes):
        path = pathlib.Path(self.anonymize(IssuerOfPatientID="", **attributes))
        return path.parts[-4]

    def test_receiver_json_keeps_its_codes(self):
        done = self.import_file("receiver-json", json.dumps({
            "patient_info": {"1.2.3": {"PatientName": "Smithson^Jane", "PatientID": "MRN-4711"}},
            "patient_name_map": {"Smithson^Jane": "sub-017"}, "patient_study_map": {"MRN-4711": ["1.2.3"]}}))
        self.assertEqual(done["added"], 1)
        self.assertEqual(self.code_of(), "sub-017")
        self.assertEqual(self.code_of(PatientID="NEW"), "sub-002")  # numbers go on by the count of patients

    def test_new_ids_and_mapper(self):
        self.import_file("new-ids", json.dumps({"sub-MRN-4711": "P0001", "MRN-4712": "P0002"}))
        self.assertEqual(self.code_of(), "P0001")
        self.import_file("mapper", json.dumps({"P0003": "MRN-4713"}))
        self.assertEqual(self.code_of(PatientID="MRN-4713"), "P0003")

    def test_both_forms_of_identity_db(self):
        for tables, code in ((("patientid", "patientsname"), "Patient ID 3"), (("id", "patient"), "ID7")):
            with self.subTest(tables):
                file = self.scratch / f"identity-{tables[0]}.db"
                db = sqlite3.connect(file)
                for table in tables:
                    db.execute(f"create table {table} (id integer primary key, original text, cleaned text, study integer)")
                db.execute(f"insert into {tables[0]} (original, cleaned) values (?, ?)", (f"MRN-{code}", code))
                db.commit()
                db.close()
                self.assertEqual(self.import_file("identity-db", file.read_bytes())["added"], 1)
                self.assertEqual(self.code_of(PatientID=f"MRN-{code}"), code)

    def test_csv_out_and_in_again_is_the_same(self):
        self.anonymize()
        self.anonymize(PatientID="MRN-4712")
        out = self.scratch / "export.csv"
        self.map_verb("export", "--restore-key", self.restore_key, "-o", out)
        self.assertEqual(stat.S_IMODE(out.stat().st_mode), 0o600)
        other = self.scratch / "other.db"
        self.succeeds("dpipe-map", "init", "-m", other)
        self.succeeds("dpipe-map", "import", "-m", other, out)
        again = self.scratch / "again.csv"
        self.succeeds(
            "dpipe-map", "export", "-m", other, "--restore-key", self.scratch / "other.restore.key", "-o", again)
        self.assertEqual(out.read_bytes(), again.read_bytes())

    def test_exports_that_the_others_read(self):
        self.anonymize()
        for form, expected in (("new-ids", {"sub-MRN-4711": "sub-001"}), ("mapper", {"sub-001": "MRN-4711"})):
            out = self.scratch / f"export-{form}"
            self.map_verb("export", "--restore-key", self.restore_key, "--format", form, "-o", out)
            self.assertEqual(json.loads(out.read_text()), expected)
        out = self.scratch / "shift.json"
        self.map_verb("export", "--restore-key", self.restore_key, "--format", "day-shift", "-o", out)
        self.assertLess(json.loads(out.read_text())["MRN-4711"], 0)
        self.assertEqual([line["action"] for line in self.audit_lines()],
                         ["export as new-ids", "export as mapper", "export as day-shift"])

    def test_no_log_no_export(self):
        self.anonymize()
        out = self.scratch / "export.csv"
        self.fails(5, "dpipe-map", "export", "-m", self.map, "--restore-key", self.restore_key, "-o", out,
                   "--audit-log", "/proc/no/such/log")
        self.assertFalse(out.exists())

    def test_an_old_code_of_a_known_patient_leads_to_them_too(self):
        self.anonymize(IssuerOfPatientID="")
        self.assertEqual(self.import_file("new-ids", json.dumps({"MRN-4711": "OLD-9"}))["aliases"], 1)
        self.assertEqual(self.lookup("--pseudonym", "OLD-9")["code"], "sub-001")
        self.assertEqual(self.import_file("new-ids", json.dumps({"MRN-4711": "OLD-9"}))["known"], 1)

    def test_a_code_that_is_somebody_else_s_takes_nothing_over(self):
        self.anonymize(IssuerOfPatientID="")
        file = self.scratch / "ids.json"
        file.write_text(json.dumps({"A-FIRST": "NEW-1", "MRN-9999": "sub-001"}))
        result = self.fails(3, "dpipe-map", "import", "-m", self.map, "--format", "new-ids", file)
        self.assertIn("another patient has it", result.err)
        self.assertNotIn("MRN", result.err)
        self.assertEqual(self.map_verb("list").lines, ["sub-001"])

    def test_what_is_not_of_the_format_is_said_so(self):
        for form, content in (("receiver-json", "{}"), ("new-ids", "[]"), ("identity-db", "no database"),
                              ("csv", "Name,Code\na,b\n"), ("mapper", '{"a": 1}')):
            with self.subTest(form):
                file = self.scratch / "bad"
                file.write_text(content)
                self.fails(3, "dpipe-map", "import", "-m", self.map, "--format", form, file)
        self.fails(2, "dpipe-map", "import", "-m", self.map, "--format", "nonsense", file)


class Upkeep(MapTest):
    def test_a_sound_map_is_sound(self):
        self.anonymize()
        self.map_verb("check")
        self.map_verb("check", "--restore-key", self.restore_key)

    def test_clear_text_is_found(self):
        self.anonymize()
        db = sqlite3.connect(self.map)
        db.execute("update patient set code = 'Smithson'")
        db.commit()
        db.close()
        result = self.fails(5, "dpipe-map", "check", "-m", self.map, "--restore-key", self.restore_key)
        self.assertIn("in clear", result.err)

    def test_a_row_that_was_tampered_with_is_found_and_restores_nothing(self):
        path = self.anonymize()
        db = sqlite3.connect(self.map)
        db.execute("update originals set body = cast(substr(body, 1, 30) || x'00' || substr(body, 32) as blob)")
        db.commit()
        db.close()
        self.assertIn(
            "tampered", self.fails(5, "dpipe-map", "check", "-m", self.map, "--restore-key", self.restore_key).err)
        result = self.fails(
            3, "dpipe-restore", "-m", self.map, "--restore-key", self.restore_key, "-o", self.scratch / "back", path)
        self.assertIn("tampered", result.err)
        self.assertFalse((self.scratch / "back").exists())

    def test_a_damaged_map_stops_everything_and_is_not_made_anew(self):
        self.anonymize()
        data = bytearray(self.map.read_bytes())
        data[:4096] = os.urandom(4096)
        self.map.write_bytes(data)
        result = self.fails(
            1, "dpipe-anon", "-m", self.map, "-o", self.scratch / "new", tiny.write(self.scratch / "y.dcm", "CT"))
        self.assertIn("damaged", result.err)
        self.assertEqual(self.map.read_bytes(), bytes(data))

    def test_backup_while_in_use(self):
        with_writer = sqlite3.connect(self.map, isolation_level=None)
        self.anonymize()
        with_writer.execute("begin")
        with_writer.execute("select count(*) from patient").fetchall()
        copy = self.scratch / "copy.db"
        self.map_verb("backup", "-o", copy)
        with_writer.close()
        self.assertEqual(self.succeeds("dpipe-map", "list", "-m", copy, "--key-file", self.key).lines, ["sub-001"])
        self.fails(1, "dpipe-map", "backup", "-m", self.map, "-o", copy)

    def test_after_rekey_the_old_key_opens_nothing(self):
        path = self.anonymize()
        new = self.scratch / "new.restore.key"
        self.map_verb("rekey", "--restore-key", self.restore_key, "--new-restore-key", new)
        look = ["dpipe-map", "lookup", "-m", self.map, "--pseudonym", "sub-001", "--restore-key"]
        self.assertIn("does not fit", self.fails(5, *look, self.restore_key).err)
        self.assertIn("Smithson", self.succeeds(*look, new).out)
        self.anonymize(PatientID="MRN-4712")  # what is sealed now is sealed to the new key
        self.assertIn("MRN-4712", self.succeeds(*look[:5], "sub-002", "--restore-key", new).out)
        self.succeeds("dpipe-restore", "-m", self.map, "--restore-key", new, "-o", self.scratch / "back", path)


if __name__ == "__main__":
    dpipe.main()
