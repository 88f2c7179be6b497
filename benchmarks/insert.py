"""Put benchmarks/results/NAME.md between <!-- NAME --> and <!-- /NAME --> in the PAGES.

python benchmarks/insert.py
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "docs/accuracy.md", "docs/paper.md", "docs/method.md")
MARK = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- /\2 -->)", re.DOTALL)


def filled(page: str, results: Path) -> str:
    """`page` with every marked part that has a results file filled from it."""

    def fill(match: re.Match[str]) -> str:
        file = results / f"{match[2]}.md"
        return f"{match[1]}{file.read_text('utf-8').strip()}\n{match[3]}" if file.exists() else match[0]

    return MARK.sub(fill, page)


def main() -> None:
    for name in PAGES:
        path = ROOT / name
        path.write_text(filled(path.read_text("utf-8"), ROOT / "benchmarks" / "results"), encoding="utf-8")


if __name__ == "__main__":
    main()
