"""What the review page shows: its own files, rows and images of the audit, and names as text."""

from __future__ import annotations

import dataclasses
import io
import os
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="comes with the extra `review`")
pytest.importorskip("httpx", reason="comes with the extra `dev`")


from noiseaudit_review.review import Places, Review, open_review
from tests.review_tab import Tab, client, client_of, decide, opened, review, suspects
from tests.reviews import SIZE

__all__ = ["client", "review"]  # fixtures

HOSTILE = ("<img src=x onerror=alert(1)>", "\u202eabc\x07", "=1+1", "a" * 400)


def test_the_page_and_its_files(client: Tab) -> None:
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    names = {part.split('"')[0] for part in page.text.split('"/static/')[1:]}
    assert {"main.js", "page.css"} <= names
    for name in names:
        assert client.get(f"/static/{name}").status_code == 200, name
    assert "<script>" not in page.text
    assert " style=" not in page.text
    assert "http" not in page.text  # nothing of another place


def test_no_script_writes_html(client: Tab) -> None:
    from importlib.resources import files

    for file in (files("noiseaudit_review") / "static").iterdir():
        text = file.read_text("utf-8")
        assert not any(
            word in text for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(")
        )


def test_rows_are_what_the_audit_says(review: Review, client: Tab) -> None:
    about, rows = client.get("/api/audit").json(), suspects(client)
    record = {row["row"]: row for row in review.audit.table.to_pylist()}
    assert [row["rank"] for row in rows] == sorted(row["rank"] for row in rows)
    for row in rows:
        found = record[row["row"]]
        assert about["classes"][row["given"]] == found["given_label"]
        assert about["classes"][row["suggested"]] == found["suggested_label"]
        assert (row["sample"], row["p"], row["split"]) == (
            found["sample_id"],
            found["p_mislabeled"],
            found["split"],
        )
        assert row["why"].startswith(f"Looks like {found['suggested_label']}")
        assert (row["mine"], "others" in row) == (None, False)


def test_images_are_served_by_row_alone(review: Review, client: Tab, tmp_path: Path) -> None:
    answer = client.get("/image/0?size=large")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")
    assert Image.open(io.BytesIO(answer.content)).size == (SIZE, SIZE)  # the page enlarges it
    assert client.get("/image/0").content != answer.content
    statuses = [client.get(path).status_code for path in ("/image/80", "/image/-1", "/image/79")]
    assert statuses == [404, 404, 200]  # row 79 has no picture of its own, but shows one of the four
    for path in (
        "/image/..%2f..%2fetc%2fpasswd",
        "/image/0?size=huge",
        "/static/..%2fapp.py",
        "/static/app.py",
    ):
        assert client.get(path).status_code in (404, 422), path
    (tmp_path / "pictures" / "00001.png").unlink()
    (tmp_path / "pictures" / "00002.png").write_bytes(b"no image")
    assert [client.get(f"/image/{row}").status_code for row in (1, 2, 3)] == [404, 404, 200]


def test_images_that_lead_out_of_the_folder_are_not_served(tmp_path: Path) -> None:
    review = opened(tmp_path, n_images=4)
    place = review.audit.table.column_names.index("image")
    cells = review.audit.table.column("image").to_pylist()
    (tmp_path / "secret.png").write_bytes((tmp_path / "pictures" / "00000.png").read_bytes())
    (tmp_path / "pictures" / "link.png").symlink_to(tmp_path / "secret.png")
    cells[:3] = ["../secret.png", str(tmp_path / "secret.png"), "link.png"]
    import pyarrow as pa

    from noiseaudit.result import SCHEMA, AuditResult

    table = review.audit.table.set_column(place, SCHEMA.field("image"), pa.array(cells))
    AuditResult(table, review.audit.meta).write(tmp_path / "run" / "audit.parquet")
    review.log.close()
    again = open_review(review.places)
    client = client_of(again)
    assert [client.get(f"/image/{row}").status_code for row in range(4)] == [404, 404, 404, 200]
    again.log.close()


def test_hostile_names_are_text(tmp_path: Path) -> None:
    review = opened(tmp_path, classes=HOSTILE, n_images=1)
    client = client_of(review)
    answer = client.get("/api/audit")
    assert answer.headers["content-type"] == "application/json"
    classes = answer.json()["classes"]
    assert classes == sorted(classes, key=lambda name: name[:1])
    assert set(classes[:3]) == {"<img src=x onerror=alert(1)>", "=1+1", "a" * 159 + "…"}
    assert classes[3] == "⟨U+202E⟩abc⟨U+0007⟩"
    row = suspects(client)[0]
    decide(client, "event-01", {"row": row["row"], "decision": "relabel", "label": row["suggested"]})
    (decision,) = review.log.decisions()
    assert decision.new_label == review.audit.column("suggested_label")[row["row"]]
    review.log.close()


def test_a_folder_whose_name_is_no_text(review: Review) -> None:
    odd = Path(os.fsdecode(b"/tmp/caf\xe9"))
    places = Places(odd / "run", odd / "decisions.sqlite", odd / "decisions.csv")
    about = client_of(dataclasses.replace(review, places=places)).get("/api/audit").json()
    assert about["export"] == "/tmp/caf⟨U+DCE9⟩/decisions.csv"
    assert "⟨U+DCE9⟩" in about["next"]


@pytest.mark.parametrize(
    ("login", "shown"), [("ann", "ann"), ("=cmd()", "reviewer"), ("", "reviewer"), (OSError(), "reviewer")]
)
def test_who_decides_where_nobody_says_so(
    client: Tab, monkeypatch: pytest.MonkeyPatch, login: str | OSError, shown: str
) -> None:
    def getuser() -> str:
        if isinstance(login, OSError):
            raise login
        return login

    monkeypatch.setattr("getpass.getuser", getuser)
    about = client.get("/api/audit").json()
    assert (about["reviewer"], about["login"]) == ("", shown)
