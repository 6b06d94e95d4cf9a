"""The pages say what the programs do now."""

import re

import dpipe

PAGES = dpipe.ROOT / "docs" / "commands"
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT CODES", "SEE ALSO"]


class Pages(dpipe.TestCase):
    def commands(self):
        return sorted(p.name for p in dpipe.BIN.glob("dpipe-*"))

    def test_every_command_has_its_page_and_every_page_its_command(self):
        pages = sorted(p.stem for p in PAGES.glob("dpipe-*.md"))
        self.assertEqual(pages, self.commands())

    def test_sections_stand_in_the_order_of_a_man_page(self):
        for command in self.commands():
            with self.subTest(command):
                text = (PAGES / f"{command}.md").read_text()
                self.assertTrue(text.startswith(f"# {command}(1)\n"))
                self.assertEqual(re.findall(r"^## (.*)$", text, re.M), SECTIONS)

    def test_options_are_what_the_program_prints(self):
        for command in self.commands():
            with self.subTest(command):
                text = (PAGES / f"{command}.md").read_text()
                block = re.search(r"^```text\n(.*?)^```$", text, re.M | re.S).group(1)
                self.assertEqual(
                    block, self.succeeds(command, "--options-block").out, "run sh scripts/update-pages.sh")

    def test_summary_is_the_program_s(self):
        for command in self.commands():
            with self.subTest(command):
                text = (PAGES / f"{command}.md").read_text()
                name = re.search(r"^## NAME\n\n.* - (.*)$", text, re.M).group(1)
                summary = self.succeeds(command, "--help").lines[2]
                self.assertEqual(name[0].upper() + name[1:] + ".", summary)

    def test_see_also_names_pages_that_exist(self):
        for page in PAGES.glob("*.md"):
            with self.subTest(page.name):
                for name in re.findall(r"\*(dpipe[a-z-]*)\*\(1\)", page.read_text()):
                    self.assertTrue((PAGES / f"{name}.md").exists(), name)

    def test_every_built_in_profile_is_described(self):
        text = (PAGES.parent / "profiles.md").read_text()
        profiles = sorted(p.stem for p in (dpipe.ROOT / "libdcmpipe" / "deid" / "profiles").glob("*.json"))
        self.assertEqual(profiles, sorted(re.findall(r"^\| \*\*(.*?)\*\* \|", text, re.M)))

    def test_man_pages_are_made_of_them(self):
        for command in self.commands():
            with self.subTest(command):
                man = (dpipe.BUILD / "man" / f"{command}.1").read_text()
                self.assertTrue(man.startswith(f'.TH "{command.upper()}" "1"'))
                for section in SECTIONS:
                    self.assertIn(f'\n.SH "{section}"\n', man)
                self.assertNotIn("`", man)


if __name__ == "__main__":
    dpipe.main()
