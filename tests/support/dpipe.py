"""What the tests of the commands share: running a command, a scratch folder, the real data.

A test module is a unittest; it ends with `dpipe.main()`. Paths and folders come from the environment that
ctest sets (DPIPE_BUILD), so that a test can also be run by hand:
DPIPE_BUILD=build PYTHONPATH=tests/support python3 tests/cli/dpipe_test.py
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("DPIPE_BUILD", ROOT / "build")).resolve()
BIN = BUILD / "bin"
#: The build has sanitizers: memory is not what users will see.
SANITIZED = bool(os.environ.get("DPIPE_SANITIZED"))
#: Real DICOM files, where the machine has them; tests that need them say when they skip.
REAL_DATA = ROOT.parent / "shared" / "data" / "dicom"


class Result:
    """What a caller sees of a command that ended."""

    def __init__(self, completed):
        self.code = completed.returncode
        self.out = completed.stdout.decode("utf-8", "replace")
        self.err = completed.stderr.decode("utf-8", "replace")
        self.raw = completed.stdout

    @property
    def lines(self):
        return self.out.splitlines()


def run(command, *words, stdin=b"", env=None, timeout=120, cwd=None):
    """Run `command` (a name in build/bin, or any program) to its end."""
    program = BIN / command
    argv = [str(program) if program.exists() else str(command), *map(str, words)]
    if isinstance(stdin, str):
        stdin = stdin.encode()
    clean = {k: v for k, v in os.environ.items() if not k.startswith("DPIPE_")}
    completed = subprocess.run(
        argv, input=stdin, capture_output=True, timeout=timeout, cwd=cwd, env={**clean, **(env or {})}, check=False)
    return Result(completed)


def start(command, *words, env=None, **how):
    """Start `command` and go on; the caller stops it by the process it gets."""
    program = BIN / command
    argv = [str(program) if program.exists() else str(command), *map(str, words)]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("DPIPE_")}
    return subprocess.Popen(argv, env={**clean, **(env or {})}, **how)


class TestCase(unittest.TestCase):
    """A test with a scratch folder of its own, `self.scratch`."""

    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="dpipe-test-"))
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)

    def succeeds(self, command, *words, **how):
        """Run; assert exit 0 and a stderr without errors; give the result."""
        result = run(command, *words, **how)
        self.assertEqual(result.code, 0, f"{command} {words}: {result.err}")
        self.assertNotIn("error:", result.err)
        return result

    def fails(self, code, command, *words, **how):
        """Run; assert the exit code and a message that says why; give the result."""
        result = run(command, *words, **how)
        self.assertEqual(result.code, code, f"{command} {words}: {result.out}{result.err}")
        self.assertIn("error:", result.err)
        return result


def needs(program):
    """Skip, saying so, where a peer's program is not installed."""
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed")


needs_real_data = unittest.skipUnless(REAL_DATA.is_dir(), f"no real data at {REAL_DATA}")


def main():
    unittest.main(verbosity=2)
