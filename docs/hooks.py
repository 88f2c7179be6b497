"""Files outside docs/ that pages link to join the site, so that one link works there and in the repository.

MkDocs calls the functions by their names (mkdocs.yml, `hooks`).
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
# MkDocs takes any README.md for the front page of its folder, and docs/ has one.
RENAMED = {"README.md": "overview.md"}
# A link to a file: no scheme, no bare #anchor.
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")


def site_uri(path: str) -> str:
    """Where a file of the repository is in the site; both are relative to their roots."""
    return RENAMED.get(path, path.removeprefix("docs/"))


def linked(path: str) -> set[str]:
    """Files of the repository that a page of it links to."""
    text = (ROOT / path).read_text("utf-8")
    return {posixpath.normpath(posixpath.join(posixpath.dirname(path), to)) for to in LINK.findall(text)}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what pages link to, and what those pages link to, where it lies outside docs/."""
    to_read = {f"docs/{file.src_uri}" for file in files.documentation_pages()}
    seen: set[str] = set()
    while to_read:
        path = to_read.pop()
        seen.add(path)
        targets = {to for to in linked(path) - seen if (ROOT / to).is_file()}
        for target in targets:
            uri = site_uri(target)
            if files.get_file_from_path(uri) is None:
                files.append(File.generated(config, uri, abs_src_path=str(ROOT / target)))
        to_read |= {to for to in targets if to.endswith(".md")}
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links between files of the repository into links between files of the site."""
    uri = page.file.src_uri
    path = posixpath.relpath(page.file.abs_src_path, ROOT)

    def moved(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), match.group(1)))
        return posixpath.relpath(site_uri(target), posixpath.dirname(uri) or ".")

    return LINK.sub(moved, markdown)
