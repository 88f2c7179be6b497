"""Options that several commands share, and how options and examples are declared."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

READING = "Images"  # panel of the options on how they are read

option = functools.partial(typer.Option, show_envvar=False)

Audit = Annotated[
    Path,
    typer.Argument(
        metavar="AUDIT",
        help="The --out folder of a scan, or its audit.parquet.",
        show_default=False,
        show_envvar=False,
    ),
]
Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="Label file (.csv, .tsv, .jsonl, .parquet), a folder with a sub-folder of images per class, or a data set "
        "with images in it: tar shards ('x-{000..012}.tar'), what datasets.save_to_disk wrote, Parquet (hf://PATH).",
        show_default=False,
        show_envvar=False,
    ),
]
Images = Annotated[
    Path | None, option(metavar="DIR", help="Folder that image paths are relative to.", show_default=False)
]
Embeddings = Annotated[
    Path | None,
    option(
        metavar="FILE",
        help="Use these in place of images: .npy in row order, or .parquet with sample_id.",
        show_default=False,
        rich_help_panel=READING,
    ),
]
FeatureCache = Annotated[
    str | None,
    option(
        metavar="DIR|none",
        help="Where pretrained features are kept, 2.6 kB an image (default: the user's cache folder).",
        show_default=False,
        rich_help_panel=READING,
    ),
]
AllowRoot = Annotated[
    list[Path] | None,
    option(
        metavar="DIR",
        help="Another folder that image paths may lead to (repeatable).",
        show_default=False,
        rich_help_panel=READING,
    ),
]
MaxPixels = Annotated[
    int, option(min=1, metavar="N", help="Larger images are refused undecoded.", rich_help_panel=READING)
]
MaxMemory = Annotated[
    str,
    option(
        metavar="SIZE",
        help="Decoded images that take more than this live in a file beside the output (4GB, 500MB, 2GiB).",
        rich_help_panel=READING,
    ),
]
Strict = Annotated[bool, option("--strict", help="Stop at the first bad image.", rich_help_panel=READING)]
Workers = Annotated[
    int | None,
    option(
        min=1,
        metavar="N",
        help="Decoding threads (default: one per core).",
        show_default=False,
        rich_help_panel=READING,
    ),
]
Force = Annotated[bool, option("--force", help="Replace the output if it exists.")]
Json = Annotated[bool, option("--json", help="Print JSON, and nothing else, on standard output.")]
Truth = Annotated[
    Path | None,
    option(
        metavar="FILE",
        help="File with true_label or is_corrupted, joined on sample_id, else image. "
        "Default: the audit's own true_label column.",
        show_default=False,
    ),
]
Checked = Annotated[
    list[Path] | None,
    option(
        metavar="FILE",
        help="Rows of `noiseaudit sample` that people answered, as `noiseaudit estimate` takes them (repeatable).",
        show_default=False,
    ),
]
NewClass = Annotated[
    list[str] | None,
    option(
        metavar="NAME",
        help="A label of --decisions that may be new: others must be classes of the audit (repeatable).",
        show_default=False,
    ),
]
Encoding = Annotated[str, option(help="Text encoding of the label file.", rich_help_panel="Label file")]
MissingLabel = Annotated[
    str | None,
    option(
        metavar="TEXT",
        help="Cell text that means unlabelled, besides an empty cell.",
        show_default=False,
        rich_help_panel="Label file",
    ),
]


def label_file_option(meaning: str) -> typer.models.OptionInfo:
    """An option on how the label file is read, without a default of its own."""
    info: typer.models.OptionInfo = option(
        metavar="NAME", help=meaning, show_default=False, rich_help_panel="Label file"
    )
    return info


def _column(what: str) -> typer.models.OptionInfo:
    return label_file_option(f"Column of the {what}.")


ImageColumn = Annotated[str | None, _column("image path (default: file_name, filepath, path, image, ...)")]
LabelColumn = Annotated[str | None, _column("label (default: label, class, target, category or given_label)")]
IdColumn = Annotated[str | None, _column("sample id (default: sample_id or id, else the image path)")]
TrueLabelColumn = Annotated[str | None, _column("known true label, for evaluation only")]
SplitColumn = Annotated[str | None, _column("split (train, test, ...)")]
AnnotatorColumn = Annotated[str | None, _column("annotator")]
BatchColumn = Annotated[str | None, _column("labelling batch")]


def paragraphs(command: Callable[..., None]) -> str:
    """A command's docstring, each paragraph on one line, so that help wraps to the terminal."""
    return "\n\n".join(" ".join(part.split()) for part in (inspect.getdoc(command) or "").split("\n\n"))


def examples(command: Callable[..., None]) -> str:
    """A command's examples: the EXAMPLES of its module, laid out for the end of its help."""
    lines = sys.modules[command.__module__].__dict__["EXAMPLES"].strip().splitlines()
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
