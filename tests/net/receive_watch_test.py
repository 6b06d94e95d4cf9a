"""dpipe-watch beside dpipe-receive: an open association holds a study, its release closes it, what comes late opens it
again."""

import contextlib
import json
import signal
import subprocess
import threading
import time

import dicom_bytes as made
import dpipe
from dicom_peer import Requestor
from receiving import Receiver

CONTEXTS = [(made.SECONDARY_CAPTURE, [made.EXPLICIT])]


class WatchTest(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.out, self.events = self.scratch / "in", self.scratch / "events"
        self.receiver = self.enterContext(Receiver(
            self.out, "--events", self.events, stdout=subprocess.DEVNULL))

    def send(self, uid, end=Requestor.release, study="1.2.3"):
        with Requestor(self.receiver.port, CONTEXTS) as peer:
            self.assertEqual(peer.store(uid, made.instance(uid, study=study)), 0)
            end(peer)

    @contextlib.contextmanager
    def watch(self, timeout=60):
        process = dpipe.start(
            "dpipe-watch", self.out, "--json", "--timeout", timeout, "--events", self.events, "--after-release", "0.3",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        found = []
        reader = threading.Thread(target=lambda: found.extend(json.loads(line) for line in process.stdout))
        reader.start()
        try:
            yield found
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            reader.join()
            process.stdout.close()
            process.stderr.close()

    def wait_for(self, what, seconds=15):
        until = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)

    def test_a_release_closes_a_study_and_what_comes_late_opens_it_again(self):
        with self.watch() as found:
            peer = Requestor(self.receiver.port, CONTEXTS)
            self.addCleanup(peer.close)
            self.assertEqual(peer.store("1.2.9", made.instance("1.2.9")), 0)
            self.send("1.2.8")  # another association for the same study is released
            time.sleep(1.5)
            self.assertEqual(found, [])
            peer.release()
            self.wait_for(lambda: len(found) == 1)
            self.send("1.2.7")
            self.wait_for(lambda: len(found) == 2)
        self.assertEqual([(f["path"], f["revision"], f["files"]) for f in found],
                         [(str(self.out / "1.2.3"), 1, 2), (str(self.out / "1.2.3"), 2, 3)])

    def test_an_association_that_breaks_off_does_not(self):
        with self.watch() as found:
            self.send("1.2.9", Requestor.abort)
            self.send("1.2.9", study="1.2.4")
            self.wait_for(lambda: len(found) == 1)
            time.sleep(1.5)
            self.assertEqual([f["path"] for f in found], [str(self.out / "1.2.4")])
            self.send("1.2.9")  # it comes again, with what is there already
            self.wait_for(lambda: len(found) == 2)
            self.assertEqual(found[1]["path"], str(self.out / "1.2.3"))

    def test_a_restart_forgets_no_release(self):
        with self.watch() as found:
            self.send("1.2.9", study="1.2.4")
            self.wait_for(lambda: len(found) == 1)
        self.send("1.2.9", Requestor.abort)
        self.send("1.2.8", study="1.2.5")
        with self.watch() as found:
            self.wait_for(lambda: len(found) == 1)
            time.sleep(1)
            self.assertEqual([f["path"] for f in found], [str(self.out / "1.2.5")])

    def test_without_a_release_the_timeout_holds(self):
        with self.watch(timeout=1) as found:
            self.send("1.2.9", Requestor.abort)
            self.wait_for(lambda: len(found) == 1)


if __name__ == "__main__":
    dpipe.main()
