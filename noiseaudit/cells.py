"""Columns as text, as CSV spells their cells: `true`, `false`, the shortest exact number; a null stays null."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from noiseaudit.arrays import codes, flags, from_arrow, null, numbers, pieces, text, texts

_LONGEST_NUMBER = 32  # characters: sign, 17 digits, point, exponent
_NOT_PLAIN = r"[^ -~]"  # beyond the signs that ASCII prints


def cell_texts(column: pa.ChunkedArray, change: Callable[[str], str] | None = None) -> pa.Array:
    """A column of text, booleans or numbers as an array of text, (n,).

    `change` is applied to texts that are not plain ASCII, each distinct one once where the column is a dictionary.
    """
    kind = column.type
    if pa.types.is_floating(kind):
        return _float_texts(column)
    if pa.types.is_dictionary(kind):
        places, distinct = codes(column)
        known = np.append(np.arange(len(distinct)), len(distinct))[places]
        return pa.concat_arrays([_changed(distinct, change), pa.nulls(1, pa.string())]).take(numbers(known))
    whole = column.cast(pa.string()).combine_chunks()
    return _changed(whole, change) if pa.types.is_string(kind) else whole


def joined_lines(table: pa.Table, separator: str, change: Callable[[str], str] | None = None) -> str:
    """The rows of a table as lines of cells, empty where null; the last line has no end."""
    cells = [pc.coalesce(cell_texts(column, change), text("")) for column in table.columns]
    lines = pc.binary_join_element_wise(*cells, text(separator))
    every = pa.LargeListArray.from_arrays(numbers(np.array([0, len(lines)])), lines)
    return str(pc.binary_join(every, text("\n"))[0].as_py())


def six_digits(table: pa.Table) -> pa.Table:
    """The table with its floating columns rounded to six significant digits."""
    for place, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            table = table.set_column(place, field.name, _six_digits(table.column(place).combine_chunks()))
    return table


def _six_digits(column: pa.Array) -> pa.Array:
    values = from_arrow(pc.coalesce(column.cast(pa.float64()), numbers(np.zeros(1))[0]))
    size = np.where(np.isfinite(values) & (values != 0), np.abs(values), 1.0)
    shift = 5 - np.floor(np.log10(size))
    up, down = (
        10.0 ** np.clip(shift, 0, 300),
        10.0 ** np.clip(-shift, 0, 300),
    )  # exact powers where numbers are usual
    rounded = np.rint(values * up / down) / up * down
    return pc.if_else(pc.is_valid(column), numbers(rounded), null(pa.float64()))


def float_texts(values: npt.NDArray[np.float64]) -> pa.Array:
    """Each number as `repr` writes it, (n,)."""
    padded = values.astype(f"S{_LONGEST_NUMBER}").view(np.uint8).reshape(len(values), _LONGEST_NUMBER)
    used = padded > 0
    bounds = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
    return pieces(padded[used], bounds).cast(pa.string())


def _float_texts(column: pa.ChunkedArray) -> pa.Array:
    whole = column.cast(pa.float64()).combine_chunks()
    values = from_arrow(pc.coalesce(whole, numbers(np.zeros(1))[0]))
    return pc.if_else(pc.is_valid(whole), float_texts(values), null(pa.string()))


def _changed(column: Any, change: Callable[[str], str] | None) -> Any:
    if change is None:
        return column
    odd = pc.coalesce(pc.match_substring_regex(column, _NOT_PLAIN), flags(np.zeros(1, np.bool_))[0])
    if not pc.any(odd).as_py():
        return column
    return pc.replace_with_mask(column, odd, texts([change(old) for old in column.filter(odd).to_pylist()]))
