"""What Hugging Face data sets say of themselves in JSON: their files, and the names of their classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from noiseaudit.errors import DataError

KEY = b"huggingface"  # of a Parquet file's metadata
Names = dict[str, list[str]]  # of every ClassLabel column
_MEND = "Save the data set anew."


def read_object(file: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises DataError if it holds none."""
    try:
        return _object(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"cannot be read ({error})", file=file, fix=_MEND) from error


def data_files(state: Path) -> list[Path]:
    """The files of Arrow streams that state.json lists. Raises DataError if it does not list them."""
    listed = read_object(state).get("_data_files")
    try:
        if isinstance(listed, list) and listed:
            return [state.parent / Path(each["filename"]).name for each in listed]
    except (KeyError, TypeError):  # no mapping, or not to a name
        pass
    raise DataError("does not list the files of the data set", file=state, fix=_MEND)


def class_names(info: dict[str, Any], file: Path) -> Names:
    """The class names of every ClassLabel column, by what `file` says. Raises DataError if that has another shape."""
    features = info.get("features") or {}
    if not isinstance(features, dict):
        raise DataError("its features are no JSON object", file=file, fix=_MEND)
    return {
        name: [str(each) for each in feature["names"]]
        for name, feature in features.items()
        if isinstance(feature, dict) and isinstance(feature.get("names"), list)
    }


def parquet_class_names(metadata: dict[bytes, bytes] | None, file: Path) -> Names:
    """`class_names` by the metadata of a Parquet file's schema. Raises DataError if they cannot be read."""
    try:
        info = _object((metadata or {}).get(KEY, b"{}")).get("info", {})
        if not isinstance(info, dict):
            raise ValueError("info is no JSON object")
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"its metadata {KEY.decode()!r} cannot be read ({error})", file=file, fix=_MEND
        ) from error
    return class_names(info, file)


def _object(content: bytes) -> dict[str, Any]:
    value = json.loads(content.decode("utf-8"))
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value
