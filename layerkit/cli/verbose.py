"""What ``--verbose`` tells besides: the indexes in force, which locks are current, what each layer is made from."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from layerkit.cli.console import Console
from layerkit.errors import LayerkitError

if TYPE_CHECKING:
    from layerkit.index import IndexSettings
    from layerkit.model.layer import Layer
    from layerkit.order import Job


def tell_of_jobs(jobs: Sequence["Job"], console: Console) -> None:
    """Tell where things come from; what cannot be read is told when the job fails."""
    if console.verbosity < 1:
        return
    for job in jobs:
        with contextlib.suppress(LayerkitError):
            for line in _lines(job):
                console.say(f"{job.title}: {line}", least=1)


def tell_of_layers(layers: Sequence["Layer"], console: Console) -> None:
    """Tell what each layer is made from."""
    from layerkit.model.limits import format_mib

    for layer in layers:
        for each in layer.distributions:
            console.say(
                f"{layer.path.name}: {each.name} {each.version}, {format_mib(each.unzipped_bytes)} unzipped", least=1
            )


def _lines(job: "Job") -> Iterator[str]:
    from layerkit.lock.obtain import state_of
    from layerkit.model.recipe import Builder
    from layerkit.model.target import PlainTarget
    from layerkit.order import request_of

    request, settings = request_of(job.order)
    if isinstance(job.target, PlainTarget):
        return
    yield from _settings(settings)
    if job.order.foreign_lock is not None:
        yield f"lock {job.order.foreign_lock} is used as it is"
    elif job.order.recipe.build.builder in {Builder.AUTO, Builder.WHEELS} and request.requirements:
        path = job.order.lock_path(job.target)
        yield f"lock {path} {state_of(request, job.target, path=path, settings=settings)}"


def _settings(settings: "IndexSettings") -> Iterator[str]:
    yield f"indexes {', '.join(settings.urls) or 'none'}"
    if settings.find_links:
        yield f"find-links {', '.join(settings.find_links)}"
    if settings.ca_bundle:
        yield f"CA bundle {settings.ca_bundle}"
    if settings.urls and (proxy := settings.proxy_of(settings.urls[0])):
        yield f"proxy {proxy}"
