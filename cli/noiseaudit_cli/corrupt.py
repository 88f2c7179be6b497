"""noiseaudit corrupt: plant wrong labels, so that an audit can be tested where the truth is known."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from noiseaudit_cli.environment import one_a_line
from noiseaudit_cli.option_values import share
from noiseaudit_cli.options import (
    Data,
    Encoding,
    Force,
    IdColumn,
    ImageColumn,
    Json,
    LabelColumn,
    MissingLabel,
    option,
)

EXAMPLES = """
noiseaudit corrupt labels.csv --kind symmetric --rate 0.2 --out noisy.csv
noiseaudit corrupt labels.csv --kind asymmetric --rate 0.3 --pair 4:9 --out noisy.csv
noiseaudit corrupt labels.csv --kind instance --rate 0.3 --images images --out noisy.csv
"""


class Kind(StrEnum):
    SYMMETRIC = "symmetric"
    UNIFORM = "uniform"
    ASYMMETRIC = "asymmetric"
    INSTANCE = "instance"


def corrupt(
    data: Data,
    kind: Annotated[
        Kind,
        option(
            help="symmetric: to any other class; uniform: to any class, its own too; "
            "asymmetric: to the next class, or as --pair says; instance: depending on the image (Xia et al. 2020)."
        ),
    ],
    rate: Annotated[
        float,
        option(
            parser=share,
            metavar="R",
            help="Share of the labels to corrupt, or with uniform to draw anew, between 0 and 1.",
        ),
    ],
    out: Annotated[Path, option(metavar="FILE", help="Where to write; FILE.truth.csv goes beside it.")],
    seed: Annotated[int, option(min=0, metavar="N", help="Seed of the random draws.")] = 0,
    pair: Annotated[
        list[str] | None,
        option(
            callback=one_a_line,
            metavar="A:B",
            help="Asymmetric: class A becomes B (repeatable; in NOISEAUDIT_CORRUPT_PAIR one a line).",
            show_default=False,
        ),
    ] = None,
    images: Annotated[
        Path | None, option(metavar="DIR", help="Instance: folder of the images.", show_default=False)
    ] = None,
    embeddings: Annotated[
        Path | None, option(metavar="FILE", help="Instance: features in place of images.", show_default=False)
    ] = None,
    force: Force = False,
    encoding: Encoding = "utf-8",
    missing_label: MissingLabel = None,
    image_column: ImageColumn = None,
    label_column: LabelColumn = None,
    id_column: IdColumn = None,
    json: Json = False,
) -> None:
    """Plant wrong labels in a copy of a label file, and write down where.

    FILE.truth.csv holds sample_id, image, true_label, given_label and is_corrupted for `evaluate --truth`.
    """
    from dataclasses import asdict

    from noiseaudit.corrupt import corrupt_labels
    from noiseaudit.features import instance_features
    from noiseaudit.labels.columns import ColumnNames
    from noiseaudit.labels.read import read_labels
    from noiseaudit.outputs import check_file
    from noiseaudit_cli.console import print_json, say

    truth = out.with_name(out.name + ".truth.csv")
    for file in (out, truth):
        check_file(file, force=force, inputs=[data])
    columns = ColumnNames(image=image_column, label=label_column, id=id_column)
    table = read_labels(
        data,
        columns=columns,
        missing_label=missing_label,
        encoding=encoding,
        images_required=images is not None,
    )
    features = (
        instance_features(table, images=images, embeddings=embeddings) if kind is Kind.INSTANCE else None
    )
    done = corrupt_labels(
        table, kind=kind.value, rate=rate, seed=seed, out=out, pairs=_pairs(pair), features=features
    )
    if json:
        print_json(asdict(done) | {"realised_rate": done.realised_rate})
        return
    say(f"{out}: {done.n_corrupted:,} of {done.n_labelled:,} labels corrupted; truth in {truth}.")
    if done.is_off:
        say(f"The realised rate is {done.realised_rate:.3g}, not {done.expected_rate:.3g} as expected.")


def _pairs(texts: list[str] | None) -> dict[str, str] | None:
    from noiseaudit.errors import ConfigError

    if not texts:
        return None
    split = [text.split(":") for text in texts]
    for text, parts in zip(texts, split, strict=True):
        if len(parts) != 2:
            raise ConfigError(
                f"--pair {text!r} is not of the form A:B", fix="Write for example --pair cat:dog."
            )
    return {parts[0]: parts[1] for parts in split}
