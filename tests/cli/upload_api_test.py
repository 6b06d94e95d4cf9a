"""dpipe-upload: what each API is told, and the ways to reach it."""

import json
import random
import socket
import ssl
import subprocess
import threading
import time

import dpipe
import form_api
import tiny

ENV = {"no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1,localhost", "DPIPE_TOKEN": "tok"}


class ApiCase(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        study = tiny.study(
            self.scratch / "sub-001", series=2, instances=2, PatientID="sub-001", StudyDescription="Schädel",
            SpecificCharacterSet="ISO_IR 100")
        self.zip = self.make_zip(study)

    def make_zip(self, study):
        return dpipe.run("dpipe-zip", "-o", self.scratch / "zips", study).lines[0]

    def upload(self, code, server, *more, env=None):
        result = dpipe.run(
            "dpipe-upload", "--url", server.url, "--retry-delay", "0.02", "--json", *more, self.zip, env=env or ENV)
        self.assertEqual(result.code, code, result.err + result.out)
        return json.loads(result.lines[0]) if result.lines else None


class Apis(ApiCase):
    def name(self):
        return self.zip.rsplit("/", 1)[1]

    def test_laminate(self):
        with form_api.serving() as server:
            env = {**ENV, "DPIPE_TOKEN": "", "DPIPE_PASSWORD": "pw"}
            record = self.upload(0, server, "--api", "laminate", "--username", "me", env=env)
            self.assertEqual(record["id"], "7")
            self.assertEqual(server.paths, ["/api/users/login/", "/api/data/datasets/"])
            self.assertEqual(json.loads(server.logins[0]), {"username_or_email": "me", "password": "pw"})
            self.assertEqual(server.headers[1]["Authorization"], "Bearer t1")
            self.assertEqual(server.forms[0]["name"], self.name()[:-4])
            self.assertEqual(server.forms[0]["file"][0], self.name())

    def test_pixieveil(self):
        with form_api.serving(body=b"") as server:
            self.upload(0, server, "--api", "pixieveil")
            self.assertEqual(server.paths, ["/api/upload"])
            self.assertEqual(server.headers[0]["Authorization"], "Bearer tok")
            self.assertEqual(server.forms[0]["remote_path"], "studies/" + self.name())
            with open(self.zip, "rb") as file:
                self.assertEqual(server.forms[0]["file"], (self.name(), file.read()))

    def test_pixieveil_does_not_take_a_page_for_success(self):
        with form_api.serving(body=b"\n<html>welcome</html>") as server:
            self.upload(3, server, "--api", "pixieveil")

    def test_ith(self):
        with form_api.serving() as server:
            self.upload(0, server, "--api", "ith")
            self.assertEqual(server.paths, ["/api/archives/upload"])
            self.assertEqual(server.headers[0]["X-Proxy-Key"], "tok")
            self.assertNotIn("Authorization", server.headers[0])
            form = server.forms[0]
            self.assertEqual(
                (form["name"], form["patient_id"], form["study_description"], form["conflict_resolution"]),
                (self.name()[:-4], "sub-001", "Schädel", "skip_existing"))
            self.assertEqual(json.loads(form["metadata"]), {
                "study_uid": tiny.uid("study"), "study_date": "20240102", "series_count": 2, "instances_count": 4})

    def test_an_api_without_login_says_so(self):
        with form_api.serving() as server:
            result = dpipe.run("dpipe-upload", "--api", "ith", "--url", server.url, "--username", "me", self.zip,
                               env={"DPIPE_PASSWORD": "x"})
            self.assertEqual(result.code, 2)
            self.assertIn("--token-file", result.err)
            self.assertEqual(server.paths, [])


class DryRun(ApiCase):
    def test_it_checks_and_sends_nothing(self):
        with form_api.serving() as server:
            record = self.upload(0, server, "-n", "--remove-source")
            self.assertEqual((record["status"], record["dry_run"]), ("ok", True))
            self.upload(0, server)
            self.assertEqual(self.upload(0, server, "-n", "--remove-source")["status"], "skipped")
            self.assertEqual(len(server.forms), 1)
            with open(self.zip, "r+b") as file:
                file.truncate(100)
            self.upload(3, server, "-n")


class Refusals(ApiCase):
    def test_what_was_refused_for_good_is_parked(self):
        with form_api.serving(statuses=[413]) as server:
            self.upload(3, server)
            record = self.upload(3, server)
            self.assertIn("--retry-failed", record["reason"])
            self.assertEqual(len(server.forms), 1)
            self.upload(0, server, "--retry-failed")
            self.assertEqual(self.upload(0, server)["status"], "skipped")
            self.assertEqual(len(server.forms), 2)

    def test_other_bytes_and_other_servers_are_not(self):
        with form_api.serving(statuses=[413]) as server, form_api.serving() as other:
            self.upload(3, server)
            self.upload(0, other)
        with form_api.serving(statuses=[413]) as server:
            self.upload(3, server)
            tiny.write(self.scratch / "sub-001" / "3" / "1.dcm", PatientID="sub-001", SeriesNumber=3)
            dpipe.run("dpipe-zip", "--overwrite", "-o", self.scratch / "zips", self.scratch / "sub-001")
            self.upload(0, server)

    def test_what_may_pass_is_not_parked(self):
        for status in (403, 404, 405, 500):
            with self.subTest(status), form_api.serving(statuses=[status]) as server:
                self.upload(3, server, "--max-retries", "0")
                self.upload(0, server)


class Ways(ApiCase):
    def test_a_unix_socket(self):
        path = self.scratch / "api.sock"
        with form_api.serving(unix_socket=path) as server:
            self.upload(0, server, "--unix-socket", path)
            self.assertEqual(len(server.forms), 1)
        self.assertEqual(self.upload(4, server, "--unix-socket", self.scratch / "none", "--max-retries", "0",
                                     "--api", "pixieveil")["status"], "failed")

    def test_a_proxy(self):
        with form_api.serving() as proxy:
            env = {**ENV, "no_proxy": "", "NO_PROXY": ""}
            result = dpipe.run(
                "dpipe-upload", "--url", "http://api.invalid/api", "--proxy", proxy.url[:-4], self.zip, env=env)
            self.assertEqual(result.code, 0, result.err)
            self.assertEqual(proxy.paths, ["http://api.invalid/api/data/upload/"])

    def test_bandwidth(self):
        tiny.write(self.scratch / "sub-001" / "9.dcm", PatientID="sub-001", InstanceNumber=9,
                   PixelData=random.Random(1).randbytes(1_500_000))
        dpipe.run("dpipe-zip", "--overwrite", "-o", self.scratch / "zips", self.scratch / "sub-001")
        with form_api.serving() as server:
            start = time.monotonic()
            self.upload(0, server, "--bandwidth", "500K")
            self.assertGreater(time.monotonic() - start, 1.5)

    def test_a_server_that_takes_a_byte_a_second_is_given_up(self):
        tiny.write(self.scratch / "sub-001" / "9.dcm", PatientID="sub-001", InstanceNumber=9,
                   PixelData=random.Random(1).randbytes(20_000_000))
        dpipe.run("dpipe-zip", "--overwrite", "-o", self.scratch / "zips", self.scratch / "sub-001")
        over = threading.Event()

        def crawl():
            connection, _ = listener.accept()
            with connection:
                while not over.wait(1):
                    connection.recv(1)

        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            thread = threading.Thread(target=crawl)
            thread.start()
            start = time.monotonic()
            result = dpipe.run(
                "dpipe-upload", "--url", f"http://127.0.0.1:{listener.getsockname()[1]}", "--timeout", "2",
                "--max-retries", "0", self.zip, env=ENV)
            over.set()
            thread.join()
        self.assertEqual(result.code, 4, result.err)
        self.assertLess(time.monotonic() - start, 20)

    @dpipe.needs("openssl")
    def test_a_certificate_of_ours(self):
        def certificate(name):
            pem, key = self.scratch / f"{name}.pem", self.scratch / f"{name}.key"
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                 "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", pem],
                check=True, capture_output=True)
            return pem, key

        server_pem, server_key = certificate("server")
        our_pem, our_key = certificate("we")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server_pem, server_key)
        context.load_verify_locations(our_pem)
        context.verify_mode = ssl.CERT_REQUIRED
        with form_api.serving(tls=context) as server:
            trust = ("--ca-file", server_pem, "--max-retries", "0")
            self.upload(4, server, *trust)
            self.assertEqual(server.forms, [])
            self.upload(2, server, *trust, "--tls-cert", self.scratch / "none.pem", "--tls-key", our_key)
            self.upload(0, server, *trust, "--tls-cert", our_pem, "--tls-key", our_key)
            self.assertEqual(len(server.forms), 1)


if __name__ == "__main__":
    dpipe.main()
