"""dpipe: the list of commands, and running one."""

import dpipe


class Dpipe(dpipe.TestCase):
    def test_lists_every_command_that_was_built(self):
        listed = {line.split()[0] for line in self.succeeds("dpipe").lines if line.startswith("  ")}
        built = {p.name.removeprefix("dpipe-") for p in dpipe.BIN.glob("dpipe-*")}
        self.assertEqual(listed, built)

    def test_runs_a_command_with_its_words(self):
        self.assertEqual(
            self.succeeds("dpipe", "map", "--help").out, self.succeeds("dpipe-map", "--help").out)

    def test_unknown_command_is_a_usage_error(self):
        self.assertIn("'frobnicate'", self.fails(2, "dpipe", "frobnicate").err)


class EveryCommand(dpipe.TestCase):
    def commands(self):
        return sorted(p.name for p in dpipe.BIN.glob("dpipe-*"))

    def test_help_leads_with_usage_and_two_examples(self):
        for command in self.commands():
            with self.subTest(command):
                text = self.succeeds(command, "--help").out
                self.assertTrue(text.startswith(f"Usage: {command} "))
                examples = text.split("Examples:\n")[1].split("\n\n")[0]
                self.assertGreaterEqual(examples.count(f"  {command}") + examples.count(f"| {command}"), 2)

    def test_version_names_the_edition_of_the_table(self):
        for command in self.commands():
            with self.subTest(command):
                self.assertIn("PS3.15 Table E.1-1, edition 2025b", self.succeeds(command, "--version").out)

    def test_unknown_option_is_a_usage_error_and_does_nothing(self):
        for command in self.commands():
            with self.subTest(command):
                self.assertEqual(self.fails(2, command, "--no-such-word").out, "")


if __name__ == "__main__":
    dpipe.main()
