"""A disk that is soon full: a small tmpfs, where this user may mount one."""

import contextlib
import pathlib
import subprocess
import time
import unittest


def mounted(folder, size):
    """A tmpfs of `size` bytes on `folder`; the test is skipped, saying so, where mounting is not permitted."""
    return _mounted(folder, ["-t", "tmpfs", "-o", f"size={size}", "dpipe-test"])


def mounted_ext4(folder, image, size):
    """The same with an ext4 of `size` bytes, journal and all, in the file `image`: what is written finds its place late."""
    with open(image, "wb") as file:
        file.truncate(size)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-I", "256", str(image)], capture_output=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        raise unittest.SkipTest("no mkfs.ext4: the full ext4 is not tested") from None
    return _mounted(folder, ["-o", "loop", str(image)])


@contextlib.contextmanager
def limited_btrfs(folder, image, quota):
    """A folder below `folder` that may hold `quota` bytes of a disk that has room for more: what goes past it fails with
    EDQUOT. Of the quotas that Linux knows, btrfs's are there wherever btrfs is."""
    with open(image, "wb") as file:
        file.truncate(256 << 20)
    try:
        subprocess.run(["mkfs.btrfs", "-q", str(image)], capture_output=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        raise unittest.SkipTest("no mkfs.btrfs: the full quota is not tested") from None
    with _mounted(folder, ["-o", "loop", str(image)]) as top:
        limited = top / "limited"
        for words in (["quota", "enable", top], ["subvolume", "create", limited]):
            subprocess.run(["btrfs", *map(str, words)], capture_output=True, check=True)
        set_quota(limited, quota)
        yield limited


def set_quota(limited, quota):
    subprocess.run(["btrfs", "qgroup", "limit", str(quota), str(limited)], capture_output=True, check=True)


@contextlib.contextmanager
def _mounted(folder, words):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        mount = subprocess.run(["mount", *words, str(folder)], capture_output=True, check=False)
    except FileNotFoundError:
        raise unittest.SkipTest("no mount program: the full disk is not tested") from None
    if mount.returncode != 0:
        raise unittest.SkipTest("may not mount a disk: the full disk is not tested")
    try:
        yield folder
    finally:
        until = time.monotonic() + 10
        while subprocess.run(["umount", str(folder)], capture_output=True, check=False).returncode != 0:
            if time.monotonic() > until:  # processes that were killed take a moment to go
                raise AssertionError(f"{folder} is still in use")
            time.sleep(0.05)
