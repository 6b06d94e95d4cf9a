"""PACSIFIER's own test cases in our form: its cohorts, its configuration, its archive and its tree."""

import json
import time

import dpipe
import tiny
from peers import Dcmqrscp, free_port

CONFIG = {"server_address": "127.0.0.1", "port": 4444, "server_AET": "QRSCP", "AET": "ME", "move_AET": "ME",
          "move_port": 4445, "batch_size": 30, "batch_wait_time": 0}


class PacsifierTest(dpipe.TestCase):
    def words(self, cohort, *words, **config):
        path, table = self.scratch / "config.json", self.scratch / "my query.csv"
        path.write_text(json.dumps({**CONFIG, **config}))
        table.write_text(cohort, encoding="utf-8-sig")
        return ("dpipe-query", "--config", path, "--queryfile", table, *words)

    def refused(self, cohort, *words, **config):
        return self.fails(2, *self.words(cohort, *words, **config)).err


class Checks(PacsifierTest):
    """test_pacsifier, test_commands, test_sanity_checks: what it refuses, before anything is asked."""

    def test_columns(self):
        self.assertIn("column 2: not a known column", self.refused("PatientID,NotAllowedAttribute\n1,2\n"))
        self.assertIn("PatientID is", self.refused("patientID\n1\n"))

    def test_values(self):
        for column, values in {
                "StudyDate": ["18930402x", "19934402", "19930472", "189304029", "1804029", "dakdjak",
                              "20150101-19934402", "dakdjak-20150101", "2015010120150102", "20150101--20150202"],
                "PatientBirthDate": ["19934402", "1804029", "dakdjak"], "AcquisitionDate": ["19930472"],
                "PatientID": ["*", "1" * 65], "ProtocolName": ["*", "x" * 65], "Modality": ["*"],
                "AccessionNumber": ["1" * 17], "SeriesNumber": ["1" * 13], "StudyInstanceUID": ["1." + "2" * 64],
                "SeriesInstanceUID": ["*"]}.items():
            for value in values:
                with self.subTest(column=column, value=value):
                    self.assertIn("row 2, column 1", self.refused(f"{column}\n{value}\n"))
        self.assertIn("row 3: the row asks for nothing", self.refused("PatientID,StudyDate\n1,\n,\n"))

    def test_configuration(self):
        for wrong in ({"port": 0}, {"port": 65536}, {"port": "x"}, {"move_port": 65536}, {"AET": ""}, {"AET": "A" * 17},
                      {"server_AET": "A" * 17}, {"move_AET": "A" * 17}, {"batch_size": "x"}, {"batch_wait_time": -1},
                      {"server_address": "128.132.185.16.1"}, {"server_address": "128.s132.185.16"},
                      {"server_address": "128.132..16"}, {"server_address": "128.132.1855.16"},
                      {"server_address": "California Dreaming"}):
            with self.subTest(wrong):
                self.refused("PatientID\n1\n", "--move", **wrong)
        self.fails(2, "dpipe-query", "--config", self.scratch / "none.json", "--queryfile", self.scratch / "none.csv")

    def test_modes_exclude_each_other(self):
        self.refused("PatientID\n1\n", "--save", "--move", "--out_directory", self.scratch / "out")
        self.fails(2, "dpipe-query", "--config", self.scratch / "config.json", "--save")

    def test_an_unreachable_archive(self):
        start = time.monotonic()
        self.fails(4, *self.words("PatientID\n1\n", "--save", "--out_directory", self.scratch / "out",
                                  port=free_port()))
        self.assertLess(time.monotonic() - start, 10)


@dpipe.needs("dcmqrscp")
@dpipe.needs("dcmsend")
class Retrieval(PacsifierTest):
    def archive(self, fill):
        self.move_port = free_port()
        archive = Dcmqrscp(self.scratch / "qr", move_port=self.move_port)
        self.addCleanup(archive.stop)
        fill(self.scratch / "src")
        archive.store(self.scratch / "src")
        self.out = self.scratch / "out"
        self.port = archive.port

    def save(self, cohort, *words):
        return self.succeeds(*self.words(cohort, "--save", "--out_directory", self.out, *words, port=self.port,
                                         move_port=self.move_port))

    def files(self):
        return sorted(p.relative_to(self.out).as_posix() for p in self.out.rglob("*")
                      if p.is_file() and not p.name.startswith("."))

    def test_one_series_of_128_slices(self):
        uids = [f"1.2.826.0.1.{n}" for n in range(128)]

        def fill(folder):
            for number, uid in enumerate(uids):
                tiny.write(folder / uid, "MR", PatientID="PACSMAN1", PatientName="PACSMAN", StudyDate="20231016",
                           StudyTime=None, SeriesNumber=None, SeriesDescription="pacsman_testing_dicom",
                           InstanceNumber=number, SOPInstanceUID=uid)
        self.archive(fill)
        cohort = "PatientID,Modality,StudyDate\nPACSMAN1,MR,20231016\n"
        self.save(cohort, "--info", "--report", self.scratch / "log.csv")
        folder = "sub-PACSMAN1/ses-20231016/00000-pacsman_testing_dicom"
        self.assertEqual(self.files(), sorted([f"{folder}/MR.{uid}" for uid in uids] + [f"{folder}.csv"]))
        self.assertIn(",128,0,128,0,0,0,uid", (self.scratch / "log.csv").read_text())

    def two_studies(self, folder):
        """The set-up of QPF1: four images of one patient in two studies."""
        for study, series, count in ((1, 1, 1), (1, 2, 1), (2, 1, 2)):
            for number in range(count):
                tiny.write(folder / f"{study}{series}{number}", "MR", PatientID="PACSMAN1", PatientName="PACSMAN",
                           StudyDate=f"2023101{study}", StudyInstanceUID=tiny.uid("qpf1", study), SeriesNumber=series,
                           InstanceNumber=number + 1, SeriesDescription="T1 MPRAGE sag" if series == 2 else "other",
                           AccessionNumber=f"A{study}")

    def test_what_it_brought_too_much_of(self):
        self.archive(self.two_studies)
        for number, (cohort, count) in enumerate([
                ("PatientID,StudyDate,SeriesNumber\nPACSMAN1,20231011,1\n", 1), ("PatientID\nNOBODY\n", 0),
                ("PatientName\n*KENOBI\n", 0), ("AccessionNumber\nXX\n", 0), ("StudyDate\n20231016\n", 0),
                ("AccessionNumber\nA2\n", 2), ("SeriesDescription\nT1 MPRAGE sag\n", 1),
                ("PatientID,StudyTime\nPACSMAN1,235959\n", 0)]):
            with self.subTest(cohort):
                self.out = self.scratch / f"out{number}"
                self.save(cohort)
                self.assertEqual(len(self.files()) if self.out.exists() else 0, count)

    def test_names_as_it_rewrites_them(self):
        self.archive(self.two_studies)
        self.save("PatientName\nThe Pacsman\n", "--name-mode", "pacsifier")
        self.assertEqual(len(self.files()), 4)


if __name__ == "__main__":
    dpipe.main()
