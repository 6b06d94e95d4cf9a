"""dpipe-send with storage commitment: a source goes only once every node took the responsibility for it."""

import json

import dicom_bytes as made
import dpipe
from fake_store import COMMITMENT, FakeStore
from peers import free_port


class Commitment(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.raw = self.scratch / "raw"
        self.raw.mkdir()
        for number in range(1, 4):
            uid = f"1.2.3.{number}"
            (self.raw / f"{number}.dcm").write_bytes(made.part10(made.instance(uid), uid))

    def send(self, store, *words, code=0):
        result = dpipe.run(
            "dpipe-send", "--journal", self.scratch / "sent.db", "--aet", "ME", "--retry-delay", "0.05", "--json",
            "--node", f"STORE@127.0.0.1:{store.port}", "--commit-timeout", "3", *words, self.raw)
        self.assertEqual(result.code, code, result.out + result.err)
        self.records = {r["SOPInstanceUID"]: r for r in map(json.loads, result.lines)}
        return result

    def left(self):
        return sorted(path.stem for path in self.raw.iterdir())

    def test_on_the_same_association(self):
        with FakeStore() as store:
            self.send(store, "--remove-source")
            self.assertEqual([sorted(t) for t in store.transactions],
                             [[(made.SECONDARY_CAPTURE, f"1.2.3.{n}") for n in (1, 2, 3)]])
        self.assertEqual(self.left(), [])
        self.assertEqual({r["committed"] and r["removed"] for r in self.records.values()}, {True})

    def test_on_an_association_of_the_node_s(self):
        with FakeStore() as store:
            store.reports, store.report_port = "new", free_port()
            self.send(store, "--remove-source", "--commit-port", str(store.report_port), "--bind", "127.0.0.1")
        self.assertEqual(self.left(), [])

    def test_without_being_told_to_nothing_is_removed(self):
        with FakeStore() as store:
            self.send(store, "--commit")
        self.assertEqual(self.left(), ["1", "2", "3"])

    def test_what_the_node_does_not_have_stays_and_is_sent_again(self):
        with FakeStore() as store:
            store.lost = {"1.2.3.2"}
            self.send(store, "--remove-source", code=3)
            self.assertEqual(self.left(), ["2"])
            self.assertIn("0112H, it does not have the instance", self.records["1.2.3.2"]["reason"])
            store.lost = set()
            self.send(store, "--remove-source")
            self.assertEqual(store.asked["1.2.3.2"], 2)
        self.assertEqual(self.left(), [])

    def test_a_report_that_never_comes(self):
        with FakeStore() as store:
            store.reports = "never"
            self.send(store, "--remove-source", code=3)
            self.assertEqual(self.left(), ["1", "2", "3"])
            store.reports = "same"
            self.send(store, "--remove-source")  # nothing is sent again: it is only asked for
            self.assertEqual(store.asked.total(), 3)
        self.assertEqual(self.left(), [])

    def test_a_node_that_does_not_offer_it(self):
        choose = lambda abstract, syntaxes: None if abstract == COMMITMENT else syntaxes[0]
        with FakeStore(choose) as store:
            self.send(store, "--remove-source", code=3)
            self.assertIn("it does not offer it", self.records["1.2.3.1"]["reason"])
        self.assertEqual(self.left(), ["1", "2", "3"])

    def test_a_node_that_refuses_the_request(self):
        with FakeStore() as store:
            store.action_status = 0x0110
            self.send(store, "--remove-source", code=3)
        self.assertEqual(self.left(), ["1", "2", "3"])

    def test_one_of_two_nodes_is_not_enough(self):
        with FakeStore() as one, FakeStore() as two:
            two.lost = {"1.2.3.1"}
            self.send(one, "--node", f"TWO@127.0.0.1:{two.port}", "--remove-source", code=3)
        self.assertEqual(self.left(), ["1"])

    def test_a_file_that_changed_meanwhile_stays(self):
        with FakeStore() as store:
            # While the first is on its way the journal has nothing: the change falls between sending and report.
            original, path = store.commit, self.raw / "1.dcm"

            def commit(*words):
                path.write_bytes(path.read_bytes() + b"\0\0")
                original(*words)
            store.commit = commit
            self.send(store, "--remove-source")
        self.assertEqual(self.left(), ["1"])
        self.assertFalse(self.records["1.2.3.1"]["removed"])


if __name__ == "__main__":
    dpipe.main()
