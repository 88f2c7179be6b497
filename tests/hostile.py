"""Texts that do their best to break what writes and reads them."""

from __future__ import annotations

from hypothesis import strategies as st

HOSTILE = st.one_of(
    st.text(min_size=1),
    st.text(alphabet="\\x20un$<>&\"'\n\r\t,/\u202e\u00a0\ufffeaAéÉ%~. ", min_size=1, max_size=12),
)


def writable(text: str) -> bool:
    """Half a surrogate pair is no text that UTF-8 can hold, and Arrow refuses it; NUL is none in a CSV."""
    return not any("\ud800" <= char <= "\udfff" or char == "\0" for char in text)
