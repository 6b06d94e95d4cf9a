"""How long a command takes that has next to nothing to do: --help of each, and dpipe-anon on one small file; beside
`true`, which is what starting a process costs. See figures.py for the options."""

import pathlib
import subprocess

from figures import BIN, Contender, compare, corpus, scratch

REPEAT = 20  # a run starts the command so often: a few milliseconds are less than what a clock tells


def repeated(*words):
    return ["sh", "-c", 'n=$1; shift; while [ "$n" -gt 0 ]; do "$@" >/dev/null || exit; n=$((n - 1)); done', "sh",
            str(REPEAT), *map(str, words)]


def main():
    with scratch() as name:
        folder = pathlib.Path(name)
        corpus("small", folder / "tree", 1)
        file = next((folder / "tree").rglob("*.dcm"))
        subprocess.run([BIN / "dpipe-map", "init", "-m", folder / "link.db"], check=True, capture_output=True)
        helps = [Contender(f"{path.name} --help", repeated(path, "--help")) for path in sorted(BIN.glob("dpipe*"))]
        one_file = repeated(BIN / "dpipe-anon", "-q", "--overwrite", "-m", folder / "link.db", "-o", folder / "out", file)
        figures = compare("startup", f"{REPEAT} starts", [
            Contender("true", repeated("/bin/true")), *helps,
            Contender("dpipe-anon, one small file", one_file)], "true")
    for who, figure in figures.items():
        most = 20 if "one small" in who else 10
        if who != "true":
            taken = figure["wall"] / REPEAT * 1000
            print(f"{who:28} {taken:6.1f} ms   {'met' if taken <= most else 'MISSED'}: at most {most} ms")


if __name__ == "__main__":
    main()
