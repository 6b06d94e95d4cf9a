"""dpipe-receive run by a user whose quota is used up, on a disk that has room: what does not fit is refused with A700H,
nothing half-written stands, and what was acknowledged is whole."""

import os
import shutil
import unittest

import dicom_bytes as made
import dpipe
import small_disk
from committing import CONTEXTS, Scu, image, take_report
from receiving import Receiver, stored

NOBODY = 65534
OUT_OF_RESOURCES = 0xA700
SIZES = (300_000, 20_000)


class Quota(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            raise unittest.SkipTest("not root: the receiver cannot be another user")
        self.scratch.chmod(0o711)
        self.limited = self.enterContext(small_disk.limited_btrfs(self.scratch / "disk", self.scratch / "image", 8 << 20))
        os.chown(self.limited, NOBODY, NOBODY)
        self.out = self.limited / "in"

    def receiver(self, *words):
        try:
            return self.enterContext(Receiver(
                self.out, "--min-free", "1M", *words, user=NOBODY, group=NOBODY, extra_groups=[]))
        except PermissionError:
            raise unittest.SkipTest(f"nobody may not run {dpipe.BIN}") from None

    def fill(self, peer, prefix):
        """{UID: data set} of what was taken until nothing of any size was."""
        taken = {}
        for size in SIZES:
            for number in range(100_000):
                uid = f"1.2.{prefix}.{size}.{number}"
                data_set = made.instance(uid, pixels=os.urandom(size))
                status = peer.store(uid, data_set)
                if status != 0:
                    self.assertEqual(status, OUT_OF_RESOURCES)
                    break
                taken[uid] = data_set
        return taken

    def assert_exactly(self, taken):
        """What stands is what was acknowledged, whole."""
        found = {}
        for path in stored(self.out):
            meta, data_set = made.split(path.read_bytes())
            found[path.stem] = data_set
        self.assertEqual(found, taken)

    def check_refused(self, durability):
        receiver = self.receiver("--durability", durability)
        peer = Scu(receiver.port, CONTEXTS)
        self.addCleanup(peer.close)
        taken = self.fill(peer, 1)
        self.assertGreater(len(taken), 10)
        self.assertGreater(shutil.disk_usage(self.out).free, 100 << 20)  # the disk is not what is full
        self.assert_exactly(taken)
        small_disk.set_quota(self.limited, 16 << 20)
        taken.update(self.fill(peer, 2))  # the association goes on
        self.assertGreater(len(taken), 30)
        self.assertTrue(peer.release())
        self.assertIn("with A700H: cannot write: Disk quota exceeded", receiver.stop()[2])
        self.assert_exactly(taken)

    def test_what_does_not_fit_is_refused(self):
        self.check_refused("full")

    def test_with_one_flush(self):
        self.check_refused("ext4")

    def test_without_flushes(self):
        self.check_refused("none")

    def test_storage_commitment_is_promised_only_where_it_can_be_kept(self):
        receiver = self.receiver()
        peer = Scu(receiver.port, CONTEXTS)
        self.addCleanup(peer.close)
        uid = next(iter(self.fill(peer, 1)))
        many = [image(uid), *(image(f"1.2.2.{number}") for number in range(5000))]
        self.assertEqual(peer.ask(many), 0x0213)
        self.assertEqual(list(self.out.glob(".dpipe-commitment/*")), [])
        small_disk.set_quota(self.limited, 16 << 20)
        self.assertEqual(peer.ask(many), 0)
        kind, committed, missing = take_report(peer)
        self.assertEqual((kind, committed, len(missing)), (2, [uid], 5000))
        self.assertTrue(peer.release())


if __name__ == "__main__":
    dpipe.main()
