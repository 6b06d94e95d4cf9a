"""The page of a command, docs/commands/NAME.md, against the command itself."""

import dpipe

SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT CODES", "SEE ALSO"]


def check(test, command):
    """Assert that the page of `command` has every section and the very options that the command has."""
    text = (dpipe.ROOT / "docs" / "commands" / f"{command}.md").read_text()
    test.assertTrue(text.startswith(f"# {command}(1)\n"))
    test.assertEqual([line[3:] for line in text.splitlines() if line.startswith("## ")], SECTIONS)
    options = text.split("## OPTIONS\n")[1].split("## EXAMPLES")[0].strip()
    test.assertEqual(options, f"```text\n{dpipe.run(command, '--options-block').out.rstrip()}\n```")
