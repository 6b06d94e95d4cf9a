"""Encrypted Attributes (PS3.15 §E.1.2), both ways, against programs that we did not write: gdcmanon, openssl."""

import pathlib
import shutil
import subprocess
import tempfile

import pydicom
import same
import tiny
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

import dpipe

EXPLICIT = "1.2.840.10008.1.2.1"
PERSON = {"PatientName": "Smithson^Jane", "PatientID": "MRN-4711", "PatientBirthDate": "19800203",
          "StudyDescription": "head of Jane", "SpecificCharacterSet": "ISO_IR 192"}
#: What PS3.15 §E.1.2-03 leaves on an instance that was given its identity back.
SAYS_IDENTITY_IS_THERE = ["00120062"]
#: What gdcmanon leaves of the marks: it takes (0012,0062) and (0012,0063) away and knows no others.
GDCMANON_LEAVES = ["00120064", "00280303"]


def certificate(folder, name, key=("rsa:2048",)):
    words = ["openssl", "req", "-x509", "-newkey", *key, "-nodes", "-subj", f"/CN={name}", "-days", "30",
             "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"]
    subprocess.run(words, check=True, capture_output=True)
    (folder / f"{name}.key").chmod(0o600)


def expired_certificate(folder):
    """Self-signed, of the year 2020: only `openssl ca` takes dates."""
    (folder / "index").touch()
    (folder / "serial").write_text("01\n")
    (folder / "ca.conf").write_text(
        "[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=any\n"
        "[any]\ncommonName=supplied\n[req]\ndistinguished_name=name\n[name]\n")
    for words in (["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=expired", "-keyout", "expired.key",
                   "-out", "expired.csr", "-config", "ca.conf"],
                  ["ca", "-batch", "-config", "ca.conf", "-selfsign", "-keyfile", "expired.key", "-in", "expired.csr",
                   "-out", "expired.pem", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z"]):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)
    (folder / "expired.key").chmod(0o600)


def openssl_decrypt(blob, key):
    """The plain text, as openssl opens it; None where it does not."""
    done = subprocess.run(
        ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", key], input=blob, capture_output=True,
        check=False)
    return done.stdout if done.returncode == 0 else None


def openssl_seal(plain, *words):
    return subprocess.run(
        ["openssl", "cms", "-encrypt", "-binary", "-outform", "DER", *words], input=plain, capture_output=True,
        check=True).stdout


def explicit(data_set):
    """The bytes of a data set, explicit VR little endian, as pydicom writes them."""
    file = pydicom.filebase.DicomBytesIO()
    file.is_little_endian, file.is_implicit_VR = True, False
    pydicom.filewriter.write_dataset(file, data_set)
    return file.getvalue()


def sealed_by_hand(ds, blob):
    """Puts a message into an instance as the only item of (0400,0500)."""
    item = Dataset()
    item.EncryptedContentTransferSyntaxUID = EXPLICIT
    item.EncryptedContent = blob + b"\0" * (len(blob) % 2)
    ds.EncryptedAttributesSequence = Sequence([item])


@dpipe.needs("openssl")
class CmsTest(dpipe.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keys = pathlib.Path(tempfile.mkdtemp(prefix="dpipe-keys-"))
        for name in ("ours", "second", "stranger"):
            certificate(cls.keys, name)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.keys)

    def setUp(self):
        super().setUp()
        self.key, self.certificate = self.keys / "ours.key", self.keys / "ours.pem"
        self.new_map("link")

    def new_map(self, name):
        self.succeeds("dpipe-map", "init", "-m", self.scratch / f"{name}.db")

    def anonymize(self, source, *words, name="link", recipients=("ours",)):
        to = [word for recipient in recipients for word in ("--encrypt-to", self.keys / f"{recipient}.pem")]
        return pathlib.Path(self.succeeds(
            "dpipe-anon", "-m", self.scratch / f"{name}.db", "-o", self.scratch / f"out-{name}", *to, *words,
            source).lines[0])

    def source(self, **attributes):
        return tiny.write(self.scratch / "x.dcm", "CT", **{**PERSON, **attributes})

    def restore(self, path, key=None, level="full", *words):
        return pathlib.Path(self.succeeds(
            "dpipe-restore", "--cms-key", key or self.key, "--level", level, "-o", self.scratch / "back", "--overwrite",
            *words, path).lines[0])

    def refuses_to_restore(self, path, *words, key=None):
        back = self.scratch / "refused"
        result = self.fails(3, "dpipe-restore", "--cms-key", key or self.key, "-o", back, *words, path)
        self.assertEqual(list(back.rglob("*")) if back.exists() else [], [])
        return result.err

    def assert_restored(self, restored, original, differing=SAYS_IDENTITY_IS_THERE):
        self.assertEqual(same.top_level(same.difference(restored, original)), sorted(differing))

    @staticmethod
    def items(path):
        return pydicom.dcmread(path).EncryptedAttributesSequence

    def blob(self, path, item=0):
        return bytes(self.items(path)[item].EncryptedContent)

    def with_blob(self, path, change):
        """A copy of the instance whose sealed message went through `change`."""
        ds = pydicom.dcmread(path)
        item = ds.EncryptedAttributesSequence[0]
        item.EncryptedContent = change(bytes(item.EncryptedContent))
        copy = self.scratch / "changed.dcm"
        ds.save_as(copy)
        return copy


@dpipe.needs("gdcmanon")
class Gdcmanon(CmsTest):
    def decrypt(self, path, name="ours"):
        back = self.scratch / "gdcm.dcm"
        done = subprocess.run(
            ["gdcmanon", "-d", "-k", self.keys / f"{name}.key", "-c", self.keys / f"{name}.pem", "-i", path, "-o",
             back], capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return back

    def test_01_it_opens_what_we_seal(self):
        source = self.source()
        self.assert_restored(self.decrypt(self.anonymize(source)), source, GDCMANON_LEAVES)

    def test_01_also_under_oaep_and_gcm(self):
        source = self.source()
        for word in ("--cms-oaep", "--cms-gcm"):
            with self.subTest(word):
                self.assert_restored(
                    self.decrypt(self.anonymize(source, word, "--overwrite")), source, GDCMANON_LEAVES)

    def test_02_we_open_what_it_seals(self):
        source = self.source()
        for word in ("--aes256", "--aes192", "--aes128", "--des3"):
            with self.subTest(word):
                sealed = self.scratch / "by-gdcm.dcm"
                subprocess.run(
                    ["gdcmanon", "-e", word, "-c", self.certificate, "-i", source, "-o", sealed], check=True,
                    capture_output=True)
                self.assertNotIn(b"Smithson", sealed.read_bytes())
                self.assert_restored(self.restore(sealed), source)

    def test_05_it_opens_a_message_of_two_as_either(self):
        source = self.source()
        path = self.anonymize(source, recipients=("ours", "second"))
        for name in ("ours", "second"):
            self.assert_restored(self.decrypt(path, name), source, GDCMANON_LEAVES)

    def test_08_it_gives_back_what_is_nested_and_private(self):
        source = rich(self.scratch / "rich.dcm")
        back = pydicom.dcmread(self.decrypt(self.anonymize(source)))
        original = pydicom.dcmread(source)
        self.assertEqual(back.PatientName, original.PatientName)
        self.assertEqual(back.RequestAttributesSequence, original.RequestAttributesSequence)
        self.assertEqual(back[0x00091001].value, original[0x00091001].value)


def rich(path):
    """Names in two alphabets, identity two levels deep, private elements."""
    ds = tiny.instance("CT", **{**PERSON, "SpecificCharacterSet": ["", "ISO 2022 IR 87"],
                                "PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう"})
    inner = Dataset()
    inner.PatientID = "MRN-4711"
    inner.ReferencedSOPInstanceUID = tiny.uid("other")
    middle = Dataset()
    middle.ScheduledProcedureStepDescription = "CT for 山田"
    middle.ScheduledProtocolCodeSequence = Sequence([inner])
    ds.RequestAttributesSequence = Sequence([middle, Dataset()])
    block = ds.private_block(0x0009, "ACME", create=True)
    block.add_new(1, "LO", "private of Yamada")
    deep = Dataset()
    deep.PatientName = "Yamada^Tarou"
    block.add_new(2, "SQ", Sequence([deep]))
    ds.save_as(path, write_like_original=False)
    return path


class Openssl(CmsTest):
    def test_03_it_opens_what_we_seal_and_finds_what_the_standard_says(self):
        path = self.anonymize(self.source())
        self.assertEqual(self.items(path)[0].EncryptedContentTransferSyntaxUID, EXPLICIT)
        plain = openssl_decrypt(self.blob(path), self.key)
        ds = pydicom.filereader.read_dataset(pydicom.filebase.DicomBytesIO(plain), False, True)
        self.assertEqual([element.keyword for element in ds], ["ModifiedAttributesSequence"])
        self.assertEqual(len(ds.ModifiedAttributesSequence), 1)
        item = ds.ModifiedAttributesSequence[0]
        self.assertEqual((item.PatientName, item.PatientID), ("Smithson^Jane", "MRN-4711"))
        self.assertEqual(item.SOPInstanceUID, pydicom.dcmread(self.scratch / "x.dcm").SOPInstanceUID)
        self.assertEqual(item.SpecificCharacterSet, "ISO_IR 192")
        self.assertEqual(explicit(ds), plain)  # to the byte what pydicom would write of it

    def test_03_the_message_is_as_the_standard_names_it(self):
        shown = subprocess.run(
            ["openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER"],
            input=self.blob(self.anonymize(self.source())), capture_output=True, check=True).stdout.decode()
        for word in ("pkcs7-envelopedData", "rsaEncryption", "aes-256-cbc", "issuerAndSerialNumber"):
            self.assertIn(word, shown)

    def openssl_made(self, *words, certificates=("ours",), plain=None):
        """Source and the instance made of it, its originals sealed by openssl."""
        source = self.source()
        ds = pydicom.dcmread(source)
        taken = Dataset()
        for keyword in ("SpecificCharacterSet", "SOPInstanceUID", "PatientName", "PatientID", "PatientBirthDate"):
            taken[keyword] = ds[keyword]
        content = Dataset()
        content.ModifiedAttributesSequence = Sequence([taken])
        blob = openssl_seal(
            explicit(content) if plain is None else plain, *words,
            *[self.keys / f"{name}.pem" for name in certificates])
        ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientIdentityRemoved = "X", "X", "", "YES"
        sealed_by_hand(ds, blob)
        path = self.scratch / "by-openssl.dcm"
        ds.save_as(path)
        return source, path

    def test_04_we_open_what_it_seals(self):
        for words in (["-aes256"], ["-aes192"], ["-aes128"], ["-des3"], ["-aes256", "-keyid"], ["-aes-256-gcm"],
                      ["-aes256", "-stream"]):
            with self.subTest(words):
                source, path = self.openssl_made(*words)
                self.assert_restored(self.restore(path), source)

    def test_04_content_in_implicit_vr_as_some_write_it(self):
        ds = Dataset()
        item = Dataset()
        item.SOPInstanceUID = tiny.uid("original")
        item.PatientID = "MRN-4711"
        ds.ModifiedAttributesSequence = Sequence([item])
        file = pydicom.filebase.DicomBytesIO()
        file.is_little_endian, file.is_implicit_VR = True, True
        pydicom.filewriter.write_dataset(file, ds)
        _, path = self.openssl_made("-aes256", plain=file.getvalue())
        self.assertEqual(pydicom.dcmread(self.restore(path)).PatientID, "MRN-4711")

    def test_04_what_is_no_modified_attributes_sequence_is_refused(self):
        two = Dataset()
        two.ModifiedAttributesSequence = Sequence([Dataset(), Dataset()])
        beside = Dataset()
        beside.PatientName = "Smithson^Jane"
        beside.ModifiedAttributesSequence = Sequence([Dataset()])
        for name, plain in {"two items": explicit(two), "something beside": explicit(beside), "noise": bytes(range(64)),
                            "nothing": b""}.items():
            with self.subTest(name):
                _, path = self.openssl_made("-aes256", plain=plain)
                self.refuses_to_restore(path, "--level", "full")

    def test_05_each_of_two_opens_it_alone(self):
        source = self.source()
        path = self.anonymize(source, recipients=("ours", "second"))
        self.assertEqual(len(self.items(path)), 1)
        for name in ("ours", "second"):
            self.assertIsNotNone(openssl_decrypt(self.blob(path), self.keys / f"{name}.key"))
            self.assert_restored(self.restore(path, self.keys / f"{name}.key"), source)
            self.assert_restored(
                self.restore(path, self.keys / f"{name}.key", "full", "--cms-cert", self.keys / f"{name}.pem"), source)

    def test_06_a_stranger_s_key_opens_nothing(self):
        path = self.anonymize(self.source(), recipients=("ours", "second"))
        self.assertIn("does not open", self.refuses_to_restore(path, key=self.keys / "stranger.key"))
        # One wrong key in 256 gives bytes that are padded by chance: they tell nothing.
        opened = openssl_decrypt(self.blob(path), self.keys / "stranger.key") or b""
        for value in (b"MRN-4711", b"Smithson", b"19800203"):
            self.assertNotIn(value, opened)

    def test_07_one_flipped_byte_anywhere_is_refused(self):
        path = self.anonymize(self.source())
        size = len(self.blob(path)) - 1
        for at in sorted({0, 1, size // 4, size // 3, size // 2, size * 3 // 4, size - 20, size - 1}):
            for bit in (1, 0x80):
                with self.subTest(at=at, bit=bit):
                    changed = self.with_blob(path, lambda b, at=at, bit=bit: b[:at] + bytes([b[at] ^ bit]) + b[at + 1:])
                    self.assertIn("tampered", self.refuses_to_restore(changed, "--level", "full"))

    def test_07_gcm_needs_no_digest_beside_it(self):
        path = self.anonymize(self.source(), "--cms-gcm")
        ds = pydicom.dcmread(path)
        del ds.EncryptedAttributesSequence[0][0x04011001]
        blob = ds.EncryptedAttributesSequence[0].EncryptedContent
        at = len(blob) * 3 // 4
        ds.EncryptedAttributesSequence[0].EncryptedContent = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1:]
        ds.save_as(self.scratch / "changed.dcm")
        self.refuses_to_restore(self.scratch / "changed.dcm")


class Ours(CmsTest):
    def test_08_nested_in_two_alphabets_and_private_comes_back_to_the_byte(self):
        source = rich(self.scratch / "rich.dcm")
        path = self.anonymize(source)
        raw = path.read_bytes()
        for secret in (b"Yamada", b"MRN-4711", "山田".encode("iso2022_jp")[3:7]):
            self.assertNotIn(secret, raw)
        self.assert_restored(self.restore(path), source)

    def test_09_a_second_layer_loses_nothing_of_the_first(self):
        source = self.source()
        first = self.anonymize(source)
        self.new_map("other")
        second = self.anonymize(first, name="other", recipients=("second",))
        self.assertEqual(len(self.items(second)), 2)
        self.assertEqual(self.blob(second, 1), self.blob(first))  # the newest is item 1
        inner = pydicom.dcmread(self.restore(second, self.keys / "second.key"))
        self.assertEqual(inner.PatientID, pydicom.dcmread(first).PatientID)
        self.assertEqual(inner.SOPInstanceUID, pydicom.dcmread(first).SOPInstanceUID)
        self.assertEqual(len(inner.EncryptedAttributesSequence), 1)
        outer = self.restore(second)
        self.assert_restored(outer, source, [*SAYS_IDENTITY_IS_THERE, "04000500"])
        # And one after the other.
        self.assert_restored(self.restore(self.restore(second, self.keys / "second.key")), source)

    def test_10_a_message_of_more_than_64_kib(self):
        ds = tiny.instance("CT", **PERSON)
        block = ds.private_block(0x0009, "ACME", create=True)
        for number in range(20):
            block.add_new(number, "LT", f"{number} of Jane " * 500)
        source = self.scratch / "long.dcm"
        ds.save_as(source, write_like_original=False)
        path = self.anonymize(source)
        self.assertGreater(len(self.blob(path)), 1 << 16)
        self.assert_restored(self.restore(path), source)

    def test_11_messages_of_odd_length_are_padded_and_open(self):
        odd = set()
        for length in range(1, 40, 4):
            source = self.source(InstitutionName="x" * length)
            path = self.anonymize(source, "--overwrite")
            blob = self.blob(path)
            self.assertEqual(len(blob) % 2, 0)
            self.assert_restored(self.restore(path), source)
            size = 4 + int.from_bytes(blob[2:4], "big")  # of the DER's outermost SEQUENCE
            self.assertIn(len(blob) - size, (0, 1))
            odd.add(size % 2)
        source = self.source()
        # CBC works in blocks of 16, so a longer name of the certificate's owner is what makes it odd or even; but
        # its serial number is random, and a byte shorter now and then.
        for length in range(1, 12):
            name = "n" * length
            if odd != {0, 1}:
                certificate(self.keys, name)
                path = self.anonymize(source, "--overwrite", recipients=(name,))
                blob = self.blob(path)
                odd.add((4 + int.from_bytes(blob[2:4], "big")) % 2)
                self.assert_restored(self.restore(path, self.keys / f"{name}.key"), source)
        self.assertEqual(odd, {0, 1})

    def test_12_what_differs_after_restoring_is_what_the_page_says(self):
        source = self.source()
        path = self.anonymize(source)
        back = self.restore(path)
        self.assert_restored(back, source, SAYS_IDENTITY_IS_THERE)
        ds = pydicom.dcmread(back)
        self.assertEqual(ds.PatientIdentityRemoved, "NO")
        identity = pydicom.dcmread(self.restore(path, level="identity"))
        self.assertEqual((identity.PatientID, identity.PatientIdentityRemoved), ("MRN-4711", "NO"))
        self.assertNotIn("StudyDescription", identity)
        for ds in (ds, identity):
            for keyword in ("DeidentificationMethod", "DeidentificationMethodCodeSequence",
                            "LongitudinalTemporalInformationModified", "EncryptedAttributesSequence"):
                self.assertNotIn(keyword, ds)

    def test_12_bulk_data_is_not_sealed(self):
        # An overlay is taken whole: it is bulk data, which PS3.15 does not seal. The map has it.
        ds = tiny.instance("CT", **PERSON)
        ds.add_new(0x60003000, "OW", b"\1" * (70 * 1024))
        source = self.scratch / "overlay.dcm"
        ds.save_as(source, write_like_original=False)
        path = self.anonymize(source)
        self.assertLess(len(self.blob(path)), 8 * 1024)
        self.assert_restored(self.restore(path), source, [*SAYS_IDENTITY_IS_THERE, "60003000"])

    def test_a_message_moved_to_another_instance_is_found_by_the_project_key(self):
        first = self.anonymize(self.source())
        other = self.anonymize(tiny.write(self.scratch / "y.dcm", "CT", **{**PERSON, "InstanceNumber": 2}))
        ds = pydicom.dcmread(other)
        ds.EncryptedAttributesSequence = self.items(first)
        ds.save_as(self.scratch / "moved.dcm")
        key = ["--key-file", self.scratch / "link.key"]
        self.assertIn("another instance", self.refuses_to_restore(self.scratch / "moved.dcm", *key))
        self.restore(first, None, "full", *key)


class RulesThatEncrypt(CmsTest):
    def setUp(self):
        super().setUp()
        self.profile = self.scratch / "profile.json"
        self.profile.write_text(
            '{"dcmpipe-profile": 1, "rules": [{"tags": ["PatientBirthDate", "StudyDescription"], "action": "encrypt"}]}')

    def test_they_alone_are_sealed(self):
        path = self.anonymize(self.source(), "-p", self.profile)
        ds = pydicom.dcmread(path)
        self.assertEqual(ds.get("PatientBirthDate", "").strip(), "")
        self.assertNotIn("StudyDescription", ds)
        plain = openssl_decrypt(self.blob(path).rstrip(b"\0"), self.key) or openssl_decrypt(self.blob(path), self.key)
        self.assertIn(b"19800203", plain)
        self.assertIn(b"head of Jane", plain)
        self.assertNotIn(b"MRN-4711", plain)
        back = pydicom.dcmread(self.restore(path))
        self.assertEqual((back.PatientBirthDate, back.StudyDescription), ("19800203", "head of Jane"))
        self.assertNotEqual(back.PatientID, "MRN-4711")

    def test_an_instance_without_them_has_nothing_sealed(self):
        path = self.anonymize(self.source(PatientBirthDate=None, StudyDescription=None), "-p", self.profile)
        self.assertNotIn("EncryptedAttributesSequence", pydicom.dcmread(path))

    def test_they_need_a_certificate(self):
        result = self.fails(
            2, "dpipe-anon", "-m", self.scratch / "link.db", "-o", self.scratch / "out", "-p", self.profile,
            self.source())
        self.assertIn("no certificate", result.err)


class Certificates(CmsTest):
    def refuses(self, code, name, *words):
        source = self.source()
        result = self.fails(
            code, "dpipe-anon", "-m", self.scratch / "link.db", "-o", self.scratch / "out", "--encrypt-to", name, *words,
            source)
        self.assertFalse((self.scratch / "out").exists())
        return result.err

    def test_a_short_key_is_refused(self):
        certificate(self.keys, "short", ["rsa:1024"])
        self.assertIn("1024 bits", self.refuses(5, self.keys / "short.pem"))

    def test_an_expired_one_is_refused_unless_allowed(self):
        expired_certificate(self.keys)
        self.assertIn("expired", self.refuses(5, self.keys / "expired.pem"))
        source = self.source()
        path = self.anonymize(source, "--allow-expired", recipients=("expired",))
        self.assert_restored(self.restore(path, self.keys / "expired.key"), source)

    def test_what_is_no_certificate_is_said_so(self):
        self.assertIn("neither PEM nor DER", self.refuses(2, self.key))
        self.refuses(2, self.keys / "no-such.pem")
        certificate(self.keys, "ec", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
        self.assertIn("not RSA", self.refuses(2, self.keys / "ec.pem"))

    def test_a_private_key_others_can_read_is_refused(self):
        path = self.anonymize(self.source())
        self.key.chmod(0o640)
        self.addCleanup(self.key.chmod, 0o600)
        self.assertIn("others can read it", self.fails(
            5, "dpipe-restore", "--cms-key", self.key, "-o", self.scratch / "back", path).err)

    def test_a_key_and_another_s_certificate_are_refused(self):
        path = self.anonymize(self.source())
        self.assertIn("not the certificate's", self.fails(
            2, "dpipe-restore", "--cms-key", self.key, "--cms-cert", self.keys / "second.pem", "-o",
            self.scratch / "back", path).err)

    def test_der_is_read_as_well(self):
        for kind, words in {"x509": ["x509", "-in", "ours.pem", "-out", "der.pem"],
                            "pkey": ["pkey", "-in", "ours.key", "-out", "der.key"]}.items():
            with self.subTest(kind):
                subprocess.run(["openssl", *words, "-outform", "DER"], check=True, cwd=self.keys, capture_output=True)
        (self.keys / "der.key").chmod(0o600)
        source = self.source()
        self.assert_restored(
            self.restore(self.anonymize(source, recipients=("der",)), self.keys / "der.key"), source)


if __name__ == "__main__":
    dpipe.main()
