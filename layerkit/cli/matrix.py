"""``layerkit matrix``: the layers of recipes as jobs of a CI system, one each, which then run side by side."""

import json as json_text
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from layerkit.cli import options as common
from layerkit.cli.options import console_of, option
from layerkit.errors import UsageError

if TYPE_CHECKING:
    from layerkit.order import Job, Order

_MOST_JOBS: Final = {
    "github": ("a matrix of GitHub Actions", 256),  # https://docs.github.com/actions/reference/limits
    "gitlab": ("a `parallel:matrix` of GitLab", 200),  # https://docs.gitlab.com/ci/yaml/#parallelmatrix
}
_GITLAB_VARIABLES: Final = {"recipe": "RECIPE", "runtime": "LAYERKIT_RUNTIME", "architecture": "LAYERKIT_ARCH"}
_GITLAB_JOB: Final = """\
layer:
  stage: build
  script:
    - layerkit build "$RECIPE"
  artifacts:
    paths:
      - dist/
  parallel:
    matrix:"""


class TooManyJobs(UsageError):
    """More layers than a CI system takes in one matrix."""

    def __init__(self, *, count: int, most: int, system: str) -> None:
        super().__init__(
            f"these recipes are {count} layers, and {system} has {most} jobs at most",
            hint="name some of the recipes, and the others in another matrix: `layerkit matrix recipes/a recipes/b`",
        )


class TwoFormats(UsageError):
    """``--json`` and another format."""

    def __init__(self, *, wanted: str) -> None:
        super().__init__(f"`--json` and `--format {wanted}` exclude each other", hint="leave one out")


def matrix(
    what: Annotated[
        list[str],
        typer.Argument(metavar="RECIPE...", help="Recipes (folder or .toml), or folders of recipes."),
    ],
    form: Annotated[
        Literal["github", "gitlab", "json"] | None,
        option("--format", help="Which system's form.", show_default="json"),
    ] = None,
    lock_dir: common.LockDir = None,
    json: common.Json = False,
) -> None:
    """List the layers of recipes as jobs for a CI system."""
    from layerkit.cli.orders import Flags, orders_of
    from layerkit.cookbook import RecipeMissing, find_recipes, is_recipe
    from layerkit.order import jobs_of

    if json and form not in {None, "json"}:
        raise TwoFormats(wanted=str(form))
    for argument in what:
        if not is_recipe(argument):
            raise RecipeMissing(path=Path(argument))
        find_recipes(Path(argument))
    orders = orders_of(what, folder_of_recipes=None, flags=Flags(lock_dir=lock_dir))
    jobs = [_described(job) for job in jobs_of(_each_once(orders), today=datetime.now(UTC).date())]
    system, most = _MOST_JOBS.get(form or "json", ("", len(jobs)))
    if len(jobs) > most:
        raise TooManyJobs(count=len(jobs), most=most, system=system)
    console = console_of(quiet=False, verbose=False)
    match form:
        case "github":
            console.result(_for_github(jobs))
        case "gitlab":
            console.result("\n".join(_for_gitlab(jobs)))
        case _:
            console.result_json({"version": 1, "jobs": jobs})


def _each_once(orders: Sequence["Order"]) -> tuple["Order", ...]:
    """Return the orders without those that came again, as a recipe that was named besides its folder."""
    return tuple({order.recipe.path.absolute(): order for order in orders}.values())


def _described(job: "Job") -> dict[str, Any]:
    """Return a job as JSON. A universal layer, which is built without ``--runtime`` and ``--arch``, has neither."""
    from layerkit.cookbook import RECIPE_FILE
    from layerkit.model.universal import UniversalTarget

    path = job.order.recipe.path
    target = None if isinstance(job.target, UniversalTarget) else job.target
    return {
        "name": job.order.recipe.layer.name,
        "recipe": (path.parent if path.name == RECIPE_FILE else path).as_posix(),
        "runtime": target and target.runtime.name,
        "architecture": target and str(target.architecture),
        "lock": _lock(job),
        "file": job.file_name,
    }


def _lock(job: "Job") -> str | None:
    """Return where the lock is; a layer of files has none."""
    from layerkit.model.target import PlainTarget

    order = job.order
    if isinstance(job.target, PlainTarget) or not (order.recipe.layer.requirements or order.requirement_files):
        return None
    return (order.foreign_lock or order.lock_path(job.target)).as_posix()


def _for_github(jobs: Sequence[Mapping[str, Any]]) -> str:
    """Return a line for ``$GITHUB_OUTPUT``; what a job does not have is an empty string in its workflow."""
    included = [{key: value for key, value in job.items() if value is not None} for job in jobs]
    return "matrix=" + json_text.dumps({"include": included}, separators=(",", ":"))


def _for_gitlab(jobs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a pipeline's lines; options are told by their variables, which a universal layer does without."""
    yield _GITLAB_JOB
    for job in jobs:
        said = {variable: job[key] for key, variable in _GITLAB_VARIABLES.items() if job[key] is not None}
        yield f"      - {json_text.dumps(said, ensure_ascii=False)}"  # which is YAML, too
