"""An authority and what it signs, made by openssl for a test."""

import subprocess


class Authority:
    """`ca` is its certificate; `issue(name)` gives (certificate, key), for a host of this name."""

    def __init__(self, folder, name="Test Authority"):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.ca, self.key = folder / "ca.pem", folder / "ca.key"
        self._openssl("req", "-x509", "-subj", f"/CN={name}", "-out", self.ca, *self._new_key(self.key))

    def issue(self, name, ip=None):
        certificate, key, request = (self.folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
        alternative = f"subjectAltName=DNS:{name}" + (f",IP:{ip}" if ip else "")
        self._openssl("req", "-new", "-subj", f"/CN={name}", "-addext", alternative, "-out", request,
                      *self._new_key(key))
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.key, "-days", "2",
                      "-copy_extensions", "copy", "-out", certificate)
        return certificate, key

    @staticmethod
    def _new_key(path):
        # RSA: the profiles of DCMTK 3.6.7 know no other certificate.
        return "-newkey", "rsa:2048", "-nodes", "-keyout", path

    @staticmethod
    def _openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
