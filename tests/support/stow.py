"""A STOW-RS server for one test that fails as it is told: `with stow.serving() as server: ... server.url`."""

import contextlib
import email.parser
import http.server
import io
import json

import pydicom

import http_thread


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, content, kind="application/dicom+json", retry_after=None):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if retry_after is not None:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.paths.append(self.path)
        server.headers.append(dict(self.headers))
        uids = []
        message = email.parser.BytesParser().parsebytes(
            b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n" + body)
        for part in message.get_payload():
            assert part.get_content_type() == "application/dicom"
            data = part.get_payload(decode=True)
            ds = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
            uids.append((str(ds.SOPInstanceUID), data))
        server.requests.append([uid for uid, _ in uids])
        fault = server.faults.pop(0) if server.faults else None
        if fault == "reset":
            self.connection.close()
            self.close_connection = True
            return
        if fault == "page":
            self.answer(200, b"<html>hello</html>", "text/html")
            return
        if isinstance(fault, int):
            self.answer(fault, b"{}", retry_after=server.retry_after)
            return
        if server.most and len(uids) > server.most:
            self.answer(413, b"")
            return
        failed = fault or {}
        stored = []
        for number, (uid, data) in enumerate(uids):
            if number not in failed:
                stored.append(uid)
                server.stored.append((uid, data))
        def item(uid, more):
            return {"00081155": {"vr": "UI", "Value": [uid]}, **more}
        content = {}
        if stored:
            content["00081199"] = {"vr": "SQ", "Value": [item(uid, {}) for uid in stored]}
        silent = [n for n, reason in failed.items() if reason is None]
        told = [(n, r) for n, r in failed.items() if r is not None and n < len(uids)]
        if told:
            content["00081198"] = {"vr": "SQ", "Value": [
                item(uids[n][0], {"00081197": {"vr": "US", "Value": [reason]}}) for n, reason in told]}
        self.answer(200 if not told and not silent else 202 if stored else 409, content)

    def log_message(self, *words):
        pass


@contextlib.contextmanager
def serving(faults=(), most=None, retry_after=None):
    """`faults`, one a request: a status; `reset`; `page`; {number of the part: failure reason, or None: unsaid}."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.faults, server.most, server.retry_after = list(faults), most, retry_after
    server.requests, server.stored, server.paths, server.headers = [], [], [], []
    server.url = f"http://127.0.0.1:{server.server_address[1]}/dicom-web"
    with http_thread.running(server):
        yield server
