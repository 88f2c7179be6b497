"""Thumbnails in a report: what they become, and how much room they take."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from noiseaudit.result import AuditResult
from noiseaudit_reports import build_view
from noiseaudit_reports.thumbnails import BYTES_A_SUSPECT, LEAST_BUDGET_BYTES, MOST_BUDGET_BYTES, budget

MakeAudit = Callable[..., AuditResult]
PNG = b"\x89PNG rest"


def test_thumbnails_become_data_uris(make_audit: MakeAudit) -> None:
    view = build_view(make_audit(), thumbnail=lambda row: None if row % 2 else PNG + bytes([row]))
    assert {s.row % 2 for s in view.suspects} == {0, 1}
    for s in view.suspects:
        encoded = base64.b64encode(PNG + bytes([s.row])).decode()
        assert s.thumbnail == (None if s.row % 2 else f"data:image/png;base64,{encoded}")


@pytest.mark.parametrize(
    ("image", "kind"),
    [(PNG, "png"), (b"RIFF1234WEBPVP8 ", "webp"), (b"\xff\xd8\xff\xe0", "jpeg")],
)
def test_media_types(image: bytes, kind: str, make_audit: MakeAudit) -> None:
    uri = build_view(make_audit(), thumbnail=lambda row: image).suspects[0].thumbnail
    assert uri is not None
    assert uri.startswith(f"data:image/{kind};base64,")


def test_thumbnails_stop_at_the_budget_of_which_strips_have_a_quarter(make_audit: MakeAudit) -> None:
    size, read = LEAST_BUDGET_BYTES // 20, list[int]()

    def picture(row: int) -> bytes:
        read.append(row)
        return PNG.ljust(size, b"0")

    view = build_view(make_audit(400), thumbnail=picture)
    pictures = [s.thumbnail for s in view.suspects]
    assert len(pictures) > 15
    assert all(pictures[:15])
    assert not any(pictures[15:])
    assert sum(bool(e.thumbnail) for strip in view.strips for e in strip.examples) == 5
    assert len(read) == len(set(read))


def test_more_suspects_have_more_room() -> None:
    assert budget(100) == LEAST_BUDGET_BYTES
    assert budget(400) == 400 * BYTES_A_SUSPECT
    assert budget(10_000) == MOST_BUDGET_BYTES
