"""Try a composed layer before it is written: whether its modules import under the target's interpreter."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from layerkit.assemble.link import link
from layerkit.composition import Composed
from layerkit.invoke.imports import verify_imports
from layerkit.invoke.places import PlaceWish, import_place
from layerkit.model.finding import errors_in
from layerkit.model.recipe import Builder
from layerkit.model.target import PythonTarget
from layerkit.places import ContainerOptions
from layerkit.progress import Progress


def with_imports_tried(composed: Composed, options: ContainerOptions, progress: Progress) -> Composed:
    """Return the layer with what was found: an error for each module that does not import.

    Raises ``NowhereToImport`` where no interpreter of a target can be had, and ``EngineError``.
    """
    recipe = composed.recipe
    targets = [target for target in composed.targets if isinstance(target, PythonTarget)]
    with tempfile.TemporaryDirectory(prefix="layerkit-") as folder:
        layer = link(composed.files, Path(folder, "layer.zip")).path
        for target in targets:
            wish = PlaceWish(
                container=recipe.build.builder is Builder.CONTAINER,
                image=recipe.build.images.get(target.architecture),
                network=options.network,
                platform=options.platform,
            )
            with import_place(layer, target, environ=os.environ, wish=wish, progress=progress) as place:
                tried = verify_imports(layer, target, place=place, named=recipe.imports)
            progress.tell(tried.summary)
            fatal = errors_in(tried.findings)
            for finding in tried.findings:
                if finding not in fatal:  # it depends on this machine, so it has no place in a manifest
                    progress.tell(f"{finding.severity}: {finding.where}: {finding.message}")
            composed = replace(composed, findings=(*composed.findings, *fatal))
    return composed
