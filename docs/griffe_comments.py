"""What the Python page takes from the code besides docstrings: comments beside attributes, and doctests as code.

Griffe reads the code for mkdocstrings (mkdocs.yml, `extensions`).
"""

from __future__ import annotations

import re
from typing import Any

import griffe

COMMENT = re.compile(r"\s#\s(.+)$", re.MULTILINE)
DOCTEST = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)


class Comments(griffe.Extension):
    def on_attribute_instance(self, *, attr: griffe.Attribute, **_: Any) -> None:
        """The comment that ends an attribute's line says what it is."""
        found = COMMENT.search(attr.source)
        if found and not attr.docstring:
            attr.docstring = griffe.Docstring(found[1], parent=attr)

    def on_class_instance(self, *, cls: griffe.Class, **_: Any) -> None:
        """Markdown would take >>> for a quotation of a quotation of a quotation."""
        if cls.docstring:
            cls.docstring.value = DOCTEST.sub(r"```pycon\n\g<0>\n```", cls.docstring.value)
