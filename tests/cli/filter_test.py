"""dpipe-filter: what is kept, what is not and why, and where both go."""

import json
import os
import pathlib

import dpipe
import small_disk
import tiny


def records(result):
    return [json.loads(line) for line in result.lines]


class FilterCase(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.dir = self.scratch / "in"
        self.count = 0

    def write(self, modality="CT", **attributes):
        self.count += 1
        return tiny.write(self.dir / f"{self.count}.dcm", modality, InstanceNumber=self.count, **attributes)

    def rules(self, *rules, name="rules.json"):
        path = self.scratch / name
        path.write_text(json.dumps({"dcmpipe-filter": 1, "rules": list(rules)}))
        return path

    def kept(self, *words, code=0):
        result = dpipe.run("dpipe-filter", *words, self.dir)
        self.assertEqual(result.code, code, result.err)
        return [int(pathlib.Path(line).stem) for line in result.lines]

    def kept_by(self, *rules):
        return self.kept("--rules", self.rules(*rules))


class Rules(FilterCase):
    def test_the_first_rule_that_speaks_of_an_instance_decides(self):
        self.write(SeriesDescription="T1 scout")
        self.write(SeriesDescription="scout")
        self.write(SeriesDescription="T2")
        reject = {"reject": {"SeriesDescription": {"matches": "scout"}}}
        self.assertEqual(self.kept_by(reject), [3])
        self.assertEqual(self.kept_by({"keep": {"SeriesDescription": {"matches": "^T1 "}}}, reject), [1, 3])

    def test_patterns_know_no_case_and_expressions_do(self):
        self.write(SeriesDescription="Scout")
        self.write(SeriesDescription="an old scout")
        self.assertEqual(self.kept_by({"reject": {"SeriesDescription": "scout"}}), [2])
        self.assertEqual(self.kept_by({"reject": {"SeriesDescription": {"matches": "scout"}}}), [1])
        self.assertEqual(self.kept_by({"reject": {"SeriesDescription": {"matches": "(?i)scout"}}}), [])

    def test_every_value_is_asked_or_the_one_that_is_numbered(self):
        self.write(ImageType=["ORIGINAL", "PRIMARY", "AXIAL"])
        self.write(ImageType=["DERIVED", "PRIMARY", "ORIGINAL"])
        self.assertEqual(self.kept_by({"reject": {"ImageType": "ORIGINAL"}}), [])
        self.assertEqual(self.kept_by({"reject": {"ImageType[1]": "ORIGINAL"}}), [2])
        self.assertEqual(self.kept_by({"reject": {"ImageType[4]": "*"}}), [1, 2])

    def test_all_keys_hold_and_one_of_a_list_does(self):
        self.write("CT", BodyPartExamined="HEAD")
        self.write("MR", BodyPartExamined="HEAD")
        self.write("MR", BodyPartExamined="KNEE")
        head_ct = {"Modality": "CT", "BodyPartExamined": "HEAD"}
        self.assertEqual(self.kept_by({"reject": head_ct}), [2, 3])
        self.assertEqual(self.kept_by({"reject": [head_ct, {"BodyPartExamined": "KNEE"}]}), [2])
        self.assertEqual(self.kept_by({"reject": "any", "unless": [head_ct, {"BodyPartExamined": "KNEE"}]}), [1, 3])

    def test_numbers_tags_sequences_and_characters(self):
        from pydicom.dataset import Dataset
        from pydicom.sequence import Sequence
        code = Dataset()
        code.CodeValue = "RPID50"
        self.write(Rows=8, ProcedureCodeSequence=Sequence([Dataset(), code]))
        self.write(SpecificCharacterSet="ISO_IR 100", SeriesDescription="Schädel")
        self.write(SpecificCharacterSet="ISO_IR 192", SeriesDescription="Schädel")
        self.assertEqual(self.kept_by({"reject": {"Rows": 8}}), [])
        self.assertEqual(self.kept_by({"reject": {"(0028,0010)": "9"}}), [1, 2, 3])
        self.assertEqual(self.kept_by({"reject": {"ProcedureCodeSequence/CodeValue": "RPID*"}}), [2, 3])
        self.assertEqual(self.kept_by({"reject": {"SeriesDescription": {"matches": "^Sch.del$"}}}), [1])
        self.assertEqual(self.kept_by({"reject": {"SOPClass": "CTImage"}}), [])

    def test_presence(self):
        self.write(BodyPartExamined="HEAD")
        self.write(BodyPartExamined="")
        self.write()
        self.assertEqual(self.kept_by({"reject": {"BodyPartExamined": {"present": False}}}), [1])
        self.assertEqual(self.kept_by({"reject": {"BodyPartExamined": {"present": True}}}), [2, 3])

    def test_several_rule_files_must_all_keep_it(self):
        self.write("CT", BodyPartExamined="HEAD")
        self.write("MR", BodyPartExamined="HEAD")
        self.write("MR", BodyPartExamined="KNEE")
        one = self.rules({"keep": {"Modality": "MR"}}, {"reject": "any"}, name="one.json")
        other = self.rules({"reject": {"BodyPartExamined": "KNEE"}}, name="other.json")
        self.assertEqual(self.kept("--rules", one, "--rules", other), [2])

    def test_what_is_wrong_is_said_before_anything_is_done(self):
        self.write()
        wrong = [
            ({"reject": {"PatientNmae": "x"}}, "no attribute"),
            ({"reject": {"Modality": {"matches": "("}}}, "regular expression"),
            ({"reject": {"Modality": {"match": "x"}}}, "unknown key 'match'"),
            ({"reject": {"Modality": []}}, "empty list"),
            ({"reject": {}}, "must be an object of attributes"),
            ({"reject": "all"}, "must be a condition"),
            ({"reject": "any", "keep": "any"}, "one of"),
            ({"rejects": "any"}, "unknown key"),
            ({"reject": {"ImageType[0]": "x"}}, "numbered from"),
            ({"reject": {"uids": "nowhere.txt"}}, "cannot read"),
        ]
        for rule, reason in wrong:
            with self.subTest(reason=reason):
                result = self.fails(2, "dpipe-filter", "--rules", self.rules(rule), self.dir)
                self.assertIn(reason, result.err)
                self.assertEqual(result.out, "")
        result = self.fails(2, "dpipe-filter", "--rules", self.rules({"reject": {"Modality": {"matches": "("}}}), self.dir)
        self.assertIn("line 1, column", result.err)
        self.assertIn("pixieveil", self.fails(2, "dpipe-filter", "--rules", "pixiveil", self.dir).err)
        self.fails(2, "dpipe-filter", self.dir)


class Words(FilterCase):
    def test_modalities(self):
        for modality in ("CT", "MR", "SR"):
            self.write(modality)
        self.write("OT", Modality="RTPLAN")
        self.assertEqual(self.kept("--modality", "CT,mr"), [1, 2])
        self.assertEqual(self.kept("--not-modality", "SR,RT*"), [1, 2])
        self.fails(2, "dpipe-filter", "--modality", "CT, MR", self.dir)

    def test_original_only(self):
        self.write(ImageType=["ORIGINAL", "PRIMARY"])
        self.write(ImageType=["DERIVED", "PRIMARY"])
        self.write("SR")
        self.assertEqual(self.kept("--original-only"), [1, 3])

    def test_uid_lists(self):
        self.write(SeriesNumber=1)
        series = tiny.uid("a series")
        self.write(SeriesInstanceUID=series)
        self.write(StudyInstanceUID=tiny.uid("other"))
        lines = self.scratch / "uids.txt"
        lines.write_text(f"# chosen by hand\n{series}  # the second\n\n{tiny.uid('other')}\n")
        self.assertEqual(self.kept("--uids", lines), [2, 3])
        self.assertEqual(self.kept("--not-uids", lines), [1])
        table = self.scratch / "uids.json"
        table.write_text(json.dumps({"studies": [tiny.uid("other")], "series": [], "instances": []}))
        self.assertEqual(self.kept("--uids", table), [3])
        self.assertEqual(self.kept("--rules", self.rules({"reject": {"uids": "uids.json"}})), [1, 2])
        lines.write_text("1.2\nno uid\n")
        self.assertIn("line 2", self.fails(2, "dpipe-filter", "--uids", lines, self.dir).err)


class ReadyMade(FilterCase):
    def reasons(self, name):
        result = dpipe.run("dpipe-filter", "--rules", name, "--list", "--json", self.dir)
        self.assertEqual(result.code, 0, result.err)
        return {int(pathlib.Path(r["path"]).stem): (r["fate"], r["reason"]) for r in records(result)}

    def test_pixieveil(self):
        self.write("CT")
        self.write("SR")
        self.write("OT", Modality="RTSTRUCT", ImageType=None)
        self.write("CT", ImageType=["DERIVED", "SECONDARY"])
        self.write("OT")
        self.write("CT", SeriesInstanceUID=None)
        self.assertEqual(self.reasons("pixieveil"), {
            2: ("rejected", "a modality that is left out"), 3: ("rejected", "a modality that is left out"),
            4: ("rejected", "not an original image"), 6: ("quarantined", "a UID is missing")})

    def test_pacsifier(self):
        self.write("CT")
        self.write("SR")
        self.write("OT", ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"])
        self.write("CT", ImageType=["DERIVED", "SECONDARY", "AXIAL"])
        self.write("MR", ImageType=["DERIVED", "SECONDARY", "AXIAL"])
        self.assertEqual(sorted(self.reasons("pacsifier")), [2, 3, 4])

    def test_dicom_pipeline(self):
        self.write("CT")
        self.write("MR", SeriesDescription="Patient Protocol")
        self.write("SR")
        self.write("MR", Modality="")
        self.write("MR", BurnedInAnnotation="YES")
        self.write("MR", ManufacturerModelName="The DICOM Box")
        self.write("CT", SeriesDescription="saved screens")
        self.write("CT", BurnedInAnnotation="Y")
        self.write("CT", ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"])
        self.write("CT", Manufacturer="PACSGEAR, Inc.")
        self.write("CT", Manufacturer="North American Imaging, Inc")
        self.write("CT", BurnedInAnnotation="NO", SeriesDescription="protocol")
        self.assertEqual(sorted(self.reasons("dicom-pipeline")), list(range(2, 12)))

    def test_receiver_and_ith(self):
        self.write("CT")
        self.write("CT", StudyInstanceUID="")
        self.write("MR", Modality="PT")
        self.write("MR")
        self.write("SR")
        self.write("OT")
        self.assertEqual(sorted(self.reasons("receiver")), [2])
        self.assertEqual(self.reasons("ith"), {
            2: ("quarantined", "a UID is missing"), 5: ("rejected", "neither CT, PT nor MR"),
            6: ("rejected", "neither CT, PT nor MR")})

    def test_identifiable(self):
        self.write("CT")
        self.write("OT", Modality="CT")
        self.write("OT", Modality="CT", BurnedInAnnotation="NO")
        self.write("SR")
        self.write("MR", ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"])
        self.assertEqual(sorted(self.reasons("identifiable")), [2, 4, 5])

    def test_each_can_be_printed_copied_and_used(self):
        self.write("CT")
        for name in ("pixieveil", "pacsifier", "dicom-pipeline", "receiver", "ith", "identifiable"):
            own = self.scratch / "own.json"
            own.write_bytes(self.succeeds("dpipe-filter", "--print-rules", name).raw)
            self.assertEqual(self.kept("--rules", own), [1])
        self.fails(2, "dpipe-filter", "--print-rules", "nothing")


class Results(FilterCase):
    def setUp(self):
        super().setUp()
        self.study = tiny.study(self.dir / "one", series=1, instances=2)
        self.scout = tiny.write(self.study / "2" / "1.dcm", SeriesNumber=2, SeriesDescription="scout")
        self.no_scouts = self.rules({"reject": {"SeriesDescription": "scout"}, "reason": "a scout"})
        self.out = self.scratch / "out"

    def tree(self, folder):
        return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())

    def test_files_are_named_where_they_stand(self):
        result = self.succeeds("dpipe-filter", "--rules", self.no_scouts, self.study)
        self.assertEqual(result.lines, [str(self.study / "1" / f"{i}.dcm") for i in (1, 2)])
        self.assertIn("kept 2, rejected 1 (a scout)", result.err)

    def test_list_names_the_others(self):
        result = self.succeeds("dpipe-filter", "--rules", self.no_scouts, "--list", self.study)
        self.assertEqual(result.lines, [str(self.scout)])

    def test_a_folder_comes_out_as_a_marked_study_folder(self):
        report = self.scratch / "report.jsonl"
        result = self.succeeds(
            "dpipe-filter", "--rules", self.no_scouts, "-o", self.out, "--reject", self.scratch / "no",
            "--report", report, "--json", self.dir)
        record, = records(result)
        self.assertEqual((record["path"], record["status"], record["instances"], record["StudyInstanceUID"]),
                         (str(self.out / "in" / "one"), "ok", 2, tiny.uid("study")))
        self.assertEqual(self.tree(self.out), ["in/one/" + tiny.MARKER, "in/one/1/1.dcm", "in/one/1/2.dcm"])
        self.assertEqual((self.out / "in/one/1/1.dcm").read_bytes(), (self.study / "1/1.dcm").read_bytes())
        self.assertEqual((self.scratch / "no/in/one/2/1.dcm").read_bytes(), self.scout.read_bytes())
        line, = map(json.loads, report.read_text().splitlines())
        self.assertEqual((line["path"], line["fate"], line["reason"]), (str(self.scout), "rejected", "a scout"))
        self.assertTrue(self.scout.exists())

    def test_again_skips_and_other_bytes_are_an_error(self):
        words = ("--rules", self.no_scouts, "-o", self.out, "--json", self.study)
        self.succeeds("dpipe-filter", *words)
        self.assertEqual(records(self.succeeds("dpipe-filter", *words))[0]["status"], "skipped")
        (self.out / "one/1/1.dcm").write_bytes(b"other")
        self.assertIn("differs", self.fails(3, "dpipe-filter", *words).err)
        self.succeeds("dpipe-filter", "--overwrite", *words)
        self.assertEqual((self.out / "one/1/1.dcm").read_bytes(), (self.study / "1/1.dcm").read_bytes())

    def test_links(self):
        words = ("--rules", self.no_scouts, "-o", self.out, "--link", "--json", self.study)
        self.succeeds("dpipe-filter", *words)
        self.assertTrue(os.path.samefile(self.out / "one/1/1.dcm", self.study / "1/1.dcm"))
        self.assertEqual(records(self.succeeds("dpipe-filter", *words))[0]["status"], "skipped")
        (self.out / "one/1/1.dcm").unlink()
        (self.out / "one/1/1.dcm").write_bytes(b"other")
        self.fails(3, "dpipe-filter", *words)
        self.succeeds("dpipe-filter", "--overwrite", *words)
        self.assertTrue(os.path.samefile(self.out / "one/1/1.dcm", self.study / "1/1.dcm"))

    def test_layout(self):
        self.succeeds("dpipe-filter", "--rules", self.no_scouts, "-o", self.out, "--layout", "uid", self.dir)
        study = tiny.uid("study")
        self.assertEqual(len(list((self.out / study).rglob("*.dcm"))), 2)
        self.assertTrue((self.out / study / tiny.MARKER).exists())

    def test_a_tree_of_others_is_not_taken_for_one_study(self):
        (self.study / tiny.MARKER).unlink()
        tiny.write(self.dir / "two" / "1.dcm", StudyInstanceUID=tiny.uid("other"))
        record, = records(self.succeeds("dpipe-filter", "--rules", self.no_scouts, "-o", self.out, "--json", self.dir))
        self.assertEqual(record["path"], str(self.out / "in"))
        self.assertNotIn("StudyInstanceUID", record)
        self.assertFalse(list(self.out.rglob(tiny.MARKER)))

    def test_two_inputs_of_one_name_do_not_mix(self):
        other = tiny.study(self.scratch / "elsewhere" / "one", StudyInstanceUID=tiny.uid("other"))
        result = self.fails(3, "dpipe-filter", "--rules", self.no_scouts, "-o", self.out, self.study, other)
        self.assertIn("use --layout", result.err)
        self.assertEqual(result.lines, [str(self.out / "one")])

    def test_results_inside_the_input_are_refused(self):
        self.assertIn("inside", self.fails(
            2, "dpipe-filter", "--rules", self.no_scouts, "-o", self.dir / "out", self.dir).err)
        self.fails(2, "dpipe-filter", "--rules", self.no_scouts, "--reject", self.dir / "no", self.dir)

    def test_dry_run_writes_nothing(self):
        record, = records(self.succeeds(
            "dpipe-filter", "-n", "--rules", self.no_scouts, "-o", self.out, "--report", self.scratch / "r", "--json",
            self.dir))
        self.assertEqual((record["path"], record["dry_run"]), (str(self.out / "in" / "one"), True))
        self.assertFalse(self.out.exists())
        self.assertFalse((self.scratch / "r").exists())

    def test_what_cannot_be_read_is_never_kept(self):
        (self.study / "1" / "1.dcm").write_bytes(self.scout.read_bytes()[:400])
        (self.study / "notes.txt").write_text("hello")
        result = self.fails(3, "dpipe-filter", "--rules", self.no_scouts, "-o", self.out, self.study)
        self.assertEqual(self.tree(self.out), ["one/" + tiny.MARKER, "one/1/2.dcm"])
        self.assertIn("failed 2", result.err)

    def test_quarantined_instances_are_named_and_end_in_3(self):
        rules = self.rules({"quarantine": {"SeriesDescription": "scout"}, "reason": "a scout"})
        result = dpipe.run("dpipe-filter", "--rules", rules, "--json", self.study)
        self.assertEqual(result.code, 3)
        self.assertIn(f"quarantined '{self.scout}': a scout", result.err)
        record = records(result)[-1]
        self.assertEqual((record["status"], record["reason"]), ("quarantined", "a scout"))
        plain = dpipe.run("dpipe-filter", "--rules", rules, self.study)
        self.assertNotIn(str(self.scout), plain.out)

    def test_no_value_is_ever_told(self):
        tiny.write(self.study / "3" / "1.dcm", SeriesNumber=3, PatientName="Secret^Name", SeriesDescription="Secret")
        rules = self.rules({"quarantine": {"PatientName": "secret*"}})
        result = dpipe.run(
            "dpipe-filter", "-v", "--rules", rules, "--json", "--report", self.scratch / "r", self.study)
        self.assertNotIn("ecret", result.out + result.err + (self.scratch / "r").read_text())
        self.assertEqual(result.code, 3)

    def test_a_dicomdir_is_no_instance(self):
        from pydicom.uid import UID
        ds = tiny.instance("OT")
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.1.3.10")
        ds.save_as(self.study / "DICOMDIR", write_like_original=False)
        result = self.succeeds("dpipe-filter", "--modality", "OT,CT", self.study)
        self.assertNotIn("DICOMDIR", result.out)

    def test_paths_from_stdin_and_files_as_they_come(self):
        paths = "".join(f"{p}\n" for p in sorted(self.study.rglob("*.dcm")))
        result = self.succeeds("dpipe-filter", "--rules", self.no_scouts, "-o", self.out, "-", stdin=paths)
        self.assertEqual(result.lines, [str(self.out / "1.dcm"), str(self.out / "2.dcm")])

    def test_a_full_disk(self):
        with small_disk.mounted(self.scratch / "disk", "1m") as disk:
            tiny.write(self.study / "1" / "3.dcm", InstanceNumber=3, ImageComments="x" * 2_000_000)
            result = self.fails(3, "dpipe-filter", "--rules", self.no_scouts, "-o", disk / "out", self.study)
            self.assertEqual(self.tree(disk), ["out/one/" + tiny.MARKER, "out/one/1/1.dcm", "out/one/1/2.dcm"])
            self.assertIn("space", result.err)


if __name__ == "__main__":
    dpipe.main()
