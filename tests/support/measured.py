"""What a command needs of memory at most: `code, peak = measured.run(program, word, ...)`, the peak in bytes.

It is started by a process of its own, and a small one: what a child is charged for begins with the memory of the
process that started it, about 10 MB here.
"""

import os
import subprocess
import sys

STARTER = """
import os, sys
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(process, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024)
"""


def run(program, *words, env=None):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("DPIPE_")}
    text = subprocess.run(
        [sys.executable, "-S", "-E", "-c", STARTER, str(program), *map(str, words)], check=True,
        stdout=subprocess.PIPE, env={**clean, **(env or {})}).stdout
    code, peak = map(int, text.split())
    return code, peak
