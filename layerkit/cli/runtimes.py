"""``layerkit runtimes``: what layers can be built for, with dates."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from layerkit.cli.options import Json, console_of

if TYPE_CHECKING:
    from layerkit.facts import Runtime


def runtimes(json: Json = False) -> None:
    """List the Lambda runtimes that layers can be built for."""
    from layerkit import facts

    console = console_of(quiet=False, verbose=False)
    today = datetime.now(UTC).date()
    rows = [_describe(runtime, today) for runtime in facts.runtimes().values()]
    if json:
        console.result_json({"version": 1, "runtimes": rows})
        return
    console.result(f"{'RUNTIME':<17} {'STATUS':<11} {'GLIBC':<6} {'DEPRECATED':<11} {'ARCHITECTURES':<14}")
    for row in rows:
        architectures = ", ".join(row["architectures"])
        dates = row["deprecated"] or "-"
        console.result(f"{row['runtime']:<17} {row['status']:<11} {row['glibc']:<6} {dates:<11} {architectures:<14}")


def _describe(runtime: "Runtime", today: date) -> dict[str, Any]:
    from layerkit.facts import PythonRuntime

    bundled = runtime.bundled if isinstance(runtime, PythonRuntime) else ()
    return {
        "runtime": runtime.name,
        "status": str(runtime.status(today)),
        "operating_system": runtime.system.name,
        "glibc": ".".join(map(str, runtime.glibc)),
        "architectures": [str(architecture) for architecture in runtime.architectures],
        "deprecated": _iso(runtime.deprecated),
        "create_block": _iso(runtime.create_block),
        "update_block": _iso(runtime.update_block),
        "bundled": {each.name: each.version for each in bundled},
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
