"""``layerkit invoke``: a function with its layers, here, as Lambda would run it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from layerkit.cli import options as common
from layerkit.cli.options import cache_of, console_of, option
from layerkit.errors import UsageError

if TYPE_CHECKING:
    from layerkit.bundled import Source
    from layerkit.cli.console import Console
    from layerkit.invoke.destination import Destination
    from layerkit.invoke.environment import Environment
    from layerkit.invoke.invocation import Invocation

_FAILED: Final = 1
_RETRIES: Final = 2  # Lambda's own
_WORDS: Final = ("null", "true", "false")
_MOST_BYTES: Final = 6 * 1024 * 1024


class BadEvent(UsageError):
    """An event that Lambda would not hand to a function."""

    def __init__(self, *, where: str, why: str) -> None:
        super().__init__(
            f"the event {where} {why}", hint="""give a JSON file, `-` for stdin, or JSON: `--event '{"a": 1}'`"""
        )


class NotTogether(UsageError):
    """Options that do not go together, or not alone."""

    def __init__(self, *, problem: str, hint: str) -> None:
        super().__init__(problem, hint=hint)


def invoke(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="HANDLER|RECIPE...",
            help="The handler, as in lambda_function.lambda_handler; or recipes, whose examples are to be proven.",
        ),
    ],
    code: Annotated[
        Path | None, option("--code", metavar="DIR|ZIP", help="The function's code.", show_default="this folder")
    ] = None,
    layer: Annotated[
        list[Path] | None,
        option("--layer", metavar="ZIP", help="A layer, in the order in which the function lists them."),
    ] = None,
    event: Annotated[str | None, option("--event", metavar="FILE|-|JSON", help="The event.", show_default="{}")] = None,
    runtime: Annotated[
        str | None, option("--runtime", help="Lambda runtime.", show_default="what the layers are for, or the newest")
    ] = None,
    timeout: Annotated[int | None, option("--timeout", metavar="SECONDS", help="1 to 900.", show_default="3")] = None,
    memory: Annotated[int | None, option("--memory", metavar="MB", help="128 to 10240.", show_default="128")] = None,
    tmp: Annotated[
        int | None, option("--tmp", metavar="MB", help="Room in /tmp, 512 to 10240.", show_default="512")
    ] = None,
    env: Annotated[
        list[str] | None, option("--env", metavar="K=V", help="Environment variable of the function.")
    ] = None,
    repeat: Annotated[int, option("--repeat", min=1, metavar="N", help="Invoke N times in one environment.")] = 1,
    asynchronous: Annotated[
        bool, option("--async", help="Invoke as event sources do: retry what fails, send a record of it.")
    ] = False,
    retries: Annotated[
        int | None, option("--retries", min=0, max=2, help="How often to retry, with --async.", show_default="2")
    ] = None,
    on_success: Annotated[
        str | None, option("--on-success", metavar="ARN|FILE", help="Where the record goes, with --async.")
    ] = None,
    on_failure: Annotated[
        str | None, option("--on-failure", metavar="ARN|FILE", help="Where it goes if every attempt failed.")
    ] = None,
    force: Annotated[bool, option("--force", help="Try even what Lambda would refuse.")] = False,
    offline: common.Offline = False,
    index_url: common.IndexUrl = None,
    extra_index_url: common.ExtraIndexUrls = None,
    find_links: common.FindLinks = None,
    no_index: common.NoIndex = False,
    ca_bundle: common.CaBundle = None,
    proxy: common.Proxy = None,
    keyring: common.Keyring = None,
    cache_dir: common.CacheDir = None,
    quiet: common.Quiet = False,
    verbose: common.Verbose = False,
    json: common.Json = False,
) -> int:
    """Invoke a function with its layers on this machine, as Lambda would.

    Prints the function's answer; its log is stderr. A function that fails makes the exit code 1.
    """
    said = dict(locals())
    from layerkit.cli.variables import variable
    from layerkit.cookbook import is_recipe
    from layerkit.invoke.function import Function
    from layerkit.rehearsal import Layer, Wish, rehearsal, target_for

    if any(map(is_recipe, what)):
        from layerkit.cli.prove import prove_recipes

        return prove_recipes(said, event=None if event is None else event_of(event))
    if len(what) > 1:
        raise NotTogether(problem="several handlers were named", hint="name one, or recipes: `./NAME` is a path")
    course = _course_of(
        asynchronous=asynchronous, retries=retries, on_success=on_success, on_failure=on_failure, repeat=repeat
    )
    console = console_of(quiet=quiet, verbose=verbose)
    layers = tuple(map(Layer.read, layer or ()))
    limits = {"timeout": timeout, "memory": memory, "tmp": tmp}
    function = Function(
        handler=what[0],
        target=target_for(runtime, layers, today=datetime.now(UTC).date()),
        variables=dict(map(variable, env or ())),
        **{name: said for name, said in limits.items() if said is not None},
    )
    wish = Wish(code=code or Path(), layers=layers, function=function, force=force, source=source_of(said), quiet=quiet)
    content = event_of(event or "{}")
    with rehearsal(wish, cache=cache_of(cache_dir), progress=console.progress(), log=console.say) as environment:
        if course is None:
            done = _repeat(environment, content, repeat, console=None if json else console)
        else:
            done = environment.invoke_patiently(content, retries=course.retries)
    if course is not None:
        course.send_record(done, content, arn=function.arn, console=console)
        if not json:
            console.result(done[-1].answer.body)
    if json:
        console.result_json(
            {"version": 1, "runtime": function.target.runtime.name, "invocations": [each.as_json() for each in done]}
        )
    if repeat > 1:
        _summarise(done, console)
    counting = done if course is None else done[-1:]
    return _FAILED if any(each.answer.failed for each in counting) else 0


def source_of(said: Mapping[str, Any]) -> "Source":
    """Return where packages come from, by the command's parameters."""
    from layerkit.bundled import Source

    index = {
        "index_url": said["index_url"],
        "extra_index_urls": tuple(said["extra_index_url"] or ()),
        "find_links": tuple(said["find_links"] or ()),
        "no_index": said["no_index"] or None,
        "ca_bundle": said["ca_bundle"],
        "proxy": said["proxy"],
        "keyring": said["keyring"],
    }
    return Source(index=index, offline=said["offline"])


@dataclass(frozen=True, kw_only=True, slots=True)
class _Course:
    """How an asynchronous invocation goes: how often it is retried, and where its record goes."""

    retries: int
    on_success: "Destination | None"
    on_failure: "Destination | None"

    def send_record(self, done: "Sequence[Invocation]", event: bytes, *, arn: str, console: "Console") -> None:
        """Send the record where it belongs. Raises ``DiskFailure`` and ``AwsError`` subclasses."""
        from json import dumps

        from layerkit.invoke.destination import record_of

        destination = self.on_failure if done[-1].answer.failed else self.on_success
        if destination is not None:
            destination.send(dumps(record_of(done, event, arn=arn), ensure_ascii=False))
            console.say(f"Sent a record of the invocation to {destination}")


def _course_of(
    *, asynchronous: bool, retries: int | None, on_success: str | None, on_failure: str | None, repeat: int
) -> _Course | None:
    """Return how an invocation goes if it is an asynchronous one. Raises ``NotTogether`` and ``NoDestination``."""
    from layerkit.invoke.destination import parse_destination

    said = {"--retries": retries, "--on-success": on_success, "--on-failure": on_failure}
    if not asynchronous:
        if alone := next((option for option, value in said.items() if value is not None), None):
            raise NotTogether(problem=f"`{alone}` is for asynchronous invocations", hint="add `--async`")
        return None
    if repeat > 1:
        raise NotTogether(problem="`--repeat` and `--async` do not go together", hint="leave one out")
    return _Course(
        retries=_RETRIES if retries is None else retries,
        on_success=parse_destination(on_success) if on_success else None,
        on_failure=parse_destination(on_failure) if on_failure else None,
    )


def _repeat(environment: "Environment", event: bytes, number: int, *, console: "Console | None") -> "list[Invocation]":
    """Invoke a number of times; print each answer as it comes."""
    done = []
    for _ in range(number):
        done.append(environment.invoke(event))
        if console is not None:
            console.result(done[-1].answer.body)
            console.flush()
    return done


def event_of(said: str) -> bytes:
    """Return the event's JSON. Raises ``BadEvent``."""
    from json import loads

    where, content = _read(said)
    if len(content) > _MOST_BYTES:
        raise BadEvent(where=where, why=f"has {len(content)} bytes, over Lambda's {_MOST_BYTES}")
    try:
        loads(content)
    except ValueError as exc:
        raise BadEvent(where=where, why=f"is no JSON: {exc}") from exc
    return content


def _read(said: str) -> tuple[str, bytes]:
    if said == "-":
        return "on stdin", sys.stdin.buffer.read()
    if said.lstrip()[:1] in {"{", "[", '"'} or said in _WORDS or said.isdecimal():
        return "of `--event`", said.encode(errors="surrogateescape")
    try:
        return f"`{said}`", Path(said).read_bytes()
    except OSError as exc:
        raise BadEvent(where=f"`{said}`", why=f"cannot be read: {(exc.strerror or str(exc)).lower()}") from exc


def _summarise(done: Sequence["Invocation"], console: "Console") -> None:
    """Tell what cold and warm invocations took."""
    from statistics import median

    for name, group in (
        ("cold", [each.duration_ms + (each.init_ms or 0) for each in done if each.init_ms is not None]),
        ("warm", [each.duration_ms for each in done if each.init_ms is None]),
    ):
        if group:
            times = (
                f"{median(group):.2f} ms" if len(group) == 1 else f"{median(group):.2f} ms, at most {max(group):.2f} ms"
            )
            console.say(f"{len(group)} {name}: {times}")
