"""From the sections of a recipe file to the parts of a recipe; mistakes are noted in the document."""

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from layerkit.facts import Architecture, limits
from layerkit.model.limits import parse_size
from layerkit.model.recipe_parts import (
    Budget,
    Build,
    Builder,
    Compression,
    IndexStrategy,
    Layer,
    Layout,
    Prune,
    PruneProfile,
    RecipeIndex,
)
from layerkit.model.requirement import check_requirement, normalised_name
from layerkit.model.target import find_architecture, find_runtime
from layerkit.model.toml_section import Document, Section

_Read = TypeVar("_Read")
_SYSTEM_PACKAGE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._:-]*")  # what rpm, apt and apk allow, and no option
_LIBRARY: Final = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9_+.-]*\.so(\.[0-9.]+)?")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_layer(document: Document) -> Layer:
    """Read ``[layer]``."""
    section = document.section("layer")
    layer = Layer(
        name=_name(section),
        description=_limited(section, "description", most=limits().description_length),
        license=_limited(section, "license", most=limits().license_length),
        requirements=_checked(section, "requirements", check_requirement),
        requirements_file=section.text("requirements-file"),
        runtimes=_checked(section, "runtimes", lambda name: find_runtime(name).name),
        architectures=_checked(section, "architectures", find_architecture),
        exclude=_checked(section, "exclude", normalised_name),
    )
    if section.has("requirements") and section.has("requirements-file"):
        section.complain("`requirements` and `requirements-file` in [layer] exclude each other", "requirements-file")
    if len(layer.runtimes) > limits().compatible_runtimes:
        section.complain(f"more than {limits().compatible_runtimes} `runtimes` in [layer]", "runtimes")
    section.finish()
    return layer


def read_build(document: Document) -> Build:
    """Read ``[build]``."""
    section = document.section("build")
    strip, defaults = section.flag("strip"), Build()
    build = Build(
        builder=section.choice("builder", Builder, what="builder") or defaults.builder,
        images=_images(section),
        system_packages=matching(section, "system-packages", _SYSTEM_PACKAGE, what="name of a system package"),
        libraries=matching(section, "libraries", _LIBRARY, what="file name of a shared library"),
        no_binary=_checked(section, "no-binary", normalised_name),
        bytecode=section.flag("bytecode") or False,
        compress=section.choice("compress", Compression, what="compression") or defaults.compress,
        strip=defaults.strip if strip is None else strip,
        layout=section.choice("layout", Layout, what="layout") or defaults.layout,
        universal=section.flag("universal") or False,
        env=_environment(section),
    )
    if build.universal and build.bytecode:
        section.complain("a `universal` layer cannot have `bytecode`, which suits one Python only", "bytecode")
    if build.universal and build.layout is not Layout.PYTHON:
        section.complain("a `universal` layer has the layout `python`, the only one that suits every Python", "layout")
    section.finish()
    return build


def read_prune(document: Document) -> Prune:
    """Read ``[prune]``."""
    section = document.section("prune")
    prune = Prune(
        profile=section.choice("profile", PruneProfile, what="prune profile") or PruneProfile.STANDARD,
        keep=section.texts("keep"),
        drop=section.texts("drop"),
        botocore_services=section.texts("botocore-services"),
    )
    section.finish()
    return prune


def read_budget(document: Document) -> Budget:
    """Read ``[budget]``."""
    section = document.section("budget")
    budget = Budget(unzipped=_size(section, "unzipped"), zipped=_size(section, "zipped"))
    section.finish()
    return budget


def read_index(document: Document) -> RecipeIndex:
    """Read ``[index]``."""
    section = document.section("index")
    index = RecipeIndex(
        url=section.text("url"),
        extra_urls=section.texts("extra-urls"),
        find_links=section.texts("find-links"),
        no_index=section.flag("no-index"),
        strategy=section.choice("strategy", IndexStrategy, what="index strategy"),
        ca_bundle=section.text("ca-bundle"),
        proxy=section.text("proxy"),
        keyring=section.flag("keyring"),
    )
    section.finish()
    return index


def _name(section: Section) -> str:
    name = section.text("name")
    if name is None:
        if not section.has("name"):
            section.complain("[layer] has no `name`")
        return ""
    if not re.fullmatch(limits().layer_name_pattern, name):
        section.complain(f"name `{name}` in [layer] must consist of letters, digits, `-` and `_`", "name")
    return name


def _limited(section: Section, key: str, *, most: int) -> str:
    text = section.text(key) or ""
    if len(text) > most:
        section.complain(f"`{key}` in [layer] has {len(text)} characters, over Lambda's {most}", key)
    return text


def _checked(section: Section, key: str, reader: Callable[[str], _Read]) -> tuple[_Read, ...]:
    read = (section.read(key, text, reader) for text in section.texts(key))
    return tuple(value for value in read if value is not None)


def matching(section: Section, key: str, pattern: re.Pattern[str], *, what: str) -> tuple[str, ...]:
    """Return strings, each of which must match the pattern."""
    texts = section.texts(key)
    for text in texts:
        if not pattern.fullmatch(text):
            section.complain(f"`{text}` of `{key}` in {section.title} is not the {what}", key)
    return texts


def _images(section: Section) -> Mapping[Architecture, str]:
    match section.text_or_mapping("image"):
        case None:
            return {}
        case str(image):
            return dict.fromkeys(Architecture, image)
        case by_name:
            read = {section.read("image", name, find_architecture): image for name, image in by_name.items()}
            return {architecture: image for architecture, image in read.items() if architecture is not None}


def _environment(section: Section) -> Mapping[str, str]:
    variables = section.mapping("env")
    for name in variables:
        if not _VARIABLE.fullmatch(name):
            section.complain(f"`{name}` of `env` in [build] is not the name of an environment variable", "env")
    return variables


def _size(section: Section, key: str) -> int | None:
    text = section.text_or_number(key)
    return None if text is None else section.read(key, text, parse_size)
