"""An audit's metadata: they survive JSON, and damaged ones are refused by name."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from noiseaudit.audit_meta import SCHEMA_VERSION, AuditMeta, Cutoff, check_meta
from noiseaudit.errors import DataError
from noiseaudit.result import METADATA_KEY, AuditResult, read_audit
from tests.test_result import audit_file

__all__ = ["audit_file"]  # fixtures
MakeAudit = Callable[..., AuditResult]


def test_metadata_survive_json(make_audit: MakeAudit) -> None:
    meta = make_audit().meta
    assert AuditMeta.from_json(meta.to_json()) == meta
    other = dataclasses.replace(meta, cutoff=Cutoff("rate=0.1", "p_mislabeled", 0.123456789, "é"))
    assert AuditMeta.from_json(other.to_json().encode()) == other


def rewrite(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    table = pq.read_table(path)
    fields = json.loads(table.schema.metadata[METADATA_KEY])
    change(fields)
    pq.write_table(table.replace_schema_metadata({METADATA_KEY: json.dumps(fields)}), path)


def test_another_schema_version(audit_file: Path) -> None:
    rewrite(audit_file, lambda fields: fields.update(schema_version=SCHEMA_VERSION + 1))
    with pytest.raises(DataError, match="schema version 2, but this noiseaudit reads 1"):
        read_audit(audit_file)


def test_another_class_order(audit_file: Path) -> None:
    rewrite(audit_file, lambda fields: fields.update(classes=fields["classes"][::-1]))
    with pytest.raises(DataError, match="not in canonical order"):
        read_audit(audit_file)


@pytest.mark.parametrize(
    "raw", ["{", "[]", "3", '{"schema_version": 1}', '{"schema_version": 1, "classes": 3, "cutoff": 4}', "{}"]
)
def test_damaged_metadata(audit_file: Path, raw: str) -> None:
    table = pq.read_table(audit_file)
    pq.write_table(table.replace_schema_metadata({METADATA_KEY: raw}), audit_file)
    with pytest.raises(DataError, match="its metadata are damaged"):
        read_audit(audit_file)


def test_an_unknown_metadata_field(audit_file: Path) -> None:
    rewrite(audit_file, lambda fields: fields.update(colour="blue"))
    with pytest.raises(DataError, match="its metadata are damaged"):
        read_audit(audit_file)


def change(fields: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for name in outer:
        fields = fields[name]
    fields[last] = value


META_EDITS = [
    ("seed", "0"), ("seed", True), ("seed", -1), ("seed", 1.5), ("threads", None), ("threads", "2"),
    ("classes", "cat"), ("classes", ["cat", 3]), ("classes", {"cat": 1}), ("class_type", "float"),
    ("class_type", ["string"]), ("config", []), ("versions", {"torch": 2}), ("device_type", 3),
    ("cutoff", None), ("cutoff", {}), ("cutoff.rule", 5), ("cutoff.score", "margin"),
    ("cutoff.threshold", "0.5"), ("cutoff.threshold", float("nan")), ("cutoff.threshold", True),
    ("cutoff.reason", None), ("cutoff.extra", 1), ("data_fingerprint", 7), ("schema_version", True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), META_EDITS)
def test_a_mistyped_metadata_field_is_named(
    name: str, value: Any, make_audit: MakeAudit, tmp_path: Path
) -> None:
    audit = make_audit()
    fields = json.loads(audit.meta.to_json())
    check_meta(fields)
    change(fields, name, value)
    table = audit.table.replace_schema_metadata({METADATA_KEY: json.dumps(fields)})
    pq.write_table(table, tmp_path / "audit.parquet")
    with pytest.raises(DataError, match=r"audit\.parquet: its metadata are damaged \(") as caught:
        read_audit(tmp_path)
    missing = "'reason' is missing"  # the first by name
    assert (missing if value == {} else repr(name.split(".")[-1])) in str(caught.value)


@pytest.mark.parametrize("raw", ["[" * 100_000, '"text"', "null", '{"schema_version": 1}', b"\xff\xff{"])
def test_metadata_that_are_no_object(raw: str | bytes, make_audit: MakeAudit, tmp_path: Path) -> None:
    table = make_audit().table.replace_schema_metadata({METADATA_KEY: raw})
    pq.write_table(table, tmp_path / "audit.parquet")
    with pytest.raises(DataError, match="its metadata are damaged"):
        read_audit(tmp_path)
