"""dpipe-receive against every bad peer of one list, N1 to N11, with the figures that it reaches.

Short in the test run; `make faults` runs it in full (DPIPE_FAULTS=long) and takes about half an hour.
What N4, N8 and N9 ask for besides is in net/receive_fault and net/receive.
"""

import contextlib
import errno
import math
import os
import pathlib
import random
import resource
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
import unittest

import dicom_bytes as made
import dpipe
import small_disk
from dicom_peer import RQ, Gone, Requestor, aet, command_bytes, item, user_information
from receiving import Receiver, stored, unread

LONG = os.environ.get("DPIPE_FAULTS") == "long"
CONTEXTS = [(made.SECONDARY_CAPTURE, [made.EXPLICIT]), (made.VERIFICATION, [made.IMPLICIT])]
#: What an unexpected end looks like to a peer.
ENDED = (Gone, OSError, struct.error)


def count(short, long):
    return long if LONG else short


def say(number, **figures):
    print(f"{number}: " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items()),
          file=sys.stderr, flush=True)


def p99(seconds):
    return sorted(seconds)[math.ceil(len(seconds) * 0.99) - 1]


def timed(work):
    start = time.monotonic()
    work()
    return time.monotonic() - start


def status_of(pid):
    """VmSize and VmRSS in kB."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) for line in lines if line.startswith("Vm")}


def children_of(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def private_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


class FaultTest(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.scratch / "in"

    def receiver(self, *words, **how):
        return Receiver(self.out, "--min-free", "0", *words, stdout=subprocess.DEVNULL, **how)

    def requestor(self, receiver, **how):
        peer = Requestor(receiver.port, CONTEXTS, **how)
        self.addCleanup(peer.close)
        return peer

    def connect(self, receiver):
        connection = socket.create_connection(("127.0.0.1", receiver.port), 10)
        self.addCleanup(connection.close)
        return connection

    def settled(self, receiver):
        """The parent, once no child is left."""
        until = time.monotonic() + 20
        while children_of(receiver.process.pid) and time.monotonic() < until:
            time.sleep(0.05)
        self.assertEqual(children_of(receiver.process.pid), [])
        return self.parent(receiver)

    def flat(self, receiver, before, growth_kib):
        """No child is left, and the parent is as it was."""
        after = self.settled(receiver)
        self.assertEqual(after["fds"], before["fds"])
        if not dpipe.SANITIZED:
            self.assertLess(after["VmRSS"] - before["VmRSS"], growth_kib)
            self.assertLess(after["VmSize"] - before["VmSize"], growth_kib)
        return after

    @staticmethod
    def parent(receiver):
        pid = receiver.process.pid
        return {**status_of(pid), "fds": len(os.listdir(f"/proc/{pid}/fd"))}


class N01(FaultTest):
    def test_those_who_hang_delay_nobody(self):
        with self.receiver() as receiver:
            held = [self.connect(receiver) for _ in range(100)]
            stalled = [self.requestor(receiver) for _ in range(20)]
            for peer in stalled:
                peer.store_request(1, "1.2.8", made.SECONDARY_CAPTURE)
                peer.send_pdvs((1, 0, made.instance("1.2.8")[:100]))
            echoes, stores = [], []
            request = struct.pack(">BBI", RQ, 0, 60_000) + b"\0" * 1000

            def echo():
                with Requestor(receiver.port) as peer:
                    self.assertEqual(peer.echo(), 0)
                    peer.release()

            def store(uid):
                with Requestor(receiver.port, CONTEXTS) as peer:
                    self.assertEqual(peer.store(uid, made.instance(uid)), 0)
                    peer.release()

            for number in range(count(30, 300)):
                for connection in held[50:]:
                    connection.sendall(request[number:number + 1])
                echoes.append(timed(echo))
                stores.append(timed(lambda uid=f"1.2.9.{number}": store(uid)))
            say("N1", hostile=len(held) + len(stalled), echo_p99_s=round(p99(echoes), 3),
                store_p99_s=round(p99(stores), 3))
            self.assertLess(max(p99(echoes), p99(stores)), 1)


class N02(FaultTest):
    def test_many_at_once(self):
        senders, each, size = count((40, 5, 50_000), (200, 20, 500_000))
        failed = []

        def send(receiver, sender):
            try:
                with Requestor(receiver.port, CONTEXTS, timeout=120, source=f"127.0.{sender // 100}.1") as peer:
                    ready.wait(120)
                    for number in range(each):
                        uid = f"1.2.{sender}.{number}"
                        status = peer.store(uid, made.instance(uid, study=f"1.2.{sender}", pixels=b"\1" * size))
                        if status != 0:
                            failed.append(status)
                    peer.release()
            except ENDED + (threading.BrokenBarrierError,) as error:
                failed.append(error)

        ready = threading.Barrier(senders + 1)
        with self.receiver() as receiver:
            before = self.settled(receiver)
            threads = [threading.Thread(target=send, args=(receiver, n)) for n in range(senders)]
            for thread in threads:
                thread.start()
            ready.wait(120)
            memory = []
            while any(thread.is_alive() for thread in threads):
                with contextlib.suppress(OSError):
                    memory += [private_kib(pid) for pid in children_of(receiver.process.pid)[:10]]
                time.sleep(0.1)
            after = self.flat(receiver, before, 4096)
        private = round(statistics.median(memory) / 1024, 2) if memory else None
        say("N2", associations=senders, stored=len(stored(self.out)), failed=len(failed), MB_private_each=private,
            parent_RSS_growth_kB=after["VmRSS"] - before["VmRSS"])
        self.assertEqual((failed, len(stored(self.out))), ([], senders * each))
        if private is not None and not dpipe.SANITIZED:
            self.assertLess(private, 1)

    def test_many_in_turn_leave_nothing(self):
        associations = count(300, 10_000)
        with self.receiver() as receiver:
            def some(number):
                for _ in range(number):
                    with Requestor(receiver.port) as peer:
                        self.assertEqual(peer.echo(), 0)
                        peer.release()

            some(100)
            before = self.settled(receiver)
            seconds = timed(lambda: some(associations))
            after = self.flat(receiver, before, 1024)
        say("N2", in_turn=associations, a_second=round(associations / seconds), descriptors=after["fds"],
            RSS_growth_kB=after["VmRSS"] - before["VmRSS"], VmSize_growth_kB=after["VmSize"] - before["VmSize"])


class N03(FaultTest):
    def test_killed_under_load(self):
        sent, acknowledged = {}, []

        def send(port, run, sender):
            with contextlib.suppress(*ENDED), Requestor(port, CONTEXTS) as peer:
                for number in range(10_000):
                    uid = f"1.2.{run}.{sender}.{number}"
                    sent[uid] = made.instance(uid, pixels=os.urandom(8) * 4000)
                    if peer.store(uid, sent[uid]) == 0:
                        acknowledged.append(uid)

        kills = count(3, 100)
        starts = []
        for run in range(kills):
            start = time.monotonic()
            receiver = self.receiver()
            starts.append(time.monotonic() - start)
            threads = [threading.Thread(target=send, args=(receiver.port, run, n)) for n in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(random.uniform(0.1, 0.6))
            receiver.kill()
            for thread in threads:
                thread.join()
        there = {path.stem: path for path in stored(self.out)}
        missing = set(acknowledged) - set(there)
        broken = [uid for uid, path in there.items() if made.split(path.read_bytes())[1] != sent[uid]]
        say("N3", kills=kills, acknowledged=len(acknowledged), missing=len(missing), broken=len(broken),
            slowest_start_s=round(max(starts), 2))
        self.assertEqual((missing, broken), (set(), []))
        self.assertGreater(len(acknowledged), 0)


class N05(FaultTest):
    def around(self, disk, sizes):
        """Stores objects of these lengths, each on a disk that is empty but for it: the statuses; slowest answer."""
        statuses, slowest = set(), 0
        with disk, self.receiver("--min-free-files", "0") as receiver:
            peer = self.requestor(receiver)
            for size in sizes:
                data_set = made.instance("1.2.8", pixels=b"\1" * size)
                start = time.monotonic()
                status = peer.store("1.2.8", data_set)
                slowest = max(slowest, time.monotonic() - start)
                statuses.add(status)
                files = stored(self.out)
                if status == 0:
                    self.assertEqual(made.split(files[0].read_bytes())[1], data_set)
                    files[0].unlink()
                else:
                    self.assertEqual((status, files), (0xA700, []))
            self.assertEqual(peer.echo(context=3), 0)
        return statuses, slowest

    def test_every_boundary_of_a_full_disk(self):
        step = count(1024, 64)
        sizes = range(256 * 1024 - 8 * 4096, 256 * 1024 + 3 * 4096, step)
        statuses, slowest = self.around(small_disk.mounted(self.out, "256k"), sizes)
        self.assertEqual(statuses, {0, 0xA700})
        say("N5", lengths=len(sizes), false_successes=0, slowest_answer_s=round(slowest, 3))
        self.assertLess(slowest, 5)

    def test_every_boundary_of_a_full_ext4(self):
        """Space is found when the bytes are flushed, not when they are written."""
        disk = small_disk.mounted_ext4(self.out, self.scratch / "image", 4 << 20)
        with disk:
            left = os.statvfs(self.out)
            room = left.f_bavail * left.f_frsize
        sizes = range(room - 24 * 4096, room + 4 * 4096, count(2048, 128))
        disk = small_disk.mounted_ext4(self.out, self.scratch / "image", 4 << 20)
        statuses, slowest = self.around(disk, sizes)
        self.assertEqual(statuses, {0, 0xA700})
        say("N5", ext4_lengths=len(sizes), false_successes=0, slowest_answer_s=round(slowest, 3))
        self.assertLess(slowest, 5)

    def test_no_names_left(self):
        with small_disk.mounted(self.out, "1m,nr_inodes=12"), self.receiver("--min-free-files", "0") as receiver:
            peer = self.requestor(receiver)
            statuses = [peer.store(f"1.2.9.{n}", made.instance(f"1.2.9.{n}")) for n in range(12)]
            good = statuses.count(0)
            self.assertEqual(statuses, [0] * good + [0xA700] * (12 - good))
            self.assertEqual(len(stored(self.out)), good)
            say("N5", inodes=12, stored=good, refused=12 - good)


#: Lets a call fail that a file names: `CALL ERRNO FROM`, of a regular file that has FROM bytes or more, or of a folder.
FAILING = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
static int fails(const char* call, int fd)
{
    char named[32] = "";
    int error = 0;
    long from = 0;
    struct stat about;
    int control = open(getenv("FAILING"), O_RDONLY | O_CLOEXEC);
    char text[64] = "";
    if (control < 0) return 0;
    if (read(control, text, sizeof text - 1) < 0) text[0] = 0;
    close(control);
    if (sscanf(text, "%31s %d %ld", named, &error, &from) < 2 || strcmp(named, call) != 0) return 0;
    if (fd >= 0 && (fstat(fd, &about) != 0 || (!S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)) ||
                    about.st_size < from)) return 0;
    errno = error;
    return 1;
}
#define REAL(name) static __typeof__(name)* real; if (!real) real = dlsym(RTLD_NEXT, #name)
ssize_t write(int fd, const void* from, size_t size) { REAL(write); return fd > 2 && fails("write", fd) ? -1 : real(fd, from, size); }
ssize_t writev(int fd, const struct iovec* from, int count) { REAL(writev); return fd > 2 && fails("writev", fd) ? -1 : real(fd, from, count); }
int fdatasync(int fd) { REAL(fdatasync); return fails("fdatasync", fd) ? -1 : real(fd); }
int fsync(int fd) { REAL(fsync); return fails("fsync", fd) ? -1 : real(fd); }
int mkdir(const char* path, mode_t mode) { REAL(mkdir); return fails("mkdir", -1) ? -1 : real(path, mode); }
int linkat(int a, const char* b, int c, const char* d, int e)
{
    REAL(linkat);
    return fails("linkat", -1) ? -1 : real(a, b, c, d, e);
}
int renameat2(int a, const char* b, int c, const char* d, unsigned e)
{
    REAL(renameat2);
    return fails("renameat2", -1) ? -1 : real(a, b, c, d, e);
}
"""


@dpipe.unittest.skipIf(dpipe.SANITIZED, "a sanitizer's library must come first")
class N05Errors(FaultTest):
    @dpipe.needs("cc")
    def test_a_disk_that_fails(self):
        """EIO, a quota, a read-only turn, at each call: never Success, and the association goes on."""
        source, library, control = (self.scratch / name for name in ("failing.c", "failing.so", "failing"))
        source.write_text(FAILING)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        environment = {"LD_PRELOAD": str(library), "FAILING": str(control)}
        answers, slowest = [], 0
        for durability in ("full", "ext4"):
            with self.receiver("--durability", durability, env=environment) as receiver:
                peer = self.requestor(receiver)
                for number in (errno.EIO, errno.EDQUOT, errno.EROFS, errno.ENOSPC):
                    for call in ("writev", "write", "write-later", "fdatasync", "fsync", "mkdir", "linkat"):
                        if (call == "fdatasync") and durability == "ext4":
                            continue  # it flushes once, by fsync
                        self.assertEqual(peer.echo(context=3), 0)
                        study = f"1.2.{len(answers)}.{len(durability)}"
                        data_set = made.instance(study + ".9", study=study, pixels=b"\1" * 200_000)
                        control.write_text(f"{call.split('-')[0]} {number} {100_000 if '-' in call else 0}")
                        start = time.monotonic()
                        answers.append((durability, call, number, peer.store(study + ".9", data_set)))
                        slowest = max(slowest, time.monotonic() - start)
                        control.unlink()
                        there = [path for path in stored(self.out) if path.stem == study + ".9"]
                        if call != "fsync":  # else a name may stand that is not durable yet
                            self.assertEqual(there, [], answers[-1])
                        self.assertEqual(peer.store(study + ".9", data_set), 0)
                        there = [path for path in stored(self.out) if path.stem == study + ".9"]
                        self.assertEqual([made.split(path.read_bytes())[1] for path in there], [data_set])
                control.write_text(f"writev {errno.ENOSPC}")
                self.assertEqual(peer.store("1.2.8", b""), 0xA700)
                control.unlink()
                self.assertEqual(peer.store("1.2.8", b""), 0xC000)
        say("N5", failing_calls=len(answers), false_successes=sum(answer[3] == 0 for answer in answers),
            slowest_answer_s=round(slowest, 3))
        self.assertEqual({answer[3] for answer in answers}, {0xA700}, answers)
        self.assertLess(slowest, 5)

    def test_a_limit_on_files_that_the_administrator_set(self):
        for words in ((), ("--max-object", "0")):
            with self.receiver(*words, preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_FSIZE, (100_000, 100_000))) as receiver:
                peer = self.requestor(receiver)
                for uid, size, status in (("1.2.9", 200_000, 0xA700), ("1.2.8", 50_000, 0)):
                    self.assertEqual(peer.store(uid, made.instance(uid, pixels=b"\1" * size)), status)
                self.assertEqual([path.name for path in stored(self.out)], ["1.2.8.dcm"])
                self.assertEqual(peer.echo(context=3), 0)


class N06(FaultTest):
    def test_a_second_transfer_that_breaks_off_changes_nothing(self):
        data_set = made.instance("1.2.9", pixels=b"\1" * 200_000)
        other = made.instance("1.2.9", pixels=b"\2" * 200_000)
        tries = 0
        for policy in ("keep-if-identical", "replace"):
            with self.receiver("--duplicates", policy) as receiver:
                self.assertEqual(self.requestor(receiver).store("1.2.9", data_set), 0)
                for end in ("abort", "close", "reset"):
                    for cut in range(1000, len(other), count(60_000, 5_000)):
                        peer = self.requestor(receiver)
                        peer.store_request(1, "1.2.9", made.SECONDARY_CAPTURE)
                        peer.send_pdvs((1, 0, other[:cut]))
                        if end == "reset":
                            peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        (peer.abort if end == "abort" else peer.close)()
                        tries += 1
                until = time.monotonic() + 10
                while len(children_of(receiver.process.pid)) > 1 and time.monotonic() < until:
                    time.sleep(0.05)
                self.assertEqual([p.name for p in stored(self.out)], ["1.2.9.dcm"])
                self.assertEqual(made.split(stored(self.out)[0].read_bytes())[1], data_set)
        say("N6", broken_off=tries, changed=0, leftovers=0)


class N07(FaultTest):
    def test_malformed_streams(self):
        """Random damage to the bytes of a good peer: a process may end, the parent goes on."""
        chance = random.Random(7)
        store = command_bytes(CommandField=1, MessageID=1, Priority=0, CommandDataSetType=1,
                              AffectedSOPClassUID=made.SECONDARY_CAPTURE, AffectedSOPInstanceUID="1.2.9")
        good = self.spoken(store, made.instance("1.2.9"))
        connections = count(300, 100_000)
        with self.receiver("--timeout", "2", "--duplicates", "replace") as receiver:
            threading.Thread(target=self.drain, args=(receiver,), daemon=True).start()
            for _ in range(20):
                self.throw(receiver, good)
            before = self.settled(receiver)
            for _ in range(connections):
                bad = bytearray(good)
                for _ in range(chance.choice((1, 1, 2, 8))):
                    place = chance.randrange(len(bad))
                    what = chance.randrange(4)
                    if what == 0:
                        bad[place] = chance.randrange(256)
                    elif what == 1:
                        bad[place:place + 4] = struct.pack(">I", chance.choice((0, 1, 2**31, 2**32 - 1)))
                    elif what == 2:
                        del bad[place:place + chance.randrange(1, 40)]
                    else:
                        bad[place:place] = bad[place:place + chance.randrange(1, 200)]
                self.throw(receiver, bytes(bad))
            self.assertIsNone(receiver.process.poll())
            with Requestor(receiver.port) as peer:
                self.assertEqual(peer.echo(), 0)
                peer.release()
            after = self.flat(receiver, before, 1024)
        say("N7", malformed=connections, died=self.died, RSS_growth_kB=after["VmRSS"] - before["VmRSS"])
        self.assertEqual(self.died, 0)

    died = 0

    def drain(self, receiver):
        with contextlib.suppress(ValueError, OSError):
            for line in receiver.process.stderr:
                self.died += b"died by signal" in line

    @staticmethod
    def throw(receiver, stream):
        with socket.create_connection(("127.0.0.1", receiver.port), 5) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(stream)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass

    @staticmethod
    def spoken(command, data_set):
        """All that a good peer says: request, C-STORE, release."""
        body = struct.pack(">HH", 1, 0) + aet("DICOMRCV") + aet("PEER") + b"\0" * 32
        body += item(0x10, b"1.2.840.10008.3.1.1.1")
        body += item(0x20, b"\1\0\0\0" + item(0x30, made.SECONDARY_CAPTURE.encode())
                     + item(0x40, made.EXPLICIT.encode()))
        body += user_information(16384)
        pdvs = b"".join(struct.pack(">IBB", len(d) + 2, 1, control) + d for control, d in ((3, command), (2, data_set)))
        return b"".join(struct.pack(">BBI", kind, 0, len(b)) + b for kind, b in (
            (RQ, body), (4, pdvs), (5, b"\0" * 4)))


class N08(FaultTest):
    def test_titles_for_a_shell(self):
        titles = ["$(touch x)", "`touch x`", "; touch x", "../../x", "| touch x", "a'b\"c", "%s%n", "\x01\x1b[31m"]
        with self.receiver("--layout", "{SOPInstanceUID}.dcm") as receiver:
            for number, title in enumerate(titles):
                uid = f"1.2.9.{number}"
                with Requestor(receiver.port, CONTEXTS, calling=title, called=title) as peer:
                    self.assertEqual(peer.store(uid, made.instance(uid)), 0)
                    peer.release()
            _, _, err = receiver.stop()
        self.assertEqual(sorted(p.name for p in stored(self.scratch)), [f"1.2.9.{n}.dcm" for n in range(len(titles))])
        self.assertNotIn("\x1b", err)
        say("N8", titles=len(titles), files_elsewhere=0)


class N09(FaultTest):
    def test_nesting(self):
        depths = (100, 1_000, 10_000, 100_000) + ((1_000_000,) if LONG else ())
        statuses, memory = {}, 0
        with self.receiver() as receiver:
            peer = self.requestor(receiver)
            for depth in depths:
                data_set = made.instance("1.2.9", more=[(0x00081115, made.nested(0x00081115, depth))])
                statuses[depth] = peer.store("1.2.9", data_set)
                peak = status_of(children_of(receiver.process.pid)[0])["VmHWM"]
                memory = max(memory, peak)
            self.assertEqual(peer.echo(context=3), 0)
        say("N9", statuses=" ".join(f"{d}:{s:04X}H" for d, s in statuses.items()), peak_MB=round(memory / 1024))
        self.assertEqual({statuses[depth] for depth in depths[:3]}, {0})
        self.assertTrue(set(statuses.values()) <= {0, 0xC000})


#: Adds the seconds that a file holds to what the wall clocks say.
CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long jump(void)
{
    long seconds = 0;
    FILE* file = fopen(getenv("CLOCK_JUMP"), "r");
    if (file) { if (fscanf(file, "%ld", &seconds) != 1) seconds = 0; fclose(file); }
    return seconds;
}
int clock_gettime(clockid_t clock, struct timespec* now)
{
    static int (*real)(clockid_t, struct timespec*);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += jump();
    return result;
}
time_t time(time_t* to)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to) *to = now.tv_sec;
    return now.tv_sec;
}
int gettimeofday(struct timeval* restrict to, void* restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    to->tv_sec = now.tv_sec;
    to->tv_usec = now.tv_nsec / 1000;
    return 0;
}
"""


@dpipe.unittest.skipIf(dpipe.SANITIZED, "a sanitizer's library must come first")
class N10(FaultTest):
    @dpipe.needs("cc")
    def test_a_clock_that_jumps_moves_no_deadline(self):
        source, library, jump = (self.scratch / name for name in ("clock.c", "clock.so", "jump"))
        source.write_text(CLOCK)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        environment = {"LD_PRELOAD": str(library), "CLOCK_JUMP": str(jump)}
        times = []
        for seconds in (3600, -3600):
            jump.write_text("0")
            with self.receiver("--timeout", "1", env=environment) as receiver:
                silent, idle, half = self.connect(receiver), self.requestor(receiver), self.requestor(receiver)
                half.store_request(1, "1.2.8", made.SECONDARY_CAPTURE)
                jump.write_text(str(seconds))
                start = time.monotonic()
                self.assertEqual(silent.recv(1), b"")
                for peer in (idle, half):
                    with self.assertRaises(ENDED):
                        peer.receive_message()
                times.append(time.monotonic() - start)
                self.assertEqual(self.requestor(receiver).echo(context=3), 0)
        say("N10", ended_after_s=" ".join(f"{t:.2f}" for t in times), asked_s=1)
        self.assertTrue(all(0.5 < t < 4 for t in times), times)


class N11(FaultTest):
    def gone(self, receiver):
        """Waits until neither side of the port holds bytes for the other; how long that took."""
        start = time.monotonic()
        while unread(receiver.port):
            self.assertLess(time.monotonic() - start, 5)
            time.sleep(0.05)
        return time.monotonic() - start

    def test_a_peer_that_reads_nothing(self):
        """Whatever the size of its window: what it does not take is thrown away, and it is told by a reset."""
        echo = command_bytes(CommandField=0x30, MessageID=1, CommandDataSetType=0x101,
                             AffectedSOPClassUID=made.VERIFICATION)
        seconds, kept = [], []
        for window in count((4096, 65536), (4096, 65536) * 10):
            with self.receiver("--timeout", "1") as receiver:
                peer = self.requestor(receiver)
                peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
                with self.assertRaises(ConnectionError):
                    while True:
                        stuck = time.monotonic()  # from the first send on that finds every buffer full
                        peer.send_pdvs(*[(3, 3, echo)] * 100)
                seconds.append(time.monotonic() - stuck)
                kept.append(self.gone(receiver))
                receiver.wait_for_err(b"warning: PEER: ")  # it gave up on it, or found it silent: TCP may stall both ways
        say("N11", peers=len(seconds), given_up_after_s=round(max(seconds), 1), asked_s=1,
            buffers_free_after_s=round(max(kept), 1))
        self.assertLess(max(seconds), 10)

    def test_a_burst_buys_no_silence(self):
        with self.receiver("--timeout", "1") as receiver:
            peer = self.requestor(receiver)
            peer.store_request(1, "1.2.8", made.SECONDARY_CAPTURE)
            for _ in range(100):
                peer.send_pdvs((1, 0, b"\0" * 16000))
            start = time.monotonic()
            with self.assertRaises(ENDED):
                peer.receive_message()
            seconds = time.monotonic() - start
        say("N11", burst_MB=1.6, silence_ended_after_s=round(seconds, 1), asked_s=1)
        self.assertTrue(0.5 < seconds < 10, seconds)


if __name__ == "__main__":
    dpipe.main()
