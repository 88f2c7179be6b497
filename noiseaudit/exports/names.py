"""Labels and ids as names that files, XML and choices can hold, so that each can be told from all others again."""

from __future__ import annotations

import hashlib
import itertools
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePosixPath
from urllib.parse import quote

MAX_BYTES = 200  # of a file name; most file systems allow 255, and something may be added to it
_STRICT = frozenset(string.ascii_lowercase + string.digits + " ._-")
_PLAIN = _STRICT | frozenset(string.ascii_uppercase + "+=,@()")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)  # of Windows
_HIDDEN = frozenset(  # not joiners, without which words and emoji fall apart
    "\\\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069"
    "\ufeff\ufffe\uffff"
)
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_SEVERAL = '{"choices"'  # how Label Studio's CSV and JSON_MIN begin a cell of several choices
_ESCAPE = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U00(?:0[0-9a-f]|10)[0-9a-f]{4}|[nrt\\])")


def folder_names(labels: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """Label -> the name of a folder on any system, no two alike where case or Unicode form is not told apart.

    None is among `taken`, names of files beside them.

    Percent-encoded, so that urllib.parse.unquote gives the label back; a name of more than MAX_BYTES loses its end
    and gets a hash, from which it cannot.
    """
    names = {label: file_name(label) for label in labels}
    shared = Counter(map(_folded, names.values()))
    names = {
        label: name if shared[_folded(name)] == 1 else file_name(label, strict=True)
        for label, name in names.items()
    }
    files = {_folded(name) for name in taken}
    return {
        label: _percent(name[0]) + name[1:] if _folded(name) in files else name
        for label, name in names.items()
    }


def file_name(text: str, *, strict: bool = False, dots: bool = True) -> str:
    """`text` as the name of a file on any system; `strict` also encodes capitals and all that is not ASCII.

    Without `dots` they are encoded too.
    """
    chars = [_percent(char) if char == "." and not dots else _encoded(char, strict) for char in text]
    if chars and (text[0] in ". " or _RESERVED.fullmatch(text)):
        chars[0] = _percent(text[0])
    if chars and text[-1] in ". ":
        chars[-1] = _percent(text[-1])
    return _cut("".join(chars), text)


def unique_file(texts: Sequence[str], suffix: str, taken: set[str], reserved: Collection[str] = ()) -> str:
    """The first of `texts`, names without `suffix`, that is free, else one with a number; then `suffix`.

    Some tools know a file by its stem alone, so that is what must not be among `taken`, and is added to it; of names
    without a suffix dots are encoded, as such tools would take the last one for its beginning. The whole is none of
    `reserved`.
    """
    names = [file_name(text, dots=bool(suffix)) for text in texts]
    numbered = (f"{names[0]}%~{number}" for number in itertools.count(2))
    kept = {_folded(name) for name in reserved}
    stem = next(
        name
        for name in itertools.chain(names, numbered)
        if _folded(name) not in taken and _folded(name + suffix) not in kept
    )
    taken.add(_folded(stem))
    return stem + suffix


def image_suffix(path: str) -> str:
    """The suffix of a file, if it is plain ASCII; else none."""
    suffix = PurePosixPath(path).suffix
    return suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", suffix) else ""


def choice_text(label: str) -> str:
    """`label` as text of an annotation tool: what XML lacks or nobody sees is escaped as in Python.

    So are backslashes, blanks at the ends, dollars (Label Studio fills variables of a task in, as $image, anywhere in
    the text of a choice), and the brace of what would look like several choices. `label_of` takes it back.
    """
    bare = label.strip(" ")
    start = label.index(bare) if bare else len(label)
    blanks = "\\x20" * start, "\\x20" * (len(label) - start - len(bare))
    text = "".join(map(_shown, bare))
    if text.startswith(_SEVERAL):
        text = f"\\x7b{text[1:]}"
    return blanks[0] + text + blanks[1]


def short_choice_text(label: str, most: int) -> str:
    """`choice_text`, but one of more than `most` characters loses its end and gets a hash: `label_of` knows it not."""
    text = choice_text(label)
    if len(text) <= most:
        return text
    ending = _ending(label)
    return text[: most - len(ending)] + ending


def label_of(text: str) -> str:
    """The label whose `choice_text` is `text`."""
    return _ESCAPE.sub(lambda found: found[0].encode("ascii").decode("unicode_escape"), text)


def _shown(char: str) -> str:
    if char == "$":
        return "\\x24"
    hidden = char in _HIDDEN or unicodedata.category(char) in _HIDDEN_CATEGORIES
    return (
        char.encode("unicode_escape").decode("ascii") if hidden or (char.isspace() and char != " ") else char
    )


def _encoded(char: str, strict: bool) -> str:
    if strict or char.isascii():
        return char if char in (_STRICT if strict else _PLAIN) else _percent(char)
    return char if _shown(char) == char else _percent(char)


def _percent(char: str) -> str:
    if char.isascii():
        return f"%{ord(char):02X}"
    return quote(char.encode("utf-8", "surrogatepass"))


def _cut(name: str, text: str) -> str:
    if name and len(name.encode()) <= MAX_BYTES:
        return name
    ending = _ending(text)
    return name.encode()[: MAX_BYTES - len(ending)].decode(errors="ignore") + ending


def _ending(text: str) -> str:
    """What stands for the lost end of `text`: no two have the same."""
    return f"%~{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
