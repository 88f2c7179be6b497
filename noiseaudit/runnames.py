"""The names of what a scan writes to its folder: what writes a file takes its name from here.

noiseaudit.runfiles tells a scan's own from the files of people by them: what is named here, a new run does not keep.
"""

from __future__ import annotations

AUDIT_FILE = "audit.parquet"
RUN_FILE = "run.json"
EMBEDDINGS_FILE = "embeddings.npy"
MODEL_FILE = "model.safetensors"
DYNAMICS_FOLDER = "dynamics.parquet"
CHECKPOINTS = "checkpoints"
CLEANED = "cleaned"  # before the suffix of the label file
REPORTS = {"html": "report.html", "markdown": "report.md", "json": "report.json"}  # by their writers
SUSPECTS = {"suspects": "suspects.csv"}  # by its writer

LOCK_FILE = ".noiseaudit.lock"
CACHE, PROBE = ".noiseaudit-cache-", ".noiseaudit-probe-"  # how the names of temporary folders begin
