"""Peers that we did not write, started for a test on free ports of 127.0.0.1: Orthanc, dcmqrscp."""

import base64
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import time
import unittest
import urllib.request

ORTHANC = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
needs_orthanc = unittest.skipUnless(ORTHANC, "Orthanc is not installed")


def free_port():
    """A port that nobody listens on: below those that the kernel gives to connections, which come and go."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_for_port(port, process, timeout=20):
    until = time.monotonic() + timeout
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"{process.args[0]} does not listen")


class Server:
    """A process with a port; leave the `with` to stop it."""

    def __init__(self, argv, port, folder, **how):
        self.port = port
        with open(pathlib.Path(folder) / "log", "wb") as log:
            self.process = subprocess.Popen(
                [str(word) for word in argv], stdout=log, stderr=log, stdin=subprocess.DEVNULL, **how)
        try:
            wait_for_port(port, self.process)
        except AssertionError:
            self.stop()
            raise AssertionError((pathlib.Path(folder) / "log").read_text()) from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Orthanc(Server):
    """AE title ORTHANC. `modalities` are {name: [AE title, host, port]}."""

    credentials = None

    def __init__(self, folder, modalities=None, **more):
        folder = pathlib.Path(folder)
        folder.mkdir()
        self.http = free_port()
        settings = {
            "Name": "test", "DicomAet": "ORTHANC", "DicomPort": free_port(), "HttpPort": self.http,
            "RemoteAccessAllowed": False, "AuthenticationEnabled": False, "Plugins": [],
            "StorageDirectory": str(folder / "db"), "IndexDirectory": str(folder / "db"),
            "DicomModalities": modalities or {}, "UnknownSopClassAccepted": True, **more}
        (folder / "orthanc.json").write_text(json.dumps(settings))
        super().__init__([ORTHANC, folder / "orthanc.json"], settings["DicomPort"], folder)
        wait_for_port(self.http, self.process)

    def rest(self, path, data=None):
        """GET, or POST of bytes or of anything that JSON can hold; the answer, decoded."""
        if data is not None and not isinstance(data, bytes):
            data = json.dumps(data).encode()
        return json.loads(self.raw(path, data) or b"null")

    def raw(self, path, data=None):
        """As rest(), the answer as it comes; by `credentials`, a user's name and password, where they are set."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}{path}", data)
        if self.credentials:
            words = base64.b64encode(":".join(self.credentials).encode()).decode()
            request.add_header("Authorization", f"Basic {words}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()


class Dcmqrscp(Server):
    """DCMTK's archive, AE title QRSCP; who calls as ME may be sent to at `move_port`."""

    def __init__(self, folder, move_port=1):
        folder = pathlib.Path(folder)
        (folder / "db").mkdir(parents=True)
        port = free_port()
        (folder / "cfg").write_text(
            f"NetworkTCPPort = {port}\nMaxPDUSize = 65536\nMaxAssociations = 16\n"
            f"HostTable BEGIN\nme = (ME, 127.0.0.1, {move_port})\nHostTable END\n"
            "VendorTable BEGIN\nVendorTable END\n"
            f"AETable BEGIN\nQRSCP {folder / 'db'} RW (1000, 10000mb) ANY\nAETable END\n")
        super().__init__(["dcmqrscp", "-c", folder / "cfg"], port, folder)

    def store(self, *paths):
        subprocess.run(
            ["dcmsend", "-aec", "QRSCP", "127.0.0.1", str(self.port), "+sd", "+r", *map(str, paths)],
            check=True, capture_output=True)
