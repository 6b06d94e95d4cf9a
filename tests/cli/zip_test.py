"""dpipe-zip: one ZIP a study, the same bytes every time, whole or not at all."""

import json
import os
import random
import shutil
import time
import unittest
import zipfile
import zlib

import dpipe
import measured
import page
import small_disk
import tiny


def records(result):
    return [json.loads(line) for line in result.lines]


#: Reads every entry by the directory and as a stream; a wrong CRC is an exception.
JAVA = """
import java.util.*; import java.util.zip.*; import java.io.*;
class Check {
    public static void main(String[] words) throws Exception {
        try (ZipFile zip = new ZipFile(words[0])) {
            for (ZipEntry entry : Collections.list(zip.entries()))
                System.out.println(entry.getName() + " " + zip.getInputStream(entry).readAllBytes().length);
        }
        try (ZipInputStream stream = new ZipInputStream(new FileInputStream(words[0]))) {
            while (stream.getNextEntry() != null) stream.readAllBytes();
        }
    }
}
"""


class ZipCase(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.study = tiny.study(self.scratch / "in" / "a study", series=2, instances=2)
        self.out = self.scratch / "zips"
        self.zip = self.out / f"TINY_{tiny.uid('study')}.zip"

    def in_the_folder(self, folder):
        return sorted(p.name for p in folder.iterdir())


class Content(ZipCase):
    def test_holds_every_file_under_the_name_of_the_study_folder(self):
        self.assertEqual(self.succeeds("dpipe-zip", "-o", self.out, self.study).lines, [str(self.zip)])
        with zipfile.ZipFile(self.zip) as archive:
            self.assertIsNone(archive.testzip())
            self.assertEqual(
                archive.namelist(), [f"a study/{s}/{i}.dcm" for s in (1, 2) for i in (1, 2)])
            for info in archive.infolist():
                name = info.filename.removeprefix("a study/")
                self.assertEqual(archive.read(info), (self.study / name).read_bytes())
                self.assertEqual(info.date_time, (1980, 1, 1, 0, 0, 0))
                self.assertEqual(info.external_attr >> 16, 0o100644)
                self.assertEqual(info.compress_type, zipfile.ZIP_STORED)

    def test_compress_deflates(self):
        self.succeeds("dpipe-zip", "-o", self.out, "--compress", self.study)
        with zipfile.ZipFile(self.zip) as archive:
            self.assertIsNone(archive.testzip())
            self.assertEqual({i.compress_type for i in archive.infolist()}, {zipfile.ZIP_DEFLATED})
            self.assertEqual(archive.read("a study/1/1.dcm"), (self.study / "1" / "1.dcm").read_bytes())

    @dpipe.needs("unzip")
    def test_unzip_reads_it(self):
        self.succeeds("dpipe-zip", "-o", self.out, self.study)
        self.succeeds("unzip", "-tq", self.zip)

    def test_java_reads_it(self):
        if "jdk.compiler" not in (dpipe.run("java", "--list-modules").out if shutil.which("java") else ""):
            self.skipTest("no Java that runs a source file is installed")
        program = self.scratch / "Check.java"
        program.write_text(JAVA)
        for compress in ([], ["--compress"]):
            self.succeeds("dpipe-zip", "-o", self.out, "--overwrite", *compress, self.study)
            lines = self.succeeds("java", program, self.zip).lines
            self.assertEqual(lines, [f"a study/{p.relative_to(self.study)} {p.stat().st_size}"
                                     for p in sorted(self.study.rglob("*.dcm"))])

    def test_marker_and_hidden_files_stay_out_and_other_files_go_in(self):
        (self.study / "notes.txt").write_text("seen")
        (self.study / ".hidden").mkdir()
        (self.study / ".hidden" / "x.dcm").write_text("unseen")
        (self.study / "1" / ".part").write_text("unseen")
        record, = records(self.succeeds("dpipe-zip", "-o", self.out, "--json", self.study))
        self.assertEqual((record["instances"], record["files"]), (4, 5))
        with zipfile.ZipFile(self.zip) as archive:
            self.assertEqual(archive.namelist()[-1], "a study/notes.txt")
            self.assertFalse([n for n in archive.namelist() if "/." in n])

    def test_names_beyond_ascii_come_out_as_they_went_in(self):
        study = tiny.study(self.scratch / "Zürich 頭", instances=1)
        self.succeeds("dpipe-zip", "-o", self.out, study)
        with zipfile.ZipFile(self.zip) as archive:
            self.assertEqual(archive.namelist(), ["Zürich 頭/1/1.dcm"])

    def test_more_files_than_the_old_format_can_count(self):
        count = 66_000
        instance = self.study / "1" / "1.dcm"
        for i in range(count):
            if i % 30_000 == 0:  # ext4 allows 65,000 names a file
                shared = shutil.copy(instance, self.scratch / f"{i}.dcm")
            os.link(shared, self.study / "2" / f"{i:06}.dcm")
        self.succeeds("dpipe-zip", "-o", self.out, self.study)
        with zipfile.ZipFile(self.zip) as archive:
            self.assertEqual(len(archive.infolist()), count + 4)


class Parts(ZipCase):
    def setUp(self):
        super().setUp()
        self.study = tiny.study(self.scratch / "in" / "s", series=4, instances=3)
        (self.study / "0-notes.txt").write_text("a note")
        self.series = sum(f.stat().st_size for f in (self.study / "1").iterdir())

    def pack(self, most):
        result = self.succeeds("dpipe-zip", "-o", self.out, "--json", "--max-part", most, self.study)
        return records(result)

    def test_whole_series_and_every_file_once(self):
        parts = self.pack(2 * self.series + 100)
        self.assertEqual([(p["part"], p["parts"]) for p in parts], [(1, 2), (2, 2)])
        self.assertEqual([p["path"] for p in parts], [str(self.zip)[:-4] + f".part{i}of2.zip" for i in (1, 2)])
        self.assertEqual([p["instances"] for p in parts], [6, 6])
        names = []
        for part in parts:
            with zipfile.ZipFile(part["path"]) as archive:
                self.assertIsNone(archive.testzip())
                names.append(archive.namelist())
        self.assertEqual({n.split("/")[1] for n in names[0]}, {"0-notes.txt", "1", "2"})
        self.assertEqual({n.split("/")[1] for n in names[1]}, {"3", "4"})
        self.assertEqual(len(names[0] + names[1]), 13)
        self.assertEqual([p["status"] for p in self.pack(2 * self.series + 100)], ["skipped", "skipped"])

    def test_dry_run_says_what_it_would_make(self):
        result = self.succeeds("dpipe-zip", "-n", "-o", self.out, "--json", "--max-part", self.series, self.study)
        self.assertEqual([(r["part"], r["dry_run"]) for r in records(result)], [(i, True) for i in (1, 2, 3, 4)])
        self.assertFalse(self.out.exists())

    def test_a_series_that_is_larger_stands_alone(self):
        self.assertEqual([p["instances"] for p in self.pack(10)], [3, 3, 3, 3])

    def test_what_is_small_enough_is_one_zip(self):
        part, = self.pack("1G")
        self.assertEqual(part["path"], str(self.zip))
        self.assertNotIn("part", part)

    def test_a_series_is_known_by_its_uid_and_not_by_its_folder(self):
        for number in (2, 3, 4):
            for file in list((self.study / str(number)).iterdir()):
                file.rename(self.study / "1" / f"{number}-{file.name}")
        self.assertEqual([p["instances"] for p in self.pack(self.series + 100)], [3, 3, 3, 3])


class Threads(ZipCase):
    def setUp(self):
        super().setUp()
        # Of several blocks; ends at a block's end, just before and just behind it.
        chance = random.Random(1)
        block = 512 << 10
        for size in (3 * block + 7, block, block - 1, block + 1, 0):
            text = bytes(chance.choices(range(64), k=min(size, 1 << 16))) * (size // (1 << 16) + 1)
            (self.study / f"{size}.raw").write_bytes(text[:size])

    def test_the_bytes_do_not_depend_on_their_number(self):
        made = set()
        for jobs in (1, 2, 5):
            self.succeeds("dpipe-zip", "-o", self.out, "--overwrite", "--compress", "-j", jobs, self.study)
            made.add(self.zip.read_bytes())
        self.assertEqual(len(made), 1)

    @dpipe.needs("unzip")
    def test_blocks_make_one_file(self):
        self.succeeds("dpipe-zip", "-o", self.out, "--compress", self.study)
        self.succeeds("unzip", "-tq", self.zip)
        with zipfile.ZipFile(self.zip) as archive:
            for path in self.study.glob("*.raw"):
                self.assertEqual(archive.read(f"a study/{path.name}"), path.read_bytes())
            plain = zlib.compress((self.study / f"{3 * (512 << 10) + 7}.raw").read_bytes())
            self.assertLess(archive.getinfo(f"a study/{3 * (512 << 10) + 7}.raw").compress_size, 1.03 * len(plain))

    @unittest.skipIf(dpipe.SANITIZED, "memory is not what users will see")
    def test_memory_does_not_grow_with_the_file(self):
        with open(self.study / "large.raw", "wb") as file:
            file.truncate(400 << 20)
        for words in ([], ["--compress"]):
            code, peak = measured.run(dpipe.BIN / "dpipe-zip", "-q", "-o", self.out, "--overwrite", *words, self.study)
            self.assertEqual(code, 0)
            self.assertLess(peak, 32 << 20)


class Encrypted(ZipCase):
    def setUp(self):
        super().setUp()
        self.password = self.scratch / "password"
        self.password.write_text("a long one\n")
        self.password.chmod(0o600)

    @dpipe.needs("7zz")
    def test_7zip_reads_it_with_the_password_alone(self):
        for compress in ([], ["--compress"]):
            self.succeeds("dpipe-zip", "-o", self.out, "--overwrite", *compress, "--encrypt", self.password, self.study)
            listed = self.succeeds("7zz", "l", "-slt", self.zip).out
            self.assertEqual(listed.count("AES-256"), 4)
            self.succeeds("7zz", "x", "-pa long one", f"-o{self.scratch / 'back'}", "-y", self.zip)
            for path in self.study.rglob("*.dcm"):
                back = self.scratch / "back" / "a study" / path.relative_to(self.study)
                self.assertEqual(back.read_bytes(), path.read_bytes())
            self.assertNotEqual(dpipe.run("7zz", "t", "-pwrong", self.zip).code, 0)
            self.assertNotIn((self.study / "1" / "1.dcm").read_bytes()[-128:], self.zip.read_bytes())

    def test_the_same_study_is_skipped_and_another_is_not(self):
        words = ["dpipe-zip", "-o", self.out, "--json", self.study]
        env = {"DPIPE_ZIP_PASSWORD": "a long one"}
        self.succeeds(*words, env=env)
        first = self.zip.read_bytes()
        self.assertEqual(records(self.succeeds(*words, env=env))[0]["status"], "skipped")
        self.assertEqual(self.zip.read_bytes(), first)
        self.fails(3, *words, env={"DPIPE_ZIP_PASSWORD": "another"})
        self.fails(3, *words)
        tiny.write(self.study / "3" / "1.dcm", SeriesNumber=3)
        self.fails(3, *words, env=env)
        self.assertEqual(self.zip.read_bytes(), first)

    def test_the_password_is_never_in_a_word_or_a_message(self):
        self.assertIn("--encrypt", self.fails(2, "dpipe-zip", "-o", self.out, "--password", "x", self.study).err)
        result = self.succeeds("dpipe-zip", "-v", "-o", self.out, "--encrypt", self.password, self.study)
        self.assertNotIn("a long one", result.err)
        self.fails(2, "dpipe-zip", "-o", self.out, "--encrypt", self.scratch / "nowhere", self.study)


class SameBytes(ZipCase):
    def test_whatever_the_day_the_machine_and_the_order_of_writing(self):
        self.succeeds("dpipe-zip", "-o", self.out, self.study)
        other = self.scratch / "elsewhere" / "a study"
        for source in sorted(self.study.rglob("*.dcm"), reverse=True):
            target = other / source.relative_to(self.study)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            os.utime(target, (1e9, 1e9))
            target.chmod(0o600)
        for zone in ("UTC", "Pacific/Auckland", "XXX-13:45", "EST5EDT"):
            with self.subTest(zone):
                out = self.scratch / zone.replace("/", "_")
                self.succeeds("dpipe-zip", "-o", out, other, env={"TZ": zone, "LC_ALL": "C"})
                self.assertEqual((out / self.zip.name).read_bytes(), self.zip.read_bytes())

    def test_a_trailing_slash_or_a_dot_does_not_change_the_names_inside(self):
        self.succeeds("dpipe-zip", "-o", self.out, self.study)
        for word, folder in ((f"{self.study}/", None), (".", self.study), ("../a study/.", self.study)):
            with self.subTest(word):
                record, = records(self.succeeds("dpipe-zip", "-o", self.out, "--json", word, cwd=folder))
                self.assertEqual(record["status"], "skipped")


class Existing(ZipCase):
    def test_the_same_zip_is_skipped_and_not_touched(self):
        self.succeeds("dpipe-zip", "-o", self.out, self.study)
        before = self.zip.stat()
        record, = records(self.succeeds("dpipe-zip", "-o", self.out, "--json", "--overwrite", self.study))
        self.assertEqual(record["status"], "skipped")
        self.assertEqual(record["path"], str(self.zip))
        after = self.zip.stat()
        self.assertEqual((after.st_ino, after.st_mtime_ns), (before.st_ino, before.st_mtime_ns))

    def test_another_zip_is_kept_unless_it_may_be_replaced(self):
        self.out.mkdir()
        self.zip.write_bytes(b"mine")
        result = self.fails(3, "dpipe-zip", "-o", self.out, self.study)
        self.assertIn("--overwrite", result.err)
        self.assertEqual(result.out, "")
        self.assertEqual(self.zip.read_bytes(), b"mine")
        self.succeeds("dpipe-zip", "-o", self.out, "--overwrite", self.study)
        self.assertTrue(zipfile.is_zipfile(self.zip))
        self.assertEqual(self.in_the_folder(self.out), [self.zip.name])

    def test_two_studies_of_one_run_never_share_a_name(self):
        other = tiny.study(self.scratch / "other", StudyInstanceUID=tiny.uid("another"))
        result = self.fails(
            3, "dpipe-zip", "-o", self.out, "--overwrite", "--name", "{PatientID}.zip", self.study, other)
        self.assertEqual(result.lines, [str(self.out / "TINY.zip")])
        with zipfile.ZipFile(self.out / "TINY.zip") as archive:
            self.assertTrue(archive.namelist()[0].startswith("a study/"))

    def test_a_study_that_grew_may_come_again_in_the_same_run(self):
        words = f"{self.study}\n{self.study}\n"
        self.assertEqual(
            self.succeeds("dpipe-zip", "-o", self.out, "-", stdin=words).lines, [str(self.zip)] * 2)


class Names(ZipCase):
    def test_a_hostile_value_makes_no_path(self):
        study = tiny.study(self.scratch / "evil", instances=1, PatientID="../../x/y")
        line, = self.succeeds("dpipe-zip", "-o", self.out, "--name", "{PatientID}.zip", study).lines
        self.assertEqual(os.path.dirname(line), str(self.out))
        self.assertEqual(self.in_the_folder(self.out), [os.path.basename(line)])
        self.assertFalse((self.scratch.parent / "x").exists())

    def test_a_value_of_any_length_still_makes_a_zip(self):
        study = tiny.study(
            self.scratch / "long", instances=1, SpecificCharacterSet="ISO_IR 192", PatientID="頭" * 20)
        line, = self.succeeds("dpipe-zip", "-o", self.out, "--name", "{PatientID}" * 4 + ".zip", study).lines
        self.assertTrue(line.endswith("頭.zip"))

    def test_a_wrong_template_is_a_usage_error(self):
        for name in ("{PatientId}.zip", "{PatientID}.tar", "plain.zip", "/abs/{PatientID}.zip", "{PatientID"):
            with self.subTest(name):
                self.fails(2, "dpipe-zip", "-o", self.out, "--name", name, self.study)
                self.assertFalse(self.out.exists())


class Failures(ZipCase):
    def failed(self, folder):
        """The reason why this folder is not packed; a good one after it still is."""
        result = self.fails(3, "dpipe-zip", "-o", self.out, "--json", folder, self.study)
        bad, good = records(result)
        self.assertEqual((bad["status"], good["status"]), ("failed", "ok"))
        self.assertEqual(bad["path"], str(folder))
        self.assertEqual(self.in_the_folder(self.out), [self.zip.name])
        return bad["reason"]

    def test_an_empty_study(self):
        empty = self.scratch / "empty"
        empty.mkdir()
        (empty / tiny.MARKER).write_text("{}")
        self.assertIn("no DICOM instance", self.failed(empty))

    def test_no_instance_among_the_files(self):
        folder = self.scratch / "texts"
        folder.mkdir()
        (folder / "a.txt").write_text("a")
        self.assertIn("no DICOM instance", self.failed(folder))

    def test_several_studies_in_one_folder(self):
        folder = tiny.study(self.scratch / "two", instances=1)
        tiny.write(folder / "x.dcm", StudyInstanceUID=tiny.uid("another"))
        self.assertIn("several studies", self.failed(folder))

    def test_a_link_to_a_folder_is_not_passed_over_in_silence(self):
        folder = tiny.study(self.scratch / "linked", instances=1)
        (folder / "more").symlink_to(self.study)
        self.assertIn("link", self.failed(folder))

    def test_a_fifo_does_not_hang_it(self):
        folder = tiny.study(self.scratch / "fifo", instances=1)
        os.mkfifo(folder / "pipe")
        self.assertIn("neither a file nor a folder", self.failed(folder))

    def test_a_folder_that_is_not_there(self):
        self.assertIn("No such file", self.failed(self.scratch / "nowhere"))

    def test_no_value_of_the_data_set_is_in_a_message(self):
        folder = tiny.study(self.scratch / "two", instances=1, PatientName="Secret^Name")
        tiny.write(folder / "x.dcm", StudyInstanceUID=tiny.uid("another"), PatientName="Secret^Name")
        self.assertNotIn("Secret", self.fails(3, "dpipe-zip", "-o", self.out, "-v", folder).err)

    def test_a_failure_upstream_is_passed_on(self):
        lines = '{"path":"x","status":"quarantined","reason":"r"}\n' + json.dumps({"path": str(self.study)}) + "\n"
        result = dpipe.run("dpipe-zip", "-o", self.out, "--json", "-", stdin=lines)
        self.assertEqual(result.code, 3)
        self.assertEqual([r["status"] for r in records(result)], ["quarantined", "ok"])

    def test_no_out_folder_is_a_usage_error(self):
        self.fails(2, "dpipe-zip", self.study)


class Trouble(ZipCase):
    def setUp(self):
        super().setUp()
        pixels = {"Rows": 512, "Columns": 512, "PixelData": bytes(512 * 512 * 2)}
        one = tiny.write(self.study / "1" / "1.dcm", **pixels)
        for i in range(60):
            shutil.copy(one, self.study / "2" / f"{i:03}.dcm")

    def test_killed_at_any_instant_it_leaves_nothing_and_the_next_run_ends_the_same(self):
        self.succeeds("dpipe-zip", "-o", self.scratch / "undisturbed", self.study)
        expected = (self.scratch / "undisturbed" / self.zip.name).read_bytes()
        chance = random.Random(7)
        self.out.mkdir()
        for _ in range(25):
            process = dpipe.start("dpipe-zip", "-o", self.out, self.study, stdout=-3)
            time.sleep(chance.uniform(0, 0.06))
            process.kill()
            process.wait()
            left = self.in_the_folder(self.out)
            if left:
                self.assertEqual(left, [self.zip.name])
                self.assertEqual(self.zip.read_bytes(), expected)
                self.zip.unlink()
        self.succeeds("dpipe-zip", "-o", self.out, self.study)
        self.assertEqual(self.zip.read_bytes(), expected)

    def test_two_at_once_make_one_zip(self):
        both = [
            dpipe.start("dpipe-zip", "-o", self.out, "--json", self.study, stdout=-1) for _ in range(2)]
        states = sorted(json.loads(p.communicate()[0])["status"] for p in both)
        self.assertEqual([p.returncode for p in both], [0, 0])
        self.assertEqual(states, ["ok", "skipped"])
        self.assertEqual(self.in_the_folder(self.out), [self.zip.name])

    def test_a_full_disk_is_said_and_leaves_nothing(self):
        with small_disk.mounted(self.out, 8 << 20):
            result = self.fails(3, "dpipe-zip", "-o", self.out, self.study)
            self.assertIn("No space left", result.err)
            self.assertEqual(self.in_the_folder(self.out), [])

    def test_one_that_is_in_the_way_survives_a_full_disk(self):
        with small_disk.mounted(self.out, 8 << 20):
            self.zip.write_bytes(b"mine")
            self.fails(3, "dpipe-zip", "-o", self.out, "--overwrite", self.study)
            self.assertEqual(self.zip.read_bytes(), b"mine")


class Page(dpipe.TestCase):
    def test_the_page_has_the_options_of_the_command(self):
        page.check(self, "dpipe-zip")


if __name__ == "__main__":
    dpipe.main()
