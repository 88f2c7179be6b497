"""The names of `import noiseaudit`, which are loaded when they are first used."""

from __future__ import annotations

import importlib

import pytest

import noiseaudit


@pytest.mark.parametrize("name", noiseaudit.__all__)
def test_a_public_name_stays_what_it_is(name: str) -> None:
    first = getattr(noiseaudit, name)
    assert first.__name__ == name
    importlib.import_module(first.__module__)
    assert (
        getattr(noiseaudit, name) is first
    )  # and is no module of the same name, which imports would put there


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'evaluat'"):
        noiseaudit.evaluat  # noqa: B018


def test_a_notebook_completes_the_public_names() -> None:
    assert {*noiseaudit.__all__} <= {*dir(noiseaudit)}
