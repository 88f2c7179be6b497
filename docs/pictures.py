"""Take the pictures of docs/: the demo in a terminal, and its report in a browser.

python docs/pictures.py      # needs tmux and chromium
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

DOCS = Path(__file__).resolve().parent
COLUMNS, LINES = 110, 75
SESSION = "noiseaudit-pictures"


def terminal(command: list[str], folder: Path) -> str:
    """Run a command in a real terminal of COLUMNS x LINES; return its last screen with colours."""
    done = folder / "done"
    line = f"{shlex.join(command)}; touch {shlex.quote(str(done))}; sleep 60"
    size = ["-x", str(COLUMNS), "-y", str(LINES)]
    subprocess.run(["tmux", "new-session", "-d", "-s", SESSION, *size, "-c", str(folder), line], check=True)
    try:
        while not done.exists():
            time.sleep(0.5)
        shown = subprocess.run(
            ["tmux", "capture-pane", "-e", "-p", "-t", SESSION], check=True, capture_output=True, text=True
        )
    finally:
        subprocess.run(["tmux", "kill-session", "-t", SESSION], check=True)
    return shown.stdout.rstrip()


def shoot(page: Path, picture: Path, width: int, height: int) -> None:
    """A screenshot of an HTML or SVG file."""
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--default-background-color=00000000",  # what a page leaves free stays so, on dark pages, too
             "--no-first-run", "--hide-scrollbars", f"--user-data-dir={profile}", f"--screenshot={picture}",
             f"--window-size={width},{height}", page.as_uri()],
            check=True, capture_output=True,
        )  # fmt: skip


def main() -> None:
    noiseaudit = str(Path(sys.executable).with_name("noiseaudit"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = terminal([noiseaudit, "demo", "--out", "demo"], folder)
        console = Console(record=True, width=COLUMNS, file=(folder / "plain.txt").open("w"))
        console.print(Text.from_ansi(text))
        drawing = folder / "terminal.svg"
        console.save_svg(str(drawing), title="noiseaudit demo")
        shoot(drawing, DOCS / "demo-terminal.png", 1400, 40 + 25 * (text.count("\n") + 4))
        shoot(folder / "demo" / "run" / "report.html", DOCS / "demo-report.png", 1200, 2400)


if __name__ == "__main__":
    main()
