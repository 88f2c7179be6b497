"""What a gate came to, as JUnit XML for test reports and as GitHub's workflow commands."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from noiseaudit.exports.names import choice_text
from noiseaudit.gate import Comparison, Result, Value

SUITE = "noiseaudit gate"


def junit_xml(results: Sequence[Result], run: str) -> str:
    """A test case a check, failed where its condition holds; `run` names the audit."""
    failures = sum(result.failed for result in results)
    fields = {"name": SUITE, "tests": str(len(results)), "failures": str(failures)}
    fields |= {"errors": "0", "skipped": "0", "time": "0"}
    suites = ET.Element("testsuites", fields)
    suite = ET.SubElement(suites, "testsuite", fields)
    for result in results:
        name = choice_text(result.check.text)
        case = ET.SubElement(suite, "testcase", classname=f"noiseaudit.{run}", name=name, time="0")
        said = choice_text(sentence(result))
        if result.failed:
            ET.SubElement(case, "failure", message=said, type="gate").text = said
        else:
            ET.SubElement(case, "system-out").text = said
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def github_lines(results: Sequence[Result], file: str | None) -> list[str]:
    """An `::error` a check that failed, about the label file `file`, and a `::notice` about the others."""
    failed = [result for result in results if result.failed]
    place = f"file={_property(file)}," if file else ""
    lines = [f"::error {place}title={_property(SUITE)}::{_data(sentence(result))}" for result in failed]
    passed = len(results) - len(failed)
    if passed:
        lines.append(f"::notice title={_property(SUITE)}::{passed} of {len(results)} checks passed")
    return lines


def sentence(result: Result) -> str:
    """`noise_rate 13.7 % is not > 20 %`, or of several comparisons `TEXT does not hold: noise_rate = 0.137, ...`."""
    match result.check.any_of:
        case ((part,),):
            return _compared(result, part)
    found = ", ".join(f"{name} = {value_text(value)}" for name, value in result.values.items())
    return f"{result.check.text} {'holds' if result.failed else 'does not hold'}: {found}"


def _compared(result: Result, part: Comparison) -> str:
    """A measure and the number it was compared with, both in % if the number was."""
    in_percent = result.check.text.rstrip().endswith("%")
    factor, unit = (100, " %") if in_percent else (1, "")
    value, limit = result.values[part.name], f"{part.number * factor:.12g}"
    if value is None:
        return f"{part.name} is undefined, and so not {part.sign} {limit}{unit}"
    holds, told = part.holds(result.values), dataclasses.replace(part, number=float(limit))
    shown = str(value) if isinstance(value, int) and not in_percent else _rounded(value * factor, told, holds)
    return f"{part.name} {shown}{unit} {'is' if holds else 'is not'} {part.sign} {limit}{unit}"


def _rounded(value: float, told: Comparison, holds: bool) -> str:
    """Four significant digits, or as many as tell it from the number it is compared with: 5 % is not > 5 %."""
    texts = [f"{value:.{n}g}" for n in range(4, 18)]
    return next((text for text in texts if told.holds({told.name: float(text)}) == holds), texts[0])


def value_text(value: Value) -> str:
    """Four significant digits; counts in full."""
    if value is None:
        return "undefined"
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
