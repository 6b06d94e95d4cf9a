"""dpipe-query: exactly what a cohort asks for, from archives that we did not write and from a scripted one."""

import csv
import io
import json
import pathlib
import socket
import time

import dicom_bytes as made
import dpipe
import tiny
from peers import Dcmqrscp, Orthanc, free_port, needs_orthanc


def data_set(path):
    return made.split(pathlib.Path(path).read_bytes())[1]


def instances(folder):
    """{SOP Instance UID: path} of the files of a pacsifier tree."""
    files = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".") and p.suffix != ".csv"]
    return {p.name.split(".", 1)[1]: p for p in files}


class QueryTest(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.scratch / "raw"

    def cohort(self, text):
        path = self.scratch / "cohort.csv"
        path.write_text(text)
        return path

    def query(self, port, cohort, *words, aet="QRSCP", code=0, **how):
        words = ("--node", f"{aet}@127.0.0.1:{port}", "--aet", "ME", "--retry-delay", "0.05", *words)
        result = dpipe.run("dpipe-query", *words, self.cohort(cohort), **how)
        self.assertEqual(result.code, code, result.out + result.err)
        return result

    def save(self, port, cohort, *words, **how):
        return self.query(port, cohort, "--save", "-o", self.out, *words, **how)

    def records(self, result):
        return [json.loads(line) for line in result.lines]

    def fill(self, folder):
        """Two patients, three studies, five series of three instances."""
        studies = [("P1", "Doe^Jane", "20240102", "CT", 2), ("P1", "Doe^Jane", "20240301", "MR", 2),
                   ("P2", "Roe^Max", "20240301", "CT", 1)]
        for number, (patient, name, date, modality, series) in enumerate(studies):
            for s in range(1, series + 1):
                for i in range(1, 4):
                    tiny.write(
                        folder / f"{number}" / f"{s}" / f"{i}", modality, PatientID=patient, PatientName=name,
                        StudyDate=date, StudyInstanceUID=tiny.uid("study", number), SeriesNumber=s,
                        InstanceNumber=i, SeriesDescription=f"part {s}", AccessionNumber=f"A{number}",
                        StudyDescription=f"visit {number}", ProtocolName=f"BEAT_{s}")
        return folder

    def series_of(self, result):
        return {(r["StudyInstanceUID"], r["SeriesInstanceUID"]) for r in self.records(result)}


class Cohorts(QueryTest):
    """No node is needed: what is wrong with a cohort is found before."""

    def refused(self, cohort, *words):
        return self.query(1, cohort, *words, code=2).err

    def test_every_problem_of_the_file_is_told_by_row_and_column(self):
        err = self.refused("StudyDate,PatientID,patientID\n20240231,1,x\n20240101,*,\n,,\n")
        self.assertIn("column 3: not a known column: PatientID is", err)
        self.assertIn("row 2, column 1 'StudyDate': neither YYYYMMDD nor a range", err)
        self.assertIn("row 3, column 2 'PatientID': '*' alone", err)
        self.assertIn("row 4: the row asks for nothing", err)

    def test_no_value_is_in_a_message(self):
        self.assertNotIn("SECRET", self.refused("StudyDate,PatientID\nSECRET," + "SECRET" * 12 + "\n"))
        self.assertNotIn("SECRET", self.refused("20240101,SECRET\n20240102,SECRET\n"))  # no header line

    def test_keys_that_cannot_be(self):
        for column, value in [
                ("StudyDate", "20151301"), ("StudyDate", "20160101-20150101"), ("StudyDate", "2015*"),
                ("StudyTime", "2500"), ("SeriesInstanceUID", "1.2.x"), ("SeriesNumber", "a"),
                ("PatientID", "**"), ("PatientID", "*?"), ("AccessionNumber", "1" * 17),
                ("StudyDate", "-"), ("PatientID", "a\\\\b")]:
            with self.subTest(column=column, value=value):
                self.refused(f"{column}\n{value}\n")

    def test_a_wrong_command_line(self):
        self.refused("PatientID\n1\n", "--save")
        self.refused("PatientID\n1\n", "-o", self.out)
        self.assertFalse(self.out.exists())
        self.fails(2, "dpipe-query", "--node", "A@b:1")
        self.refused("BodyPartExamined\nHEAD\n")

    def test_a_name_that_the_character_set_does_not_have(self):
        self.assertIn("row 2: PatientName holds characters",
                      self.refused("PatientName\nЖук\n", "--character-set", "ISO_IR 100"))

    def test_an_unreachable_node_is_exit_4(self):
        start = time.monotonic()
        result = self.query(free_port(), "PatientID\n1\n", "--json", code=4)
        self.assertLess(time.monotonic() - start, 5)
        self.assertEqual([(r["status"], r["row"]) for r in self.records(result)], [("failed", 2)])

    def test_a_silent_node_is_exit_4_within_the_timeout(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            start = time.monotonic()
            self.query(silent.getsockname()[1], "PatientID\n1\n", "--timeout", "1", code=4)
            self.assertLess(time.monotonic() - start, 5)


@dpipe.needs("dcmqrscp")
@dpipe.needs("dcmsend")
class FromDcmqrscp(QueryTest):
    """It ignores keys of the study at series level, and knows neither SeriesDescription nor ProtocolName."""

    def archive(self, **how):
        archive = Dcmqrscp(self.scratch / "qr", **how)
        self.addCleanup(archive.stop)
        self.source = self.fill(self.scratch / "src")
        archive.store(self.source)
        return archive

    def check_saved(self, expected):
        """What stands below `out` is what these folders of the source hold, byte for byte."""
        there = instances(self.out)
        source = [p for folder in expected for p in (self.source / folder).iterdir()]
        self.assertEqual(len(there), len(source))
        for path in source:
            mine = next(p for p in there.values() if data_set(p) == data_set(path))
            self.assertTrue(mine.is_file())

    def test_one_series_out_of_several(self):
        port = self.archive().port
        result = self.save(port, "PatientID,StudyDate,Modality,SeriesNumber\nP1,20240301,MR,2\n")
        self.assertEqual(result.lines, [str(self.out / "sub-P1/ses-20240301030405/00002-part_2")])
        self.check_saved(["1/2"])
        self.assertEqual(len(list(self.out.glob("sub-P1/ses-20240301030405/00002-part_2/MR.*"))), 3)

    def test_by_move_to_ourselves(self):
        move_port = free_port()
        port = self.archive(move_port=move_port).port
        words = ("--move-port", move_port, "--bind", "127.0.0.1")
        self.save(port, "PatientID,SeriesDescription\nP1,part 2\n", *words)
        self.check_saved(["0/2", "1/2"])
        again = self.records(self.save(port, "PatientID,SeriesNumber\nP1,2\n", "--json", *words))
        self.assertEqual([(r["status"], r["received"]) for r in again], [("skipped", 0)] * 2)

    def test_the_configuration_of_pacsifier(self):
        move_port = free_port()
        archive = self.archive(move_port=move_port)
        config = self.scratch / "config.json"
        config.write_text(json.dumps({
            "server_address": "127.0.0.1", "port": archive.port, "server_AET": "QRSCP", "AET": "ME",
            "move_AET": "ME", "move_port": move_port, "batch_size": 1, "batch_wait_time": 1}))
        start = time.monotonic()
        self.succeeds("dpipe-query", "--save", "--info", "--queryfile", self.cohort("PatientID,Modality\nP1,MR\n"),
                      "--config", config, "--out_directory", self.out)
        self.assertGreater(time.monotonic() - start, 1)
        self.check_saved(["1/1", "1/2"])

    def test_rare_classes_that_the_node_does_not_name(self):
        archive = Dcmqrscp(self.scratch / "qr")
        self.addCleanup(archive.stop)
        for number, end in enumerate(["66", "30", "91.1", "11.8", "200.2"]):
            tiny.write(self.scratch / "rare" / end, "OT", PatientID="R", SeriesNumber=number, Modality="OT",
                       SOPClassUID=f"1.2.840.10008.5.1.4.1.1.{end}")
        archive.store(self.scratch / "rare")
        result = self.save(archive.port, "PatientID\nR\n", "--json")
        self.assertGreaterEqual(len(result.lines), 3)
        self.assertEqual({r["status"] for r in self.records(result)}, {"ok"})

    def test_what_the_node_does_not_tell_is_read_out_of_the_data_sets(self):
        port = self.archive().port
        self.save(port, "PatientID,SeriesDescription\nP1,part 2\n")
        self.check_saved(["0/2", "1/2"])
        self.assertEqual(self.save(port, "PatientID,ProtocolName\nP2,BEAT*\n").lines,
                         [str(self.out / "sub-P2/ses-20240301030405/00001-part_1")])

    def test_a_listing_says_what_the_node_left_open(self):
        result = self.query(self.archive().port, "PatientID,SeriesDescription\nP2,none\n", "--json")
        self.assertEqual([r["unconfirmed"] for r in self.records(result)], ["SeriesDescription"])
        self.assertIn("it may list too much", result.err)

    def test_rows_dates_and_wildcards(self):
        port = self.archive().port
        cohort = "StudyDate,PatientID,PatientName,AccessionNumber\n20240101-20240228,,,\n,,Roe*,\n,P9,,\n,,,A1\n"
        result = self.query(port, cohort, "--json")
        found = [(r["row"], r["StudyInstanceUID"]) for r in self.records(result)]
        study = [str(tiny.uid("study", n)) for n in range(3)]
        self.assertEqual(sorted(found), sorted(
            [(2, study[0]), (2, study[0]), (3, study[2]), (5, study[1]), (5, study[1])]))
        self.assertIn("row 4: nothing matches", result.err)
        self.assertFalse(self.out.exists())

    def test_the_table_is_csv(self):
        result = self.query(self.archive().port, "PatientID\nP2\n")
        table = list(csv.DictReader(io.StringIO(result.raw.decode())))
        self.assertEqual([(r["row"], r["PatientID"], r["PatientName"], r["Modality"]) for r in table],
                         [("2", "P2", "Roe^Max", "CT")])

    def test_a_second_run_asks_for_nothing_and_a_lost_file_for_itself(self):
        archive = self.archive()
        cohort = "PatientID\nP1\n"
        first = self.records(self.save(archive.port, cohort, "--json"))
        self.assertEqual([(r["status"], r["received"], r["missing"]) for r in first], [("ok", 3, 0)] * 4)
        again = self.records(self.save(archive.port, cohort, "--json"))
        self.assertEqual([(r["status"], r["received"], r["present"]) for r in again], [("skipped", 0, 3)] * 4)
        sorted(instances(self.out).values())[0].unlink()
        third = self.records(self.save(archive.port, cohort, "--json"))
        self.assertEqual(sorted(r["received"] for r in third), [0, 0, 0, 1])
        (self.out / ".dpipe-query.db").unlink()  # without the journal what is there is found to be the same
        self.save(archive.port, cohort)
        self.assertEqual(len(instances(self.out)), 12)

    def test_info_files(self):
        port = self.archive().port
        self.save(port, "PatientID,StudyDate\nP1,20240102\n", "--info")
        name = self.out / "sub-P1/ses-20240102030405/00001-part_1.csv"
        with name.open(newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([(r["PatientName"], r["StudyDate"], r["NumberOfSeriesRelatedInstances"]) for r in rows],
                         [("Doe^Jane", "20240102", "3")])
        self.query(port, "PatientID\nP2\n", "--info", "-o", self.scratch / "info")
        self.assertEqual(len(list((self.scratch / "info").rglob("*.csv"))), 1)

    def test_no_identity_in_messages(self):
        result = self.save(self.archive().port, "PatientID,PatientName\nP1,Doe*\n", "--log-level", "debug")
        for word in ("Doe", "Jane", "P1\n", "'P1'"):
            self.assertNotIn(word, result.err)


@needs_orthanc
class FromOrthanc(QueryTest):
    def test_one_series_out_of_several_and_again(self):
        source = self.fill(self.scratch / "src")
        move_port = free_port()
        with Orthanc(self.scratch / "orthanc", {"me": ["ME", "127.0.0.1", move_port]}, DicomAlwaysAllowFind=True,
                     DicomAlwaysAllowGet=True, DicomAlwaysAllowMove=True) as orthanc:
            for path in source.rglob("*"):
                if path.is_file():
                    orthanc.rest("/instances", path.read_bytes())
            cohort = "PatientName,SeriesDescription\nDOE^JANE,part 2\n"
            first = self.records(self.save(orthanc.port, cohort, "--json", aet="ORTHANC"))
            self.assertEqual([(r["status"], r["received"], r["verified"]) for r in first], [("ok", 3, "uid")] * 2)
            again = self.records(self.save(orthanc.port, cohort, "--json", aet="ORTHANC"))
            self.assertEqual([(r["status"], r["received"]) for r in again], [("skipped", 0)] * 2)
            self.query(orthanc.port, "PatientID\nP2\n", "--save", "-o", self.scratch / "moved", "--move-port",
                       move_port, "--bind", "127.0.0.1", aet="ORTHANC")
            images = "PatientID,ImageType\nP2,DERIVED*\nP2,*PRIMARY*\n"
            result = self.query(
                orthanc.port, images, "--save", "-o", self.scratch / "images", "--json", aet="ORTHANC")
            self.assertEqual([(r["row"], r["received"]) for r in self.records(result)], [(3, 3)])
        there = instances(self.out)
        self.assertEqual(len(there), 6)
        self.assertEqual(len(instances(self.scratch / "moved")), 3)
        wanted = [p for s in ("0/2", "1/2") for p in (source / s).iterdir()]
        self.assertEqual(sorted(map(data_set, there.values())), sorted(map(data_set, wanted)))


if __name__ == "__main__":
    dpipe.main()
