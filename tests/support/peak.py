"""Runs a program on each path of stdin and prints, a JSON line each, how it ended and what it cost.

A process of its own, and a small one: what a child is charged for begins with the memory of the process that
started it.
"""

import json
import os
import sys
import tempfile


def run(program, path):
    with tempfile.TemporaryFile() as out:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
            os.execv(program, [program, path])
        _, status, usage = os.wait4(child, 0)
        out.seek(0)
        text = out.read(300).decode("utf-8", "replace")
    return {"path": path, "code": os.waitstatus_to_exitcode(status), "out": text,
            "megabytes": usage.ru_maxrss >> 10, "seconds": usage.ru_utime + usage.ru_stime}


for line in sys.stdin:
    print(json.dumps(run(sys.argv[1], line.rstrip("\n"))))
