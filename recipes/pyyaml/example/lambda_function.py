"""Reads configurations in YAML, which strangers may have written, and writes them plainly."""

from typing import Any, override

import yaml


class PlainDumper(yaml.CSafeDumper):
    """Writes out what an anchor shares, wherever it is used."""

    @override
    def ignore_aliases(self, data: object) -> bool:
        """Say of everything that it is no alias."""
        return True


def read(text: str) -> dict[str, Any]:
    """Return a configuration as values and as plain YAML, or why it is refused.

    A safe loader makes nothing but plain values of it, and runs nothing; libyaml's (the C) is several times as fast.
    """
    try:
        values = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        return {"refused": error.problem, "line": line}
    plain = yaml.dump(values, Dumper=PlainDumper, sort_keys=False, allow_unicode=True)
    return {"values": values, "plain": plain}


def lambda_handler(event: dict[str, Any], context: object) -> list[dict[str, Any]]:
    """Return what each of the configurations says."""
    return [read(text) for text in event["configurations"]]
