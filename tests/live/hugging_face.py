"""`datasets.load_dataset("imagefolder")` and cleanlab's Datalab read what noiseaudit exports.

No part of the suite: it takes an environment of its own, without torch. For maintainers:

    python3.11 -m venv /tmp/hf && /tmp/hf/bin/pip install datasets pillow 'cleanlab[datalab]==2.9.0' pytest hypothesis
    PYTHONPATH=.:cli:reports /tmp/hf/bin/python -m tests.live.hugging_face
"""

from __future__ import annotations

import importlib
import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}

from noiseaudit.exports import export_audit
from noiseaudit.exports.base import ExportOptions
from noiseaudit.exports.pictures import find_pictures
from noiseaudit.result import AuditResult
from tests.trips import draw_images, trip_audit


def check_dataset(folder: Path, audit: AuditResult, images: Path) -> Any:
    """Every row has its own pixels, label and columns; the dataset."""
    datasets = importlib.import_module("datasets")
    found = datasets.load_dataset("imagefolder", data_dir=str(folder), cache_dir=str(folder.parent / "cache"))
    assert list(found) == ["train"], found
    data = found["train"]
    assert data.features["label"].names == list(audit.classes)
    rows = {row["sample_id"]: row for row in audit.table.to_pylist()}
    pillow = importlib.import_module("PIL.Image")
    for each in data:
        row = rows.pop(each["sample_id"])
        assert each["image"].tobytes() == pillow.open(images / row["image"]).tobytes()
        label = None if each["label"] is None else data.features["label"].int2str(each["label"])
        assert label == row["given_label"]
        assert data.features["suggested_label"].int2str(each["suggested_label"]) == row["suggested_label"]
        for name in ("p_mislabeled", "is_label_issue", "rank", "issue_kind"):
            assert each[name] == row[name], name
    assert {row["status"] for row in rows.values()} == {"missing"}
    print(f"datasets {version('datasets')}: {len(data)} rows, {len(data.features)} features as they were")
    return data


def check_tree(folder: Path, n_rows: int) -> None:
    """A tree of the cleaned set is one, too: its folders are the classes, and what lies beside them does no harm."""
    datasets = importlib.import_module("datasets")
    found = datasets.load_dataset("imagefolder", data_dir=str(folder), cache_dir=str(folder.parent / "cache"))
    assert len(found["train"]) == n_rows
    folders = sorted(path.name for path in folder.iterdir() if path.is_dir())
    assert found["train"].features["label"].names == folders
    print(f"an imagefolder tree: {n_rows} rows in {len(folders)} classes")


def check_datalab(data: Any, audit: AuditResult) -> None:
    """A Datalab of the exported dataset, with an issue of its own that takes our two columns, reports our suspects."""
    datalab = importlib.import_module("cleanlab").Datalab
    manager = importlib.import_module("cleanlab.datalab.internal.issue_manager").IssueManager
    register = importlib.import_module("cleanlab.datalab.internal.issue_manager_factory").register
    pandas = importlib.import_module("pandas")

    class NoiseAudit(manager):  # type: ignore[misc, valid-type]
        """The columns is_label_issue and p_mislabeled of the data, as Datalab has issues: low scores are bad."""

        description = "Labels that noiseaudit takes to be wrong"
        issue_name = "noiseaudit"

        def find_issues(self, **kwargs: Any) -> None:
            columns = self.datalab.data
            self.issues = pandas.DataFrame(
                {
                    f"is_{self.issue_name}_issue": columns["is_label_issue"],
                    self.issue_score_key: [1 - p for p in columns["p_mislabeled"]],
                }
            )
            self.summary = self.make_summary(score=self.issues[self.issue_score_key].mean())

    register(NoiseAudit)
    labelled = data.filter(lambda label: label is not None, input_columns="label").remove_columns("image")
    lab = datalab(data=labelled, label_name="label")
    assert sorted(lab.class_names) == sorted(audit.classes)
    lab.find_issues(issue_types={"noiseaudit": {}})
    issues = lab.get_issues("noiseaudit")
    rows = {row["sample_id"]: row for row in audit.table.to_pylist()}
    for name, flag, score in zip(
        labelled["sample_id"], issues["is_noiseaudit_issue"], issues["noiseaudit_score"], strict=True
    ):
        assert flag == rows[name]["is_label_issue"]
        assert abs(score - (1 - rows[name]["p_mislabeled"])) < 1e-12
    n_issues = int(lab.get_issue_summary("noiseaudit")["num_issues"].iloc[0])
    assert n_issues == int(audit.suspects().sum())
    print(
        f"cleanlab {version('cleanlab')}: Datalab reports {n_issues} issues of {len(issues)} rows as they were"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        images = Path(name, "photos")
        audit = trip_audit()
        draw_images(audit, images)
        options = ExportOptions(pictures=find_pictures({}, images))
        export_audit(audit, "huggingface", Path(name, "dataset"), options)
        data = check_dataset(Path(name, "dataset"), audit, images)
        tree = ExportOptions(pictures=options.pictures, policy="relabel")
        check_tree(Path(name, "tree"), export_audit(audit, "imagefolder", Path(name, "tree"), tree).rows)
        check_datalab(data, audit)


if __name__ == "__main__":
    main()
