"""The site builds without a warning, asks the network for nothing, and has all that is public."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

import noiseaudit

WHY = "comes with the extra `docs`"
for needed in ("mkdocs", "material", "mkdocstrings_handlers.python"):
    pytest.importorskip(needed, reason=WHY)

ROOT = Path(__file__).resolve().parent.parent
FETCHING = {"src", "srcset", "data", "poster", "background"}
REMOTE = re.compile(r"^\s*(?:https?:)?//", re.IGNORECASE)
REMOTE_STYLE = re.compile(r"(?:url\(|@import)\s*['\"]?\s*(?:https?:)?//", re.IGNORECASE)


class Fetched(HTMLParser):
    """Addresses that a browser fetches by itself when it shows a page; those of <a> are not."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = FETCHING | ({"href"} if tag in ("link", "image", "use", "base") else set())
        self.found += [value for name, value in attrs if name in names and value]
        self.found += [value for name, value in attrs if name == "style" and value]


def fetched(html: str) -> list[str]:
    parser = Fetched()
    parser.feed(html)
    return parser.found


def asks_the_network(html: str) -> list[str]:
    return [it for it in fetched(html) if REMOTE.match(it)] + REMOTE_STYLE.findall(html)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def pages(site: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(site.rglob("*.html")):
        yield path.relative_to(site).as_posix(), path.read_text("utf-8")


@pytest.mark.slow
def test_no_page_asks_the_network(site: Path) -> None:
    found = {name: asks_the_network(text) for name, text in pages(site)}
    assert {"index.html", "tutorial.html", "api.html", "guides/researcher.html"} <= set(found)
    assert not any(found.values()), found
    for style in site.rglob("*.css"):
        assert not REMOTE_STYLE.search(style.read_text("utf-8")), style
    # The theme's script would fetch a library for these.
    assert not [name for name, text in pages(site) if 'class="mermaid"' in text]


def test_what_would_ask_it_is_found() -> None:
    for html in (
        '<script src="https://a.org/x.js"></script>',
        '<link rel="stylesheet" href="//a.org/x.css">',
        '<img src="HTTP://a.org/x.png"/>',
        "<style>@font-face { src: url(https://a.org/x.woff) }</style>",
    ):
        assert asks_the_network(html)
    assert not asks_the_network('<a href="https://a.org">a</a><img src="x.png"><link href="x.css">')


@pytest.mark.slow
def test_what_a_page_fetches_is_there(site: Path) -> None:
    for name, text in pages(site):
        if name == "404.html":  # its addresses are those of a server's root
            continue
        for address in fetched(text):
            path = address.partition("?")[0].partition("#")[0]
            if path and not re.match(r"data:|javascript:", path) and "{" not in path:
                assert ((site / name).parent / path).exists(), (name, address)


@pytest.mark.slow
def test_everything_public_is_described(site: Path) -> None:
    text = (site / "api.html").read_text("utf-8")
    for name in noiseaudit.__all__:
        (described,) = re.findall(rf'<h3 id="noiseaudit\.{name}".*?<p>(.*?)</p>', text, re.DOTALL)[:1]
        summary = str(getattr(noiseaudit, name).__doc__).split()[0]
        assert summary.strip("`.,") in re.sub(r"<.*?>", "", described), name


@pytest.mark.slow
def test_search_has_every_page(site: Path) -> None:
    index = (site / "search" / "search_index.js").read_text("utf-8")
    for name, _ in pages(site):
        assert name == "404.html" or f'"{name}"' in index or f'"{name}#' in index, name


def test_every_page_of_the_folder_is_in_the_navigation() -> None:
    named = set(re.findall(r"[\w/.-]+\.md", (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:")[2]))
    there = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert there <= named
    assert named - there == {"overview.md", "CONTRIBUTING.md", "DECISIONS.md", "CHANGELOG.md"}


def test_make_takes_warnings_for_errors_and_serves_this_machine_alone() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert re.findall(r"\$\(MKDOCS\) (.+)", makefile) == [
        "build --strict",
        "serve --strict --dev-addr 127.0.0.1:8000",
    ]
    assert "/site/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
