"""Samples are read: images, their frozen features, or the embeddings that take their place."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from noiseaudit import pretrained
from noiseaudit.choose import prefers_features
from noiseaudit.data.decode import Pixels
from noiseaudit.data.embed import Embedded, Extractor, OnProgress, embed_images
from noiseaudit.data.embeddings import is_readable, load_embeddings
from noiseaudit.data.feature_store import open_store
from noiseaudit.data.fingerprint import fingerprint
from noiseaudit.data.limits import DEFAULT_MAX_MEMORY, DEFAULT_MAX_PIXELS
from noiseaudit.data.load import Found, find_images, load_images
from noiseaudit.data.opening import Stored
from noiseaudit.data.probe import Probe
from noiseaudit.data.training import Originals
from noiseaudit.data.whereabouts import likely_images
from noiseaudit.errors import ConfigError, OutputError
from noiseaudit.labels.table import LabelTable
from noiseaudit.samples import Samples, Scales, column_scales, from_vectors, standardised

CPU = torch.device("cpu")


@dataclass(frozen=True)
class SampleOptions:
    """Where the samples are and how they are read. None of it changes what is learnt from readable samples."""

    images: Path | None = None
    embeddings: Path | None = None
    allow_roots: Sequence[Path] = ()
    max_pixels: int = DEFAULT_MAX_PIXELS
    max_memory: int = DEFAULT_MAX_MEMORY
    strict: bool = False
    workers: int | None = None  # decoding threads; None = one per core
    feature_cache: Path | None = None  # folder that keeps frozen features for the next time
    must_cache: bool = False  # a cache that cannot be opened is an error, not a warning


def load_samples(
    table: LabelTable,
    options: SampleOptions,
    *,
    image_size: int | None,
    cache_dir: Path,
    backbone: str | None = None,
    device: torch.device = CPU,
    on_features: OnProgress = lambda done, total: None,
    keep_originals: bool = False,
) -> Samples:
    """Read the images, their frozen features, or the embeddings that take their place.

    Features where `backbone`, as asked for, is "pretrained", or "auto" and choose.prefers_features says so and no
    `image_size` is asked for; None is for pixels in any case. `device` is where features are made; `on_features`
    hears how far they are. `keep_originals`: with features come the images that they were made of.

    Raises ConfigError unless exactly one of images, in files or in the data set, and embeddings is given, DataError
    if it is unusable.
    """
    _check_given(table, options)
    if options.embeddings is not None:
        return _from_embeddings(table, options.embeddings, strict=options.strict)
    images = find_images(
        table,
        options.images,
        allow_roots=options.allow_roots,
        max_pixels=options.max_pixels,
        strict=options.strict,
        workers=decoding_workers(options),
        file=table.source.path if table.source else options.images or Path("the labels"),
    )
    if backbone == "pretrained" or (
        backbone == "auto" and image_size is None and prefers_features(images, device)
    ):
        extractor = pretrained.load_extractor(images.probe, image_size, device)
        embedded, warnings = _embed(images, options, extractor, on_features)
        pixels = _load_images(images, options, extractor.side, cache_dir) if keep_originals else None
        return _from_features(images, embedded, extractor.side, pixels, warnings)
    pixels = _load_images(images, options, image_size, cache_dir)
    return Samples(
        pixels.data,
        pixels.status,
        pixels.reason,
        fingerprint(table, pixels.digests),
    )


def _check_given(table: LabelTable, options: SampleOptions) -> None:
    has_images, has_embeddings = options.images is not None, options.embeddings is not None
    fix = "Give either --images DIR or --embeddings FILE."
    if has_images and has_embeddings:
        raise ConfigError("both --images and --embeddings given", fix=fix)
    if table.pictures is None and not has_images and not has_embeddings:
        near = likely_images(table)
        raise ConfigError(
            "neither --images nor --embeddings given",
            fix=f"The images seem to lie in {near}: add --images {shlex.quote(str(near))}." if near else fix,
        )
    if table.pictures is not None and has_images and table.source and options.images != table.source.path:
        raise ConfigError("--images is given, but the data set holds its images", fix="Leave it out.")


def decoding_workers(options: SampleOptions) -> int:
    """Threads that decode images."""
    return options.workers or os.cpu_count() or 1


def _embed(
    images: Found, options: SampleOptions, extractor: Extractor, on_features: OnProgress
) -> tuple[Embedded, list[str]]:
    found, warnings = embed_stored(images.paths, images.probe, options, extractor, on_features)
    images.check(found)
    return found, warnings


def embed_stored(
    paths: Sequence[Path | Stored],
    probe: Probe,
    options: SampleOptions,
    extractor: Extractor,
    on_features: OnProgress = lambda done, total: None,
) -> tuple[Embedded, list[str]]:
    """Features, from the cache where they are known, and warnings. Raises OutputError for a cache that must be."""
    with ExitStack() as stack:
        store, warnings = None, list[str]()
        try:
            if options.feature_cache:
                store = stack.enter_context(open_store(options.feature_cache))
        except OutputError as error:
            if options.must_cache:
                raise
            warnings.append(f"features are not kept for the next scan: {error}")
        found = embed_images(
            paths,
            probe,
            extractor,
            store=store,
            workers=decoding_workers(options),
            on_progress=on_features,
        )
    return found, warnings


def _from_features(
    images: Found, found: Embedded, side: int, pixels: Pixels | None, warnings: list[str]
) -> Samples:
    """A file that was damaged between the reading of features and `pixels` counts as such."""
    status, reason = found.status.copy(), found.reason.copy()
    if pixels:
        worse = (status == "ok") & (pixels.status != "ok")
        status[worse], reason[worse] = pixels.status[worse], pixels.reason[worse]
    is_ok = np.asarray(status == "ok", np.bool_)
    mean, deviation = column_scales(found.values[is_ok])
    return Samples(
        standardised(found.values, is_ok, mean, deviation),
        status,
        reason,
        fingerprint(images.table, found.digests),
        f"frozen features of {pretrained.NAME} at {side} px",
        (*warnings, *found.warnings),
        Originals(pixels.data, torch.from_numpy(mean), torch.from_numpy(deviation)) if pixels else None,
        Scales(mean, deviation),
        side,
    )


def _load_images(images: Found, options: SampleOptions, image_size: int | None, cache_dir: Path) -> Pixels:
    return load_images(
        images,
        image_size=image_size,
        workers=decoding_workers(options),
        memory_limit=options.max_memory,
        cache_dir=cache_dir,
    )


def _from_embeddings(table: LabelTable, path: Path, *, strict: bool) -> Samples:
    values = load_embeddings(path, table, strict=strict)
    return from_vectors(table, values, *column_scales(values[is_readable(values)]))
