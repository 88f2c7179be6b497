"""noiseaudit scan."""

EXAMPLES = """
noiseaudit scan
"""


def scan() -> None:
    """x"""
