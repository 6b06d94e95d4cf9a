"""form_sink.py FOLDER: an HTTP server that writes whatever is posted to a file in FOLDER, and prints its port."""

import http.server
import pathlib
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_POST(self):
        left = int(self.headers["Content-Length"])
        block = memoryview(bytearray(1 << 20))
        with open(pathlib.Path(sys.argv[1]) / "posted", "wb", buffering=0) as file:
            while left:
                got = self.rfile.readinto1(block[:min(left, len(block))])
                if got == 0:
                    return
                file.write(block[:got])
                left -= got
        self.send_response(201)
        self.send_header("Content-Length", "9")
        self.end_headers()
        self.wfile.write(b'{"id": 1}')


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
