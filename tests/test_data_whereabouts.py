"""A scan without --images names the folder, where the first images are found near the label file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from noiseaudit.data.whereabouts import likely_images, likely_labels, likely_scan
from noiseaudit.labels import read_labels
from noiseaudit_cli.main import app


def labels(folder: Path, *cells: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "labels.csv"
    file.write_text("image,label\n" + "".join(f"{cell},{'ab'[i % 2]}\n" for i, cell in enumerate(cells)))
    return file


def put(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")


def refused(data: str, out: str = "run") -> str:
    """What a scan without --images says, which leaves nothing."""
    done = CliRunner().invoke(app, ["scan", data, "--out", out])
    assert done.exit_code == 2
    assert not Path(out).exists()
    return done.stderr


@pytest.mark.parametrize(
    ("cells", "files", "found"),
    [
        (["1.png", "2.png"], ["1.png", "photos/1.png"], "."),
        (["gone.png", "2.png"], ["b/2.png", "c/2.png"], "b"),
        (["b/2.png", "b/3.png"], ["b/3.png"], "."),
        (["1.png", "2.png"], ["deep/er/1.png"], None),
        (["../outside/1.png", "2.png"], ["../outside/1.png"], None),
        ([*(f"{i}.png" for i in range(5)), "9.png"], ["9.png"], None),
    ],
)
def test_where_the_first_images_are(
    cells: list[str], files: list[str], found: str | None, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    table = read_labels(labels(data, *cells))
    put(*(data / name for name in files))
    assert likely_images(table) == (None if found is None else data / found)


def test_the_error_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels(tmp_path / "my data", "1.png", "2.png")
    monkeypatch.chdir(tmp_path)
    assert refused("my data/labels.csv").endswith(
        "error: neither --images nor --embeddings given. Give either --images DIR or --embeddings FILE.\n"
    )
    put(Path("my data/photos/2.png"))
    assert refused("my data/labels.csv").endswith(
        "error: neither --images nor --embeddings given. The images seem to lie in my data/photos: add --images "
        f"'my data{os.sep}photos'.\n"
    )


def test_a_folder_with_label_file_and_images_is_told_how_to_scan_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    labels(Path("my data"), "1.png", "2.png")
    put(Path("my data/pictures/1.png"))
    for data in ("my data", "my data/pictures"):
        assert refused(data).endswith(
            ", or a label file with an image and a label column, perhaps 'my data/labels.csv' as DATA with "
            "--images 'my data/pictures'.\n"
        )
    monkeypatch.chdir("my data/pictures")
    assert "perhaps ../labels.csv as DATA with --images ../pictures.\n" in refused(".", "../run")


def test_cells_that_name_the_folder_are_found_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    labels(Path("data"), "pictures/1.png", "pictures/2.png")
    put(Path("data/pictures/1.png"))
    for data in ("data", "data/pictures"):
        assert "perhaps data/labels.csv as DATA with --images data.\n" in refused(data)


def test_a_file_beside_a_folder_that_names_other_images_is_not_mentioned(tmp_path: Path) -> None:
    labels(tmp_path, "1.png", "2.png")
    put(tmp_path / "pictures" / "9.png", tmp_path / "others" / "1.png")
    (tmp_path / "broken.csv").write_bytes(b"\xff\x00")
    assert likely_labels(tmp_path / "pictures") is None
    assert likely_labels(tmp_path / "others") == (
        f"{tmp_path / 'labels.csv'} as DATA with --images {tmp_path / 'others'}"
    )
    assert likely_scan([tmp_path / "broken.csv"]) is None


def test_very_large_files_are_not_read_for_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = labels(tmp_path, "1.png", "2.png")
    put(tmp_path / "1.png")
    monkeypatch.setattr("noiseaudit.data.whereabouts.MOST_BYTES", file.stat().st_size)
    assert likely_scan([file]) == f"{file} as DATA with --images {tmp_path}"
    monkeypatch.setattr("noiseaudit.data.whereabouts.MOST_BYTES", file.stat().st_size - 1)
    assert likely_scan([file]) is None


def test_what_noiseaudit_wrote_is_no_label_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor a part of one, nor its cleaned copy."""
    monkeypatch.chdir(tmp_path)
    names = [f"{i}.png" for i in range(6)]
    put(*(Path("photos") / name for name in names))
    for name in ("a.csv", "b.csv", "c.csv"):
        rows = "".join(f"{cell},a,,r1,2\n" for cell in names)
        Path(name).write_text(f"image,given_label,decision,run_id,sampling_weight\n{rows}")
    labels(tmp_path, *names[:4]).rename("data.part.csv")
    labels(tmp_path, *names).rename("data.csv")
    labels(tmp_path, *names).rename("data.checked.csv")
    assert "perhaps data.csv as DATA with --images photos.\n" in refused("photos")
