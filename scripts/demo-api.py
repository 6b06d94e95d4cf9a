#!/usr/bin/env python3
"""A small HTTP API to upload ZIPs to, for the demo and the tests. Not for real data.

    demo-api.py FOLDER [--port 0] [--username demo --password demo] [--misbehave 401,500,500,429:1]

It speaks what the DICOM Receiver documents: POST /users/login/ with a JSON object of username and password
answers {"access": TOKEN, ...}; POST /data/upload/ with `Authorization: Bearer TOKEN` and a multipart form
whose part `file` is the ZIP answers 201 and {"id": ..., "sha256": ..., "bytes": ...}. A request that repeats
an Idempotency-Key gets the first one's answer and stores nothing.

Files are streamed to FOLDER/ID-NAME. FOLDER/uploads.jsonl has a line an upload, FOLDER/requests.jsonl a line
a request. The first line on stdout says where it listens: `listening on http://127.0.0.1:PORT`.

--misbehave is a list of what to do wrong, one word an upload, in turn; after the last all goes well:
    401              take back all tokens; any other status: answer it
    429:SECONDS      the same, with Retry-After
    reset            read half of the request, then break off the connection
    hang             read the request, never answer
    garbage          answer 200 with a page that is no JSON
    lost             store the file, then break off before the answer
A word after `login:` (`login:500`) is meant for a login instead.
"""

import argparse
import hashlib
import http.server
import json
import pathlib
import secrets
import socket
import struct
import sys
import threading
import time

BLOCK = 64 * 1024
LOGIN_PATH = "/users/login/"
UPLOAD_PATH = "/data/upload/"


class Broken(Exception):
    """The request is not what it should be, or its sender is gone."""


class Body:
    """The body of a request, read in blocks: by Content-Length or in chunks."""

    def __init__(self, headers, stream):
        self.stream = stream
        self.chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
        self.left = 0 if self.chunked else int(headers.get("Content-Length", 0))
        self.length = self.left
        self.ended = False

    def _next_chunk(self):
        self.left = int(self.stream.readline(100).split(b";")[0], 16)
        if self.left == 0:
            self.ended = True
            self.stream.readline(100)

    def read(self):
        """The next block; empty at the end."""
        if self.chunked and self.left == 0 and not self.ended:
            self._next_chunk()
        if self.left == 0:
            return b""
        block = self.stream.read1(min(self.left, BLOCK))
        if not block:
            raise Broken("the sender is gone")
        self.left -= len(block)
        if self.chunked and self.left == 0:
            self.stream.readline(10)
        return block

    def drain(self, limit=None):
        while (limit is None or limit > 0) and (block := self.read()):
            limit = None if limit is None else limit - len(block)


class Window:
    """Bytes of a body up to a delimiter, of which only the last few are held."""

    def __init__(self, body):
        self.body = body
        self.held = b""

    def up_to(self, delimiter):
        while (at := self.held.find(delimiter)) < 0:
            ready = max(0, len(self.held) - len(delimiter) + 1)
            if ready:
                yield self.held[:ready]
                self.held = self.held[ready:]
            block = self.body.read()
            if not block:
                raise Broken("the form is cut short")
            self.held += block
        if at:
            yield self.held[:at]
        self.held = self.held[at + len(delimiter):]


def boundary_of(headers):
    kind, _, rest = headers.get("Content-Type", "").partition(";")
    words = dict(w.strip().split("=", 1) for w in rest.split(";") if "=" in w)
    if kind.strip() != "multipart/form-data" or "boundary" not in words:
        raise Broken("not a multipart form")
    return b"--" + words["boundary"].strip('"').encode()


def parts(body, headers):
    """Each part of a form: its disposition, and its blocks, which must be read before the next."""
    boundary = boundary_of(headers)
    window = Window(body)
    window.held = b"\r\n"
    for _ in window.up_to(b"\r\n" + boundary):
        pass
    while b"".join(window.up_to(b"\r\n")) != b"--":
        head = b"".join(window.up_to(b"\r\n\r\n")).decode("utf-8", "replace")
        disposition = {}
        for line in head.splitlines():
            name, _, value = line.partition(":")
            if name.lower() == "content-disposition":
                for word in value.split(";")[1:]:
                    key, _, text = word.strip().partition("=")
                    disposition[key] = text.strip('"')
        blocks = window.up_to(b"\r\n" + boundary)
        yield disposition, blocks
        for _ in blocks:
            pass
    body.drain()


class Store:
    """What was uploaded: files in a folder, a line each in uploads.jsonl."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lock = threading.Lock()
        self.uploads = []
        for path in self.folder.glob(".part-*"):
            path.unlink()
        ledger = self.folder / "uploads.jsonl"
        if ledger.exists():
            self.uploads = [json.loads(line) for line in ledger.read_text().splitlines()]

    def known(self, key):
        return next((u for u in self.uploads if key and u["key"] == key), None)

    def take(self, name, blocks, key):
        part = self.folder / f".part-{secrets.token_hex(8)}"
        digest = hashlib.sha256()
        size = 0
        try:
            with open(part, "wb") as file:
                for block in blocks:
                    file.write(block)
                    digest.update(block)
                    size += len(block)
            with self.lock:
                known = self.known(key)  # one that began earlier may have ended meanwhile
                if known:
                    return known
                number = len(self.uploads) + 1
                safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)[-150:]
                upload = {"id": number, "name": name, "bytes": size, "sha256": digest.hexdigest(), "key": key}
                part.rename(self.folder / f"{number}-{safe}")
                self.uploads.append(upload)
                self.note("uploads.jsonl", upload)
                return upload
        finally:
            part.unlink(missing_ok=True)

    def note(self, file, record):
        with open(self.folder / file, "a") as lines:
            lines.write(json.dumps(record) + "\n")


class Api:
    """What all requests share."""

    def __init__(self, words):
        self.store = Store(words.folder)
        self.credentials = {"username": words.username, "password": words.password}
        self.tokens = {words.token} - {None}
        self.redirect_to = words.redirect_to
        script = [w for w in words.misbehave.split(",") if w]
        self.faults = {
            LOGIN_PATH: [w.removeprefix("login:") for w in script if w.startswith("login:")],
            UPLOAD_PATH: [w for w in script if not w.startswith("login:")]}
        self.lock = threading.Lock()

    def next_fault(self, path):
        with self.lock:
            return self.faults[path].pop(0) if self.faults[path] else None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api = None

    def handle_expect_100(self):
        return True  # said in body(), once the request is worth its body

    def body(self):
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        return Body(self.headers, self.rfile)

    def answer(self, status, content, retry_after=None):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.api.store.note("requests.jsonl", {"time": time.time(), "path": self.path, "status": status})
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if isinstance(content, bytes) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        if retry_after is not None:
            self.send_header("Retry-After", retry_after)
        if status // 100 == 3 and self.api.redirect_to:
            self.send_header("Location", self.api.redirect_to)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def answer_unread(self, status, content, retry_after=None):
        """Answer without the body: at once where the sender waits for a sign, else after it."""
        if "Expect" in self.headers:
            self.close_connection = True
        else:
            self.body().drain()
        self.answer(status, content, retry_after)

    def break_off(self):
        """End the connection by a reset."""
        self.api.store.note("requests.jsonl", {"time": time.time(), "path": self.path, "status": None})
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        raise Broken("on purpose")

    def misbehave(self, fault):
        """True where the request is dealt with."""
        if fault is None:
            return False
        if fault == "reset":
            body = self.body()
            body.drain(body.length // 2)
            self.break_off()
        elif fault == "hang":
            self.body().drain()
            self.api.store.note("requests.jsonl", {"time": time.time(), "path": self.path, "status": None})
            time.sleep(3600)
        elif fault == "garbage":
            self.body().drain()
            self.answer(200, b"<html>Welcome to the hotel's network</html>")
        elif fault == "lost":
            self.upload()
            self.break_off()
        else:
            status, _, seconds = fault.partition(":")
            if status == "401":
                self.api.tokens.clear()
            self.answer_unread(int(status), {"detail": "on purpose"}, seconds or None)
        return True

    def do_POST(self):
        try:
            if self.path not in (LOGIN_PATH, UPLOAD_PATH):
                self.answer_unread(404, {"detail": "no such path"})
            elif not self.misbehave(self.api.next_fault(self.path)):
                if self.path == LOGIN_PATH:
                    self.login()
                elif self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.api.tokens:
                    self.answer_unread(401, {"detail": "log in first"})
                else:
                    upload = self.upload()
                    if upload:
                        self.answer(upload.pop("status"), upload)
        except (Broken, ConnectionError) as error:
            print(f"demo-api: {self.path}: {error}", file=sys.stderr)
            self.close_connection = True

    def login(self):
        try:
            given = json.loads(b"".join(iter(self.body().read, b"")))
        except ValueError:
            given = None
        if given != self.api.credentials:
            self.answer(401, {"detail": "wrong credentials"})
            return
        token = secrets.token_urlsafe(32)
        self.api.tokens.add(token)
        user = {"id": 1, "username": given["username"], "is_active": True}
        self.answer(200, {"access": token, "refresh": secrets.token_urlsafe(32), "user": user})

    def upload(self):
        """Take the form; the upload and its status, or None where the answer was given."""
        key = self.headers.get("Idempotency-Key")
        known = self.api.store.known(key)
        if known:
            self.body().drain()
            return {**known, "status": 200}
        for disposition, blocks in parts(self.body(), self.headers):
            if disposition.get("name") == "file":
                upload = self.api.store.take(disposition.get("filename", "unnamed"), blocks, key)
                # The rest of the form is read before the answer.
                self.close_connection = True
                return {**upload, "status": 201}
        self.answer(400, {"file": ["This field is required."]})
        return None

    def log_message(self, *words):
        pass


def main():
    parser = argparse.ArgumentParser(description="A small HTTP API to upload ZIPs to; see the head of this file.")
    parser.add_argument("folder", help="where uploads go")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--username", default="demo")
    parser.add_argument("--password", default="demo")
    parser.add_argument("--token", help="a token that needs no login")
    parser.add_argument("--misbehave", default="", metavar="WORDS")
    parser.add_argument("--redirect-to", metavar="URL", help="where an answer of 3xx points to")
    parser.add_argument("--tls", metavar="PEM", help="speak HTTPS with this certificate and key")
    words = parser.parse_args()
    Handler.api = Api(words)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", words.port), Handler)
    server.daemon_threads = True
    if words.tls:
        import ssl
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(words.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "https" if words.tls else "http"
    print(f"listening on {scheme}://127.0.0.1:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
