"""The demo's HTTP API as a server for one test: `with api.serving(folder) as server: ... server.url`."""

import contextlib
import json
import pathlib
import subprocess
import sys

import dpipe

PROGRAM = dpipe.ROOT / "scripts" / "demo-api.py"


class Server:
    def __init__(self, folder, url):
        self.folder = pathlib.Path(folder)
        self.url = url

    def _lines(self, name):
        path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def statuses(self, path="/data/upload/"):
        """What each request to this path was answered, in order; None where it was not."""
        return [r["status"] for r in self._lines("requests.jsonl") if r["path"] == path]

    def times(self):
        return [r["time"] for r in self._lines("requests.jsonl") if r["path"] == "/data/upload/"]

    def uploads(self):
        return self._lines("uploads.jsonl")

    def stored(self):
        return sorted(p for p in self.folder.iterdir() if p.suffix != ".jsonl")


@contextlib.contextmanager
def serving(folder, *words):
    process = subprocess.Popen(
        [sys.executable, "-B", str(PROGRAM), str(folder), *map(str, words)], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True)
    try:
        yield Server(folder, process.stdout.readline().split()[-1])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
