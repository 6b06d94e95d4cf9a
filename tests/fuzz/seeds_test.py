"""The fuzz harnesses over their seed corpora and over what fuzzing found before, once each."""

import pathlib
import subprocess
import sys

import dpipe

HERE = pathlib.Path(__file__).resolve().parent
HARNESSES = sorted(path.name.removesuffix("_fuzz.cpp") for path in HERE.glob("*_fuzz.cpp"))
PROGRAMS = dpipe.BUILD / "tests" / "fuzz"


class Seeds(dpipe.TestCase):
    def test_no_seed_breaks_a_promise(self):
        seeds = self.scratch / "seeds"
        subprocess.run(
            [sys.executable, HERE / "seeds.py", dpipe.BUILD / "tests" / "make-studies", seeds], check=True)
        self.assertEqual(sorted(path.name for path in seeds.iterdir()), HARNESSES)
        for harness in HARNESSES:
            with self.subTest(harness):
                found = HERE / "found" / harness
                folders = [seeds / harness, *([found] if found.is_dir() else [])]
                result = dpipe.run(PROGRAMS / f"fuzz-{harness}", *folders)
                if harness == "association":  # the first seed is an echo and a store
                    heard = dpipe.run(PROGRAMS / "fuzz-association", seeds / harness / "0", env={"DPIPE_FUZZ_MUST_HEAR": "1"})
                    self.assertEqual(heard.code, 0, "it hears nobody")
                self.assertEqual(result.code, 0, f"{result.out[-200:]}{result.err}")
                self.assertEqual(len(result.lines), sum(1 for f in folders for _ in f.iterdir()))


if __name__ == "__main__":
    dpipe.main()
