"""dpipe-send beside storescu and dcmsend, to the same storescp on this machine: 1,000 small instances, 200 CT slices.

Stock storescu and dcmsend leave Nagle's algorithm on: beside delayed acknowledgements each message costs 40 ms. With
PEERS=1 they run so once; else, for a fair comparison, with TCP_NODELAY=1 in their environment and storescp's. See
figures.py for the options.
"""

import os
import pathlib
import sys
import tempfile

from figures import BIN, HERE, PEERS, SCALE, Contender, compare, remove, scratch

sys.path.insert(0, str(HERE.parent / "support"))
import tiny
from peers import Server, free_port


def small(folder, count):
    for number in range(count):
        tiny.write(folder / f"{number // 100}" / f"{number}.dcm", InstanceNumber=number + 1)


def slices(folder, count):
    for number in range(count):
        tiny.write(folder / f"{number}.dcm", InstanceNumber=number + 1, Rows=512, Columns=512,
                   PixelData=os.urandom(1024) * 512)


def of_kind(kind, count, folder, nagle):
    tree, out, journal, port = folder / kind, folder / "out", folder / "journal", free_port()
    out.mkdir()

    def fresh(*words):
        def prepare():
            for path in out.iterdir():
                path.unlink()
            remove(journal)
            return words
        return prepare

    def all_arrived():
        return sum(1 for _ in out.iterdir()) == count
    to = ["127.0.0.1", str(port), tree]
    with Server(["storescp", "-od", out, port], port, folder):
        compare(f"send/{kind}/{'nagle' if nagle else 'nodelay'}",
                f"{count} {kind} to storescp, {'as peers come' if nagle else 'TCP_NODELAY=1 for all'}", [
                    Contender("storescu", fresh("storescu", "+sd", "+r", *to), slow=nagle, check=all_arrived),
                    Contender("dcmsend", fresh("dcmsend", "+sd", "+r", *to), slow=nagle, check=all_arrived),
                    Contender("dpipe-send", fresh(
                        BIN / "dpipe-send", "-q", "--journal", journal, "--node", f"A@127.0.0.1:{port}", tree),
                              check=all_arrived, target=1.1)], "storescu")
    remove(out)


def main():
    for kind, make, count in (("small", small, round(1000 * SCALE)), ("ct", slices, round(200 * SCALE))):
        with scratch() as name:
            make(pathlib.Path(name) / kind, count)
            for nagle in (True, False) if PEERS else (False,):
                os.environ.pop("TCP_NODELAY", None)
                if not nagle:
                    os.environ["TCP_NODELAY"] = "1"
                of_kind(kind, count, pathlib.Path(name), nagle)


if __name__ == "__main__":
    main()
