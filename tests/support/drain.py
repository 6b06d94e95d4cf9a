"""An HTTP server for one test that reads whatever is posted, keeps none of it, and gives one answer."""

import contextlib
import http.server

import http_thread


@contextlib.contextmanager
def serving(body, content_type="application/json"):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words):
            pass

        def do_POST(self):
            left = int(self.headers["Content-Length"])
            block = memoryview(bytearray(1 << 20))
            while left:
                got = self.rfile.readinto1(block[:min(left, len(block))])
                if got == 0:
                    return
                left -= got
                server.bytes += got
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.bytes = 0
    server.url = f"http://127.0.0.1:{server.server_port}"
    with http_thread.running(server):
        yield server
