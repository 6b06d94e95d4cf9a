"""A disk that is soon full: a small tmpfs, where this user may mount one."""

import contextlib
import pathlib
import subprocess
import time
import unittest


@contextlib.contextmanager
def mounted(folder, size):
    """A tmpfs of `size` bytes on `folder`; the test is skipped, saying so, where mounting is not permitted."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        mount = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "dpipe-test", str(folder)],
            capture_output=True, check=False)
    except FileNotFoundError:
        raise unittest.SkipTest("no mount program: the full disk is not tested") from None
    if mount.returncode != 0:
        raise unittest.SkipTest("may not mount a tmpfs: the full disk is not tested")
    try:
        yield folder
    finally:
        until = time.monotonic() + 10
        while subprocess.run(["umount", str(folder)], capture_output=True, check=False).returncode != 0:
            if time.monotonic() > until:  # processes that were killed take a moment to go
                raise AssertionError(f"{folder} is still in use")
            time.sleep(0.05)
