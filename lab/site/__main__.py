"""Write the generated pages, or with --check say which are stale and end with 8."""

from __future__ import annotations

import sys

from lab.site import pages


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    if arguments == ["--check"]:
        changed = pages.stale()
        for path in changed:
            print(f"stale: docs/{path}", file=sys.stderr)
        if changed:
            print("try: python -m lab.site, and commit what it wrote", file=sys.stderr)
        return 8 if changed else 0
    for path in pages.write():
        print(f"wrote docs/{path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
