"""From each of the five systems to the map: every pseudonym that a patient had there is theirs in the next run."""

import json
import sqlite3

import pydicom
import tiny

import dpipe


class Migration(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.map = self.scratch / "link.db"
        self.key = self.scratch / "link.restore.key"
        self.succeeds("dpipe-map", "init", "-m", self.map)

    def import_file(self, form, content, *words, name="old"):
        file = self.scratch / name
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return json.loads(self.succeeds(
            "dpipe-map", "import", "-m", self.map, "--json", "--format", form, *words, file).out)

    def database(self, tables):
        file = self.scratch / "identity.db"
        file.unlink(missing_ok=True)
        db = sqlite3.connect(file)
        for table, rows in tables.items():
            db.execute(f"create table {table} (id integer primary key autoincrement, original, cleaned, study integer)")
            db.executemany(f"insert into {table} (original, cleaned, study) values (?, ?, 1)", rows)
        db.commit()
        db.close()
        return file

    def next_run(self, id, name="Old^Patient", **attributes):
        """The code, and the instance, that the next run gives this patient."""
        source = tiny.write(
            self.scratch / "in.dcm", "CT", PatientID=id, PatientName=name, StudyInstanceUID=tiny.uid("study", id),
            SeriesInstanceUID=tiny.uid("series", id), SOPInstanceUID=tiny.uid("instance", id), **attributes)
        path, = self.succeeds(
            "dpipe-anon", "-q", "-m", self.map, "-o", self.scratch / "out", "--retain-longitudinal-modified-dates",
            "--overwrite", source).lines
        ds = pydicom.dcmread(path)
        return ds.PatientID, ds

    def export(self, form, name="export"):
        file = self.scratch / name
        self.succeeds("dpipe-map", "export", "-m", self.map, "--restore-key", self.key, "--format", form, "-o", file)
        return file

    def lookup(self, code):
        return json.loads(self.succeeds(
            "dpipe-map", "lookup", "-m", self.map, "--restore-key", self.key, "--pseudonym", code).out)


class DicomReceiver(Migration):
    OLD = {
        "patient_info": {
            "1.2.1": {"PatientName": "Doe^Jane", "PatientID": "MRN-1", "PatientBirthDate": "19800101"},
            "1.2.2": {"PatientName": "Doe^John", "PatientID": "MRN-2"},
            "1.2.3": {"PatientName": "Doe^Jane", "PatientID": "MRN-1"}},
        "patient_name_map": {"Doe^Jane": "sub-001", "Doe^John": "sub-002"},
        "patient_study_map": {"MRN-1": ["1.2.1", "1.2.3"], "MRN-2": ["1.2.2"]}}

    def test_every_code_stays_and_new_ones_follow(self):
        done = self.import_file("receiver-json", self.OLD)
        self.assertEqual((done["added"], done["known"]), (2, 1))
        self.assertEqual(self.next_run("MRN-2")[0], "sub-002")
        self.assertEqual(self.next_run("MRN-1")[0], "sub-001")
        self.assertEqual(self.next_run("MRN-3")[0], "sub-003")
        self.assertEqual(self.lookup("sub-001")["PatientBirthDate"], "19800101")

    def test_a_number_that_was_given_already_is_passed_over(self):
        self.import_file("receiver-json", {
            "patient_info": {"1.2.1": {"PatientName": "Doe^Jane", "PatientID": "MRN-1"}},
            "patient_name_map": {"Doe^Jane": "sub-003"}})
        self.assertEqual([self.next_run(f"MRN-{n}")[0] for n in (2, 3, 4, 1)], ["sub-002", "sub-004", "sub-005", "sub-003"])

    def test_a_receiver_that_kept_the_patient_ids(self):
        old = {**self.OLD, "patient_info": {"1.2.1": {"PatientName": "Doe^Jane"}, "1.2.2": {"PatientName": "Doe^John"}}}
        self.assertEqual(self.import_file("receiver-json", old)["added"], 2)
        self.assertEqual(self.next_run("MRN-2")[0], "sub-002")

    def test_a_spelling_that_had_a_code_of_its_own_leads_to_the_patient(self):
        old = {"patient_info": {"1.2.1": {"PatientName": "Doe^Jane", "PatientID": "MRN-1"},
                                "1.2.2": {"PatientName": "DOE^JANE", "PatientID": "MRN-1"}},
               "patient_name_map": {"Doe^Jane": "sub-001", "DOE^JANE": "sub-002"}}
        done = self.import_file("receiver-json", old)
        self.assertEqual((done["added"], done["aliases"]), (1, 1))
        self.assertEqual(self.lookup("sub-002")["PatientID"], "MRN-1")

    def test_two_patients_whom_their_name_had_merged_are_not_merged_again(self):
        old = {"patient_info": {"1.2.1": {"PatientName": "Doe^Jane", "PatientID": "MRN-1"},
                                "1.2.2": {"PatientName": "Doe^Jane", "PatientID": "MRN-9"}},
               "patient_name_map": {"Doe^Jane": "sub-001"}}
        file = self.scratch / "old"
        file.write_text(json.dumps(old))
        result = self.fails(3, "dpipe-map", "import", "-m", self.map, "--format", "receiver-json", file)
        self.assertIn("another patient has it", result.err)
        self.assertEqual(self.succeeds("dpipe-map", "list", "-m", self.map).out, "")

    def test_the_old_form_holds_no_codes_and_that_is_said(self):
        file = self.scratch / "flat.json"
        file.write_text(json.dumps(self.OLD["patient_info"]))
        self.assertIn("holds no codes", self.fails(
            3, "dpipe-map", "import", "-m", self.map, "--format", "receiver-json", file).err)

    def test_what_we_write_it_could_read_and_so_can_we(self):
        for number in (1, 2):
            self.next_run(f"MRN-{number}", f"Müller^{number}", SpecificCharacterSet="ISO_IR 100")
        code, ds = self.next_run("MRN-1", "Müller^1", SpecificCharacterSet="ISO_IR 100")
        whole = json.loads(self.export("receiver-json").read_text())
        self.assertEqual(whole["patient_name_map"], {"Müller^1": "sub-001", "Müller^2": "sub-002"})
        self.assertEqual(whole["patient_info"][ds.StudyInstanceUID], {"PatientName": "Müller^1", "PatientID": "MRN-1"})
        self.assertEqual(whole["patient_study_map"]["MRN-1"], [ds.StudyInstanceUID])
        flat = self.export("receiver-json-flat", "flat.json")
        self.assertEqual(json.loads(flat.read_text()), whole["patient_info"])
        # Its own dicom-restore looks an instance up by its Study Instance UID; ours does the same.
        for file in (self.scratch / "export", flat):
            path = next(p for p in (self.scratch / "out").rglob("*.dcm") if ds.StudyInstanceUID in str(p))
            back, = self.succeeds(
                "dpipe-restore", "--map-file", file, "-o", self.scratch / "back", "--overwrite", path).lines
            self.assertEqual(pydicom.dcmread(back).PatientName, "Müller^1")
        other = self.scratch / "other.db"
        self.succeeds("dpipe-map", "init", "-m", other)
        self.succeeds("dpipe-map", "import", "-m", other, "--format", "receiver-json", self.scratch / "export")
        self.assertEqual(sorted(self.succeeds("dpipe-map", "list", "-m", other).lines), ["sub-001", "sub-002"])

    def test_uids_that_were_retained_are_found_as_well(self):
        source = tiny.write(self.scratch / "in.dcm", "CT", PatientID="MRN-1", PatientName="Doe^Jane")
        self.succeeds("dpipe-anon", "-q", "-m", self.map, "-o", self.scratch / "out", "--retain-uids", source)
        info = json.loads(self.export("receiver-json-flat").read_text())
        self.assertEqual(info, {tiny.uid("study"): {"PatientName": "Doe^Jane", "PatientID": "MRN-1"}})


class IdentityDb(Migration):
    """dicom-anon and the pipeline's ruby-dicom."""

    FORMS = {"identity-db": ("patientid", "patientsname", "studyinstanceuid", "Patient ID {}"),
             "identity-db-ruby": ("id", "patient", "studyuid", "ID{}")}

    def test_every_code_of_both_forms_stays(self):
        for form, (ids, names, studies, code) in self.FORMS.items():
            with self.subTest(form):
                file = self.database({
                    ids: [(f"{form}-{n}", code.format(n)) for n in (1, 2, 3)], names: [("Doe^Jane", "Patient1")],
                    studies: [("1.2.3", "5.555.5.1")]})
                done = json.loads(self.succeeds(
                    "dpipe-map", "import", "-m", self.map, "--json", "--format", form, file).out)
                self.assertEqual(done["added"], 3)
                for n in (3, 1, 2):
                    self.assertEqual(self.next_run(f"{form}-{n}")[0], code.format(n))

    def test_several_codes_of_one_patient(self):
        file = self.database({"patientid": [("MRN-1", "Patient ID 1"), ("MRN-1", "Patient ID 2")]})
        self.succeeds("dpipe-map", "import", "-m", self.map, "--format", "identity-db", file)
        self.assertEqual(self.next_run("MRN-1")[0], "Patient ID 1")
        self.assertEqual(self.lookup("Patient ID 2")["PatientID"], "MRN-1")

    def test_what_we_write_can_be_read_in_again_and_restores(self):
        code, ds = self.next_run("MRN-1", "Doe^Jane")
        for form, (ids, names, studies, _) in self.FORMS.items():
            with self.subTest(form):
                file = self.export(form, f"{form}.db")
                self.assertEqual(file.stat().st_mode & 0o777, 0o600)
                db = sqlite3.connect(file)
                self.assertEqual(db.execute(f"select original, cleaned from {ids}").fetchall(), [("MRN-1", "sub-001")])
                self.assertEqual(db.execute(f"select original, cleaned from {names}").fetchall(), [("Doe^Jane", "sub-001")])
                self.assertEqual(db.execute(f"select original, cleaned from {studies}").fetchall(),
                                 [(str(tiny.uid("study", "MRN-1")), str(ds.StudyInstanceUID))])
                db.close()
                back, = self.succeeds("dpipe-restore", "--map-file", file, "-o", self.scratch / "back", "--overwrite",
                                      next((self.scratch / "out").rglob("*.dcm"))).lines
                self.assertEqual(pydicom.dcmread(back).StudyInstanceUID, tiny.uid("study", "MRN-1"))
                other = self.scratch / f"{form}-other.db"
                self.succeeds("dpipe-map", "init", "-m", other)
                self.succeeds("dpipe-map", "import", "-m", other, "--format", form, file)
                self.assertEqual(self.succeeds("dpipe-map", "list", "-m", other).lines, ["sub-001"])


class Pacsifier(Migration):
    def test_new_ids_by_folder_name_and_day_shifts_by_id(self):
        shifts = self.scratch / "day_shift_P.json"
        shifts.write_text(json.dumps({"MRN-4711": -17, "12345": "5"}))
        self.import_file("new-ids", {"sub-MRN_4711": "P0001", "sub-12345": "P0002", "sub-Muller_1": "P0003"},
                         "--day-shift", shifts, name="new_ids_P.json")
        code, ds = self.next_run("MRN-4711")
        self.assertEqual((code, ds.StudyDate), ("P0001", "20231216"))
        code, ds = self.next_run("12345")
        self.assertEqual((code, ds.StudyDate), ("P0002", "20240107"))
        self.assertEqual(self.next_run("Müller 1", SpecificCharacterSet="ISO_IR 100")[0], "P0003")
        self.assertEqual(self.next_run("MRN-4711")[0], "P0001")

    def test_who_claimed_a_folder_name_keeps_it_and_nobody_else_gets_it(self):
        self.import_file("new-ids", {"sub-MRN_1": "P0001"})
        self.assertEqual(self.next_run("MRN-1", "Doe^Jane")[0], "P0001")
        self.assertEqual(self.next_run("MRN.1", "Doe^John")[0], "sub-002")
        self.assertEqual((self.lookup("P0001")["PatientID"], self.lookup("P0001")["PatientName"]), ("MRN-1", "Doe^Jane"))

    def test_the_api_s_own_answers_are_by_patient_id(self):
        self.import_file("new-ids", {"MRN-4711": "P0001"})
        self.assertEqual(self.next_run("MRN-4711")[0], "P0001")
        self.assertEqual(self.next_run("MRN_4711")[0], "sub-002")

    def test_mapper(self):
        self.import_file("mapper", {"000001": "MRN_4711", "000002": "12345"}, name="mapper.json")
        self.assertEqual(self.next_run("MRN-4711")[0], "000001")
        self.assertEqual(self.next_run("12345")[0], "000002")

    def test_a_file_of_shifts_alone_is_no_list_of_patients(self):
        file = self.scratch / "day_shift_P.json"
        file.write_text('{"MRN-1": 3}')
        self.assertIn("--day-shift", self.fails(
            3, "dpipe-map", "import", "-m", self.map, "--format", "day-shift", file).err)

    def test_a_shift_that_is_no_number_is_said_so_without_the_id(self):
        shifts = self.scratch / "day_shift_P.json"
        shifts.write_text('{"12345": "soon"}')
        file = self.scratch / "new_ids.json"
        file.write_text('{"sub-12345": "P1"}')
        self.fails(3, "dpipe-map", "import", "-m", self.map, "--format", "new-ids", "--day-shift", shifts, file)
        self.assertEqual(self.succeeds("dpipe-map", "list", "-m", self.map).out, "")

    def test_out_and_in_again_is_the_same(self):
        self.import_file("new-ids", {"A1": "P1", "B2": "P2"})
        for form in ("new-ids", "mapper", "day-shift"):
            self.export(form, form)
        for form in ("new-ids", "mapper"):
            other = self.scratch / f"{form}.db"
            self.succeeds("dpipe-map", "init", "-m", other)
            self.succeeds("dpipe-map", "import", "-m", other, "--format", form, "--day-shift", self.scratch / "day-shift",
                          self.scratch / form)
            again = self.scratch / "again"
            self.succeeds("dpipe-map", "export", "-m", other, "--restore-key", self.scratch / f"{form}.restore.key",
                          "--format", "day-shift", "-o", again)
            self.assertEqual(json.loads(again.read_text()), json.loads((self.scratch / "day-shift").read_text()))


class PixieVeil(Migration):
    def test_its_trail(self):
        line = {"timestamp": "2024-01-01T00:00:00", "image_id": 1,
                "original": {"study_uid": "1.2.3", "series_uid": "1.2.3.4", "patient_id": "MRN-1"},
                "anonymized": {"study_uid": "2.25.1", "series_uid": "2.25.2", "patient_id": "1A2B3C4D",
                               "study_number": 1, "series_number": 1}}
        other = json.loads(json.dumps(line))
        other["original"]["patient_id"], other["anonymized"]["patient_id"] = "MRN-2", "5E6F7A8B"
        self.assertEqual(self.import_file(
            "anontrail", "".join(json.dumps(o) + "\n" for o in (line, line, other)))["added"], 2)
        self.assertEqual(self.next_run("MRN-2")[0], "5E6F7A8B")
        self.assertEqual(self.next_run("MRN-1")[0], "1A2B3C4D")

    def test_a_line_that_is_none(self):
        file = self.scratch / "trail"
        file.write_text('{"original": {"patient_id": "MRN-1"}\n')
        result = self.fails(3, "dpipe-map", "import", "-m", self.map, "--format", "anontrail", file)
        self.assertIn("line 1", result.err)
        self.assertNotIn("MRN", result.err)


class ImagingPlatform(Migration):
    """Its patients lie in a server's database: out of there by CSV."""

    def test_csv(self):
        done = self.import_file(
            "csv", "PatientID,Code,Issuer,ShiftDays\nMRN-1,ANON-0123456789ab,,\nMRN-1,ANON-ba9876543210,MERCY,-30\n")
        self.assertEqual(done["added"], 2)
        self.assertEqual(self.next_run("MRN-1")[0], "ANON-0123456789ab")
        code, ds = self.next_run("MRN-1", IssuerOfPatientID="MERCY", InstanceNumber=2)
        self.assertEqual((code, ds.StudyDate), ("ANON-ba9876543210", "20231203"))

    def test_an_issuer_for_all(self):
        self.import_file("csv", "PatientID;Code\nMRN-1;ANON-0123456789ab\n", "--issuer", "MERCY")
        self.assertEqual(self.next_run("MRN-1", IssuerOfPatientID="MERCY")[0], "ANON-0123456789ab")


if __name__ == "__main__":
    dpipe.main()
