"""An HTTP server for one test that takes any multipart form and remembers it: `with form_api.serving() as server:`.

Over TCP, TLS (with a context of ssl) or a Unix socket."""

import contextlib
import email.parser
import http.server
import socketserver

import http_thread


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "peer"

    def do_POST(self):
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.paths.append(self.path)
        server.headers.append(dict(self.headers))
        if self.headers["Content-Type"] == "application/json":
            server.logins.append(body)
            self.answer(200, b'{"access": "t1"}')
            return
        message = email.parser.BytesParser().parsebytes(
            b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n" + body)
        form = {part.get_param("name", header="content-disposition"): part for part in message.get_payload()}
        server.forms.append({
            name: (part.get_filename(), part.get_payload(decode=True)) if part.get_filename()
            else part.get_payload(decode=True).decode() for name, part in form.items()})
        self.answer(server.statuses.pop(0) if server.statuses else 200, server.body)

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextlib.contextmanager
def serving(body=b'{"id": 7}', statuses=(), tls=None, unix_socket=None):
    if unix_socket:
        server = UnixServer(str(unix_socket), Handler)
        server.url = "http://localhost/api"
    else:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}/api"
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.paths, server.headers, server.forms, server.logins = [], [], [], []
    server.body, server.statuses = body, list(statuses)
    with http_thread.running(server):
        yield server
