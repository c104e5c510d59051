"""Writes the tables of attributes into docs/switching.md: `python scripts/switching_table.py [--check]`.

Enters: `fastsam.compat.known`. Leaves: the page between its two marks; with --check nothing but exit code 1 if it is
out of date.
"""

import sys
from pathlib import Path

from fastsam.compat.known import INTERFACES, Interface

PAGE = Path(__file__).parents[1] / "docs" / "switching.md"
START, END = "<!-- attributes: made by scripts/switching_table.py -->\n", "<!-- end of attributes -->\n"


def table(kind: str, interface: Interface) -> str:
    """One class as a heading and a Markdown table."""
    rows = [(interface.works, "works", "")] if interface.works else []
    rows += [(names, "differs", how) for names, how in interface.differs.items()]
    rows += [(names, "absent", instead) for names, instead in interface.absent.items()]
    rows += [(names, "ours", what) for names, what in interface.own.items()]
    lines = [f"| {ticked(names)} | {state} | {text} |" for names, state, text in rows]
    return f"### `{kind}` of {interface.whose}\n\n| attribute | here | how |\n|---|---|---|\n" + "\n".join(lines) + "\n"


def ticked(names: str) -> str:
    """Names as Markdown code."""
    return ", ".join(f"`{name}`" for name in names.split())


def page(text: str) -> str:
    """The page's text with the tables as they are now."""
    before, rest = text.split(START)
    _, after = rest.split(END)
    tables = "\n".join(table(kind, interface) for kind, interface in INTERFACES.items())
    return f"{before}{START}\n{tables}\n{END}{after}"


def main() -> int:
    """Writes the page, or says that it is out of date."""
    text = PAGE.read_text(encoding="utf-8")
    made = page(text)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(made, encoding="utf-8")
    elif made != text:
        print(f"{PAGE} is out of date: run python scripts/switching_table.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
