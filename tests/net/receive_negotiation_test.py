"""What dpipe-receive answers to what a peer proposes besides contexts (PS3.7 §D.3.3), and how it turns one away."""

import socket
import struct

import dicom_bytes as made
import dpipe
from dicom_peer import RJ, RQ, Peer, Rejected, Requestor, aet, item, user_information
from receiving import Receiver


MAX_LENGTH, WINDOW, ROLE, EXTENDED = 0x51, 0x53, 0x54, 0x56
CONTEXTS = [(made.SECONDARY_CAPTURE, [made.EXPLICIT]), (made.MR, [made.EXPLICIT]),
            (made.VERIFICATION, [made.IMPLICIT])]


def about(sop_class, body):
    """A sub-item that is about a SOP class: a role, or extended negotiation."""
    return struct.pack(">H", len(sop_class)) + sop_class.encode() + body


class NegotiationTest(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.scratch / "in"

    def answers(self, receiver, kind, more):
        peer = Requestor(receiver.port, CONTEXTS, more=more)
        self.addCleanup(peer.close)
        return peer, [body for found, body in peer.answered if found == kind]


class Roles(NegotiationTest):
    def test_a_requestor_that_would_be_both_is_the_scu(self):
        for asked in (b"\1\0", b"\1\1"):
            with Receiver(self.out) as receiver:
                peer, roles = self.answers(receiver, ROLE, item(ROLE, about(made.MR, asked)))
                self.assertEqual(roles, [about(made.MR, b"\1\0")])
                self.assertEqual(peer.store("1.2.9", made.instance("1.2.9", sop_class=made.MR), context=3), 0)

    def test_who_would_only_serve_is_not_needed(self):
        with Receiver(self.out) as receiver:
            peer, roles = self.answers(receiver, ROLE, item(ROLE, about(made.MR, b"\0\1")))
            self.assertEqual((sorted(peer.accepted), roles), ([1, 5], []))

    def test_who_asks_for_none_is_told_of_none(self):
        with Receiver(self.out) as receiver:
            peer, roles = self.answers(receiver, ROLE, b"")
            self.assertEqual((sorted(peer.accepted), roles), ([1, 3, 5], []))


class Extended(NegotiationTest):
    def test_storage_is_of_level_2_and_coerces_nothing(self):
        asked = b"".join(item(EXTENDED, about(uid, b"\0\0\0\0\1\0"))
                         for uid in (made.SECONDARY_CAPTURE, made.CT, made.VERIFICATION, made.MR))
        with Receiver(self.out) as receiver:
            peer, answers = self.answers(receiver, EXTENDED, asked)
            self.assertEqual(answers, [about(uid, b"\2\0\3\0\0\0") for uid in (made.SECONDARY_CAPTURE, made.MR)])
            self.assertEqual(peer.echo(context=5), 0)


class Window(NegotiationTest):
    def test_as_many_as_it_likes_are_answered_in_their_order(self):
        for asked in (0, 1, 50):
            with Receiver(self.out) as receiver:
                peer, windows = self.answers(receiver, WINDOW, item(WINDOW, struct.pack(">HH", asked, 7)))
                self.assertEqual(windows, [struct.pack(">HH", asked, 1)])
                uids = [f"1.2.9.{number}" for number in range(50)]
                for uid in uids:
                    peer.store_request(1, uid, made.SECONDARY_CAPTURE)
                    peer.send_data_set(1, made.instance(uid))
                answers = [peer.receive_message()[1] for _ in uids]
                self.assertEqual([(a["AffectedSOPInstanceUID"], a["Status"]) for a in answers],
                                 [(uid, 0) for uid in uids])
                self.assertTrue(peer.release())

    def test_beside_everything_else(self):
        more = (item(ROLE, about(made.MR, b"\1\0")) + item(WINDOW, b"\0\5\0\1")
                + item(EXTENDED, about(made.MR, b"\2")) + item(0x57, about(made.MR, b"\0\0\0\0")))
        with Receiver(self.out) as receiver:
            peer, sizes = self.answers(receiver, MAX_LENGTH, more)
            self.assertEqual(sizes, [struct.pack(">I", 131072)])
            self.assertEqual(len([1 for kind, _ in peer.answered if kind in (WINDOW, ROLE, EXTENDED)]), 3)
            self.assertEqual(peer.echo(context=5), 0)

    def test_who_says_nothing_hears_nothing(self):
        with Receiver(self.out) as receiver:
            self.assertEqual(self.answers(receiver, WINDOW, b"")[1], [])


class Rejections(NegotiationTest):
    def request(self, receiver, version=1, application=b"1.2.840.10008.3.1.1.1"):
        connection = Peer(socket.create_connection(("127.0.0.1", receiver.port), 10))
        self.addCleanup(connection.close)
        body = struct.pack(">HH", version, 0) + aet("DICOMRCV") + aet("PEER") + b"\0" * 32 + item(0x10, application)
        body += item(0x20, b"\1\0\0\0" + item(0x30, made.VERIFICATION.encode())
                     + item(0x40, made.IMPLICIT.encode()))
        connection.send_pdu(RQ, body + user_information(16384))
        kind, answer = connection.receive_pdu()
        return kind, tuple(answer[1:4])

    def test_by_what_is_wrong(self):
        """(result, source, reason) of PS3.8 Table 9-21."""
        with Receiver(self.out, "--check-called", "--allow-aet", "PEER") as receiver:
            self.assertEqual(self.request(receiver, version=2), (RJ, (1, 2, 2)))
            self.assertEqual(self.request(receiver, application=b"1.2.3"), (RJ, (1, 1, 2)))
            for titles, reason in (({"calling": "X"}, 3), ({"called": "X"}, 7)):
                with self.assertRaises(Rejected) as caught:
                    Requestor(receiver.port, **titles)
                self.assertEqual(caught.exception.answer, (1, 1, reason))


if __name__ == "__main__":
    dpipe.main()
