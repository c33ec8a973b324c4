"""``layerkit invoke RECIPE...``: examples of recipes, invoked with their layers, held against what they should do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from layerkit.cli.invoke_parts import event_of, source_of, venue_of
from layerkit.cli.options import cache_of, console_of
from layerkit.cli.variables import variable
from layerkit.cookbook import RECIPE_FILE, find_recipe, find_recipes, is_recipe, load_recipe, shown
from layerkit.errors import LayerkitError, UsageError
from layerkit.proof import Case, NoExample, NotForHere, Proof, Settings, Wanted, cases_of, prove

if TYPE_CHECKING:
    from layerkit.cache import Cache
    from layerkit.cli.console import Console

_FAILED: Final = 1
_SHOWN: Final = 10  # differences
_RECIPES_OWN: Final = {
    "code": "--code",
    "layer": "--layer",
    "asynchronous": "--async",
    "retries": "--retries",
    "on_success": "--on-success",
    "on_failure": "--on-failure",
}


class RecipesOwn(UsageError):
    """Options that say what a recipe's example says."""

    def __init__(self, *, option: str) -> None:
        super().__init__(
            f"`{option}` and a recipe do not go together",
            hint="leave it out, or name a handler in place of the recipe: `layerkit invoke lambda_function.handler`",
        )


class NoRecipe(UsageError):
    """Something beside a recipe that is none."""

    def __init__(self, *, argument: str) -> None:
        super().__init__(
            f"no recipe at `{shown(argument)}`",
            hint=f"beside recipes name only recipes: .toml files, or folders that hold a `{RECIPE_FILE}`; a function's "
            "handler is named alone, its event with `--event`",
        )


@dataclass(kw_only=True, slots=True)
class _Session:
    """Cases that are proven one after the other; what came of them."""

    settings: Settings
    cache: "Cache"
    console: "Console"
    proofs: list[Proof] = field(default_factory=list)
    failures: list[tuple[Case, LayerkitError]] = field(default_factory=list)

    def prove(self, case: Case) -> Proof | None:
        """Prove one case, and remember what came of it."""
        log = (lambda _: None) if self.settings.quiet else self.console.say
        try:
            proof = prove(case, self.settings, cache=self.cache, progress=self.console.progress(), log=log)
        except LayerkitError as exc:
            self.failures.append((case, exc))
            return None
        self.proofs.append(proof)
        return proof

    @property
    def code(self) -> int:
        """The exit code: that of the first that did not come to an answer, else whether all hold."""
        if self.failures:
            return self.failures[0][1].exit_code
        return 0 if all(proof.holds for proof in self.proofs) else _FAILED


def prove_recipes(said: Mapping[str, Any]) -> int:
    """Prove recipes, by the parameters of ``invoke``; return the exit code."""
    _check(said)
    console = console_of(quiet=said["quiet"], verbose=said["verbose"])
    cache = cache_of(said["cache_dir"])
    cases = _cases(said, cache)
    single = len(cases) == 1
    session = _Session(
        settings=_settings(said, quiet=said["quiet"] or not (single or said["verbose"])),
        cache=cache,
        console=console,
    )
    if single and not said["json"]:
        return _prove_one(session, cases[0])
    for case in cases:
        proof = session.prove(case)
        if not said["json"]:
            console.result(_line(case, proof))
            console.flush()
            _tell_what_differs(case, proof, session)
        elif proof is None:
            console.error(session.failures[-1][1])
    if said["json"]:
        console.result_json({"version": 1, "examples": [*_as_json(session)]})
    return session.code


def _prove_one(session: _Session, case: Case) -> int:
    """Prove a single case; its answers are the result, as with any function."""
    proof = session.prove(case)
    if proof is None:
        raise session.failures[0][1]
    for each in proof.invocations:
        session.console.result(each.answer.body)
    session.console.flush()
    if proof.costs is not None:
        from layerkit.cli.import_costs import tell_costs

        tell_costs(proof.costs, session.console)
    if session.settings.event is None:
        session.console.say(_line(case, proof))
        _tell_what_differs(case, proof, session)
    return session.code


def _check(said: Mapping[str, Any]) -> None:
    for name, option in _RECIPES_OWN.items():
        if said[name] is not None and said[name] is not False:
            raise RecipesOwn(option=option)
    for argument in said["what"]:
        if not is_recipe(argument):
            raise NoRecipe(argument=argument)


def _cases(said: Mapping[str, Any], cache: "Cache") -> list[Case]:
    """Return all cases; of folders of recipes those that have an example, for every runtime at hand."""
    today = datetime.now(UTC).date()
    groups = [find_recipes(Path(argument)) for argument in said["what"]]
    cases: list[Case] = []
    left_out: list[UsageError] = []
    for argument, group in zip(said["what"], groups, strict=True):
        many = group != (find_recipe(Path(argument)),)
        wanted = Wanted(runtime=said["runtime"], architecture=said["arch"], every=many, cache=cache, today=today)
        for path in group:
            try:
                cases += cases_of(load_recipe(path), wanted)
            except (NoExample, NotForHere) as exc:
                if not many:
                    raise
                left_out.append(exc)
    if not cases:
        raise next((exc for exc in left_out if isinstance(exc, NotForHere)), left_out[0])
    return cases


def _settings(said: Mapping[str, Any], *, quiet: bool) -> Settings:
    return Settings(
        today=datetime.now(UTC).date(),
        timeout=said["timeout"],
        memory=said["memory"],
        tmp=said["tmp"],
        variables=dict(map(variable, said["env"] or ())),
        event=None if said["event"] is None else event_of(said["event"]),
        repeat=said["repeat"],
        force=said["force"],
        quiet=quiet,
        source=source_of(said),
        profile=said["profile_imports"],
        venue=venue_of(said),
    )


def _line(case: Case, proof: Proof | None) -> str:
    """Return a line about a case."""
    verdict = "failed" if proof is None else "ok" if proof.holds else "wrong"
    where = f"{case.target.runtime.name} {case.target.architecture}"
    if proof is None:
        return f"{verdict:<6} {case.title:<28} {where}"
    first = proof.invocations[0]
    return f"{verdict:<6} {case.title:<28} {where:<18} {first.billed_ms:>6} ms {first.memory_mib:>5} MB"


def _tell_what_differs(case: Case, proof: Proof | None, session: _Session) -> None:
    if proof is None:
        session.console.error(session.failures[-1][1])
    elif not proof.holds:
        failures = [each.answer.body for each in proof.invocations if each.answer.failed]
        error = NotAsItShould(
            case=case, failures=failures, differences=proof.differences, log_is_shown=not session.settings.quiet
        )
        session.console.error(error)


class NotAsItShould(LayerkitError):
    """An example that did not answer as it should."""

    exit_code = _FAILED

    def __init__(self, *, case: Case, failures: Sequence[str], differences: Sequence[str], log_is_shown: bool) -> None:
        right = "" if failures else ", or write down what it answers if that is right"
        differences = [*failures, *differences]
        more = [f"… and {len(differences) - _SHOWN} more"] if len(differences) > _SHOWN else []
        again = f"`layerkit invoke {case.folder} --runtime {case.target.runtime.name}` shows its log"
        super().__init__(
            f"the example of {case.title} does not answer as it should on {case.target.identifier}",
            details=[*differences[:_SHOWN], *more],
            hint=f"mend the function{right}" if log_is_shown else again,
        )


def _as_json(session: _Session) -> Iterator[dict[str, Any]]:
    for proof in session.proofs:
        yield {
            **_names(proof.case),
            "status": "holds" if proof.holds else "differs",
            "differences": [*proof.differences],
            "invocations": [each.as_json() for each in proof.invocations],
            **(proof.costs.as_json() if proof.costs else {}),
        }
    for case, failure in session.failures:
        yield {**_names(case), "status": "failed", "differences": [], "error": failure.message}


def _names(case: Case) -> dict[str, Any]:
    return {
        "recipe": case.recipe.layer.name,
        "example": case.example.name or None,
        "runtime": case.target.runtime.name,
        "architecture": str(case.target.architecture),
    }
