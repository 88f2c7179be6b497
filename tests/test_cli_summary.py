"""What a scan says when it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from noiseaudit_cli.summary import scan_summary


def _run(**changes: Any) -> dict[str, Any]:
    run = {
        "counts": {"suspects": 12, "checked": 1000, "suggested": 0, "expected_mislabeled": 11.6},
        "config": {"chosen": {"backbone": "mlp", "backbone_reason": "small grey images"}},
        "cutoff": {"rule": "auto", "score": "p_mislabeled", "threshold": 0.51234, "reason": "Highest F1."},
        "expected": {
            "precision": {"value": 0.934, "low": 0.9, "high": 0.968},
            "recall": {"value": None, "low": 0.0, "high": 1.0},
            "noise_rate": {"value": 0.0116, "low": 0.008, "high": 0.0152},
        },
        "relabelling": {
            "n": 1012,
            "mended": 900.4,
            "otherwise": 44.0,
            "spoiled": 67.6,
            "net": {"value": 832.8, "low": -7.0, "high": 1000.4},
        },
        "dominant_pair": None,
        "warnings": [],
        "unread": [],
        "paths": {"data": "/data/labels.jsonl"},
        "source": {"format": "jsonl"},
        "cleaned": {"file": "cleaned.jsonl", "changed": 1012, "protected": 0},
    }
    return run | changes


def test_all_of_it() -> None:
    assert scan_summary(_run(), Path("my run")).splitlines() == [
        "",
        "12 of 1,000 labels look wrong.",
        "By the model's own estimate about 11 of these are wrong, and about 1 more that it did not flag.",
        "  expects   precision 93 % (90 % to 97 %), no recall, noise rate 1.2 % (0.8 % to 1.5 %), "
        "if p_mislabeled is about right (with 1,000 labels it may be too sure, and miscount)",
        "  backbone  mlp",
        "  cut-off   p_mislabeled 0.5123: Highest F1.",
        "  cleaned   cleaned.jsonl: 1,012 relabelled; it expects of all suspects about 900 mended, 44 wrong in another "
        "way and 68 spoiled, in all 833 more right (-7 to 1,000)",
        "",
        "Open my run/report.html and look at some suspects before you use cleaned.jsonl, or go on with",
        "  noiseaudit review 'my run'",
        "  noiseaudit clean 'my run' --decisions 'my run/decisions.csv' --out labels.checked.jsonl",
        "  noiseaudit rank 'my run'",
        "  noiseaudit sample 'my run' --n 200 --out checks.csv",
    ]


def test_bad_rows_and_warnings_are_listed_and_made_safe() -> None:
    unread = [
        {"row": i, "sample_id": f"{i}\x1b.png", "status": "missing", "reason": "no such file"}
        for i in range(7)
    ]
    text = scan_summary(_run(unread=unread, warnings=["class 'x' has one row"]), Path("run"))
    assert "  warnings: 1\n    class 'x' has one row\n" in text
    assert (
        "  rows, from 0, whose image could not be used: 7\n    row 0, 0\\x1b.png: missing, no such file\n"
        in text
    )
    assert "row 4, " in text
    assert "row 5, " not in text
    assert "    ... and 2 more in run.json\n" in text


def test_a_dominant_pair_is_one_safe_line() -> None:
    pair = {"given_label": "cat\n", "suggested_label": "dog\x1b", "count": 1007}
    assert scan_summary(_run(dominant_pair=pair), Path("run")).splitlines()[6] == (
        "  1,007 suspects, more than half, are cat\\n -> dog\\x1b: "
        "possibly a systematic confusion, worth a look before cleaning."
    )


def test_a_cutoff_is_exact_and_says_where_it_flags_nothing() -> None:
    cutoff = {"rule": "auto", "score": "p_mislabeled", "threshold": 0.99999, "reason": "Three rows."}
    assert "  cut-off   p_mislabeled 0.99999: Three rows.\n" in scan_summary(_run(cutoff=cutoff), Path("run"))
    counts = _run()["counts"] | {"suspects": 0}
    text = scan_summary(_run(cutoff=cutoff, counts=counts), Path("run"))
    assert "  cut-off   p_mislabeled 0.99999, no row is flagged: Three rows.\n" in text


def test_unlabelled_rows_are_mentioned() -> None:
    counts = _run()["counts"] | {"suggested": 2500}
    text = scan_summary(_run(counts=counts), Path("my run"))
    assert "  2,500 unlabelled rows have a suggested label: noiseaudit rank 'my run' --unlabelled\n" in text


def test_spared_suspects_are_mentioned() -> None:
    cleaned = {"file": "cleaned.csv", "changed": 0, "protected": 9}
    text = scan_summary(_run(cleaned=cleaned), Path("run"))
    assert "cleaned.csv: 0 relabelled, 9 suspects in test or validation splits left alone\n" in text


def test_a_folder_is_cleaned_to_csv() -> None:
    run = _run(paths={"data": "/data/photos.v2"}, source={"format": "folder"})
    assert "--out labels.checked.csv\n" in scan_summary(run, Path("run"))


def test_a_cutoff_that_was_asked_for_is_no_verdict() -> None:
    cutoff = {
        "rule": "budget=12",
        "score": "p_mislabeled",
        "threshold": 0.1,
        "reason": "The 12 most suspicious.",
    }
    text = scan_summary(_run(cutoff=cutoff), Path("run"))
    assert "12 of 1,000 labels are listed for review.\nBy the model's own estimate about 11 of these" in text
