"""dpipe-receive over TLS, against storescu, openssl and Python's ssl."""

import signal
import socket
import ssl
import time

import dicom_bytes as made
import dpipe
from certificates import Authority
from receiving import Receiver, stored


@dpipe.needs("openssl")
class Tls(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.scratch / "in"
        self.authority = Authority(self.scratch / "ca")
        self.certificate, self.key = self.authority.issue("localhost", ip="127.0.0.1")

    def receiver(self, *words, certificate=None, key=None):
        return Receiver(self.out, "--tls", "--tls-cert", certificate or self.certificate, "--tls-key",
                        key or self.key, *words)

    def storescu(self, receiver, *words, uid="1.2.9"):
        path = self.scratch / f"{uid}.dcm"
        path.write_bytes(made.part10(made.instance(uid, pixels=b"\1" * 300_000), uid))
        return dpipe.run("storescu", *words, "127.0.0.1", receiver.port, path)

    def context(self, **versions):
        context = ssl.create_default_context(cafile=self.authority.ca)
        for name, version in versions.items():
            setattr(context, name, version)
        return context

    def shake_hands(self, receiver, context):
        with socket.create_connection(("127.0.0.1", receiver.port), 5) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as connection:
                return connection.version(), connection.cipher()[0]

    def still_serves(self, receiver):
        self.assertEqual(self.shake_hands(receiver, self.context())[0], "TLSv1.3")

    @dpipe.needs("storescu")
    def test_storescu(self):
        with self.receiver() as receiver:
            for number, profile in enumerate(("+py", "+px", "+pz")):
                uid = f"1.2.9.{number}"
                result = self.storescu(receiver, "+tla", profile, "+cf", self.authority.ca, uid=uid)
                self.assertEqual(result.code, 0, result.err)
            self.assertEqual(len(stored(self.out)), 3)
            self.assertNotEqual(self.storescu(receiver).code, 0)  # in clear
            self.still_serves(receiver)

    @dpipe.needs("storescu")
    def test_mutual(self):
        known, key = self.authority.issue("modality")
        stranger, strange_key = Authority(self.scratch / "other", "Other").issue("stranger")
        with self.receiver("--tls-ca", self.authority.ca) as receiver:
            result = self.storescu(receiver, "+tls", key, known, "+cf", self.authority.ca)
            self.assertEqual(result.code, 0, result.err)
            for words in (("+tls", strange_key, stranger), ("+tla",)):
                self.assertNotEqual(self.storescu(receiver, *words, "+cf", self.authority.ca).code, 0)
            receiver.wait_for_err(b"no TLS with")
        self.assertEqual(len(stored(self.out)), 1)

    def test_versions_and_ciphers(self):
        new, old = ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2
        with self.receiver() as receiver:
            self.assertEqual(self.shake_hands(receiver, self.context(minimum_version=new))[0], "TLSv1.3")
            version, cipher = self.shake_hands(receiver, self.context(maximum_version=old))
            self.assertEqual(version, "TLSv1.2")
            self.assertRegex(cipher, "^ECDHE-.*(GCM|POLY1305)")
            weak = self.context(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
            weak.set_ciphers("ALL:@SECLEVEL=0")
            plain = self.context(maximum_version=old)
            plain.set_ciphers("AES128-SHA256:DHE-RSA-AES128-GCM-SHA256")
            for refused in (weak, plain):
                with self.assertRaises((ssl.SSLError, ConnectionError)):
                    self.shake_hands(receiver, refused)
            self.still_serves(receiver)

    def test_who_hangs_in_the_handshake_is_given_up(self):
        with self.receiver("--timeout", "1") as receiver:
            for first in (b"", b"\x16\x03\x01\x02\x00\x01"):
                with socket.create_connection(("127.0.0.1", receiver.port), 5) as connection:
                    connection.sendall(first)
                    start = time.monotonic()
                    self.assertEqual(connection.recv(1), b"")
                    self.assertLess(time.monotonic() - start, 3)
            self.still_serves(receiver)

    def test_files_that_do_not_do(self):
        _, other_key = self.authority.issue("other")
        junk = self.scratch / "junk"
        junk.write_text("junk")
        encrypted = self.scratch / "encrypted"
        dpipe.run("openssl", "rsa", "-aes128", "-passout", "pass:x", "-in", self.key, "-out", encrypted)
        pair = ["--tls-cert", self.certificate, "--tls-key", self.key]
        for words in (["--tls"], pair, ["--tls", "--tls-cert", junk, "--tls-key", self.key],
                      ["--tls", "--tls-cert", self.certificate, "--tls-key", other_key],
                      ["--tls", "--tls-cert", self.certificate, "--tls-key", encrypted],
                      ["--tls", "--tls-cert", self.certificate, "--tls-key", self.scratch / "none"],
                      ["--tls", *pair, "--tls-ca", junk]):
            with self.subTest(words):
                self.fails(2, "dpipe-receive", "--port", "0", "-o", self.out, *words)


if __name__ == "__main__":
    dpipe.main()
