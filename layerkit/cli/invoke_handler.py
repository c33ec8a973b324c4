"""``layerkit invoke HANDLER``: one function, once, several times, or asynchronously."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from layerkit.cli.invoke_parts import NotTogether, event_of, source_of, venue_of
from layerkit.cli.options import cache_of, console_of
from layerkit.cli.variables import variable
from layerkit.invoke.function import Function
from layerkit.rehearsal import Wish, read_layers, rehearsal, target_for

if TYPE_CHECKING:
    from layerkit.cache import Cache
    from layerkit.cli.console import Console
    from layerkit.invoke.destination import Destination
    from layerkit.invoke.environment import Environment
    from layerkit.invoke.import_profile import ImportCosts
    from layerkit.invoke.invocation import Invocation

_FAILED: Final = 1
_RETRIES: Final = 2  # Lambda's own


def invoke_handler(said: Mapping[str, Any]) -> int:
    """Invoke the handler that the parameters of ``invoke`` name; return the exit code."""
    if len(said["what"]) > 1:
        raise NotTogether(problem="several handlers were named", hint="name one, or recipes: `./NAME` is a path")
    course = _course_of(said)
    console = console_of(quiet=said["quiet"], verbose=said["verbose"])
    if not (said["runtime"] or "").startswith("provided"):  # whose handlers look as they like
        _doubt(said["what"][0], console)
    cache = cache_of(said["cache_dir"])
    wish = _wish(said, cache, console)
    event = event_of("{}" if said["event"] is None else said["event"])
    with rehearsal(wish, cache=cache, progress=console.progress(), log=console.say) as environment:
        if course is None:
            done = _repeat(environment, event, said["repeat"], console=None if said["json"] else console)
        else:
            done = environment.invoke_patiently(event, retries=course.retries)
    if course is not None and not said["json"]:
        console.result(done[-1].answer.body)
    costs = environment.profile.costs() if environment.profile else None
    _report(wish.function, done, costs, console, json=said["json"])
    if said["repeat"] > 1:
        _summarise(done, console)
    if course is not None:
        console.flush()  # the answer is told, whatever becomes of the record
        course.send_record(done, event, arn=wish.function.arn, console=console)
    counting = done if course is None else done[-1:]
    return _FAILED if any(each.answer.failed for each in counting) else 0


def _doubt(handler: str, console: "Console") -> None:
    """Tell whoever may have meant a recipe, of which handlers look different, what is taken for what."""
    if "." not in handler:
        from layerkit.cookbook import bundled_recipes

        ours = bundled_recipes().get(handler)
        where = f"; layerkit's own recipe of that name is `{ours.parent}`" if ours else ""
        console.say(f"note: `{handler}` is taken for a handler: there is no recipe at that path{where}")


def _wish(said: Mapping[str, Any], cache: "Cache", console: "Console") -> Wish:
    layers = read_layers(said["layer"] or (), cache=cache, progress=console.progress(), offline=said["offline"])
    numbers = {name: said[name] for name in ("timeout", "memory", "tmp") if said[name] is not None}
    today = datetime.now(UTC).date()
    function = Function(
        handler=said["what"][0],
        target=target_for(said["runtime"], layers, today=today, architecture=said["arch"]),
        variables=dict(map(variable, said["env"] or ())),
        **numbers,
    )
    return Wish(
        code=said["code"] or Path(),
        layers=layers,
        function=function,
        force=said["force"],
        source=source_of(said),
        quiet=said["quiet"],
        profile=said["profile_imports"],
        venue=venue_of(said),
    )


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


def _course_of(parameters: Mapping[str, Any]) -> _Course | None:
    """Return how an invocation goes if it is an asynchronous one. Raises ``NotTogether`` and ``NoDestination``."""
    names = ("retries", "on_success", "on_failure")
    retries, on_success, on_failure = (parameters[name] for name in names)
    said = {"--retries": retries, "--on-success": on_success, "--on-failure": on_failure}
    if not parameters["asynchronous"]:
        if alone := next((option for option, value in said.items() if value is not None), None):
            raise NotTogether(problem=f"`{alone}` is for asynchronous invocations", hint="add `--async`")
        return None
    if parameters["repeat"] > 1:
        raise NotTogether(problem="`--repeat` and `--async` do not go together", hint="leave one out")
    from layerkit.invoke.destination import parse_destination

    return _Course(
        retries=_RETRIES if retries is None else retries,
        on_success=parse_destination(on_success) if on_success is not None else None,
        on_failure=parse_destination(on_failure) if on_failure is not None else None,
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


def _report(
    function: Function, done: "Sequence[Invocation]", costs: "ImportCosts | None", console: "Console", *, json: bool
) -> None:
    """Tell what belongs to all invocations together; under ``--json`` that is everything."""
    if json:
        runtime = function.target.runtime.name
        told = {"version": 1, "runtime": runtime, "invocations": [each.as_json() for each in done]}
        console.result_json({**told, **(costs.as_json() if costs else {})})
    if costs is not None:
        from layerkit.cli.import_costs import tell_costs

        tell_costs(costs, console)


def _summarise(done: Sequence["Invocation"], console: "Console") -> None:
    """Tell what cold and warm invocations took."""
    from statistics import median

    for name, group in (
        ("cold", [each.duration_ms + (each.init_ms or 0) for each in done if each.init_ms is not None]),
        ("warm", [each.duration_ms for each in done if each.init_ms is None]),
    ):
        if group:
            most = f", at most {max(group):.2f} ms" if len(group) > 1 else ""
            console.say(f"{len(group)} {name}: {median(group):.2f} ms{most}")
