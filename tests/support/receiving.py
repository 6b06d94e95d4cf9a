"""dpipe-receive as a process that a test starts, asks and stops."""

import os
import re
import select
import signal
import subprocess
import time

import dpipe


class Receiver:
    """Started on a free port of 127.0.0.1; `port` once it listens. Leave the `with` to stop it."""

    def __init__(self, out, *words, stdout=subprocess.PIPE, **how):
        self.process = dpipe.start(
            "dpipe-receive", "--bind", "127.0.0.1", "--port", "0", "-o", out, *words,
            stdout=stdout, stderr=subprocess.PIPE, **how)
        self.err = b""
        self.out = b""
        self.port = int(re.search(rb"listening on 127\.0\.0\.1:(\d+) as", self.wait_for_err(b" as ")).group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def wait_for_err(self, text, timeout=20):
        """Reads stderr until it holds `text`; all of it so far."""
        until = time.monotonic() + timeout
        while text not in self.err:
            if not select.select([self.process.stderr], [], [], max(0, until - time.monotonic()))[0]:
                raise AssertionError(f"no {text!r} in {self.err!r}")
            more = self.process.stderr.read1()
            if not more:
                raise AssertionError(f"it ended: {self.err!r}")
            self.err += more
        return self.err

    def lines(self, count, timeout=30):
        """The next `count` lines of stdout."""
        until = time.monotonic() + timeout
        while self.out.count(b"\n") < count:
            if not select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))[0]:
                raise AssertionError(f"no {count} lines: {self.out!r}")
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                raise AssertionError(f"stdout ended: {self.out!r}")
            self.out += more
        *found, self.out = self.out.split(b"\n", count)
        return [line.decode() for line in found]

    def wait_until_read(self, timeout=10):
        """Waits until nothing that was sent to it lies unread in a socket."""
        until = time.monotonic() + timeout
        while unread(self.port):
            if time.monotonic() > until:
                raise AssertionError("it does not read")
            time.sleep(0.01)
        time.sleep(0.05)  # what was read is taken in

    def stop(self, number=signal.SIGTERM, timeout=20):
        """Asks it to stop; (exit code, rest of stdout, all of stderr)."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=timeout)
        self.err += err
        return self.process.returncode, (self.out + (out or b"")).decode(), self.err.decode()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


def unread(port):
    """Bytes that wait in the sockets of a local port, going out to it or come in."""
    rows = [line.split() for line in open("/proc/net/tcp", encoding="ascii")][1:]
    number = f":{port:04X}"
    return sum(int(row[4].split(":")[1], 16) for row in rows if row[1].endswith(number)) + sum(
        int(row[4].split(":")[0], 16) for row in rows if row[2].endswith(number))


def stored(out):
    """The files with instances below `out`; anything else there that is no marker or lock counts as well."""
    return sorted(p for p in out.rglob("*") if p.is_file() and p.name not in (".dpipe-study", ".dpipe-receive.lock"))
