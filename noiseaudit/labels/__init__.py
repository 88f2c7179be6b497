"""Label files: read any of them, write one back."""

from noiseaudit.labels.columns import ColumnNames
from noiseaudit.labels.edit import edit_label_file
from noiseaudit.labels.read import read_labels
from noiseaudit.labels.table import LabelTable, Source

__all__ = ["ColumnNames", "LabelTable", "Source", "edit_label_file", "read_labels"]
