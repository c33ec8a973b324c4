"""A recipe as JSON: the recipe format's own sections and keys, defaults filled in."""

import dataclasses
from typing import Any

from layerkit.model.recipe import Recipe


def recipe_json(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe's sections; credentials in index URLs are left out."""
    from layerkit.index import split_credentials

    said = dataclasses.asdict(recipe)
    del said["path"]
    said["example"] = said.pop("examples")
    index = said["index"]
    index["url"] = index["url"] and split_credentials(index["url"])[0]
    for key in ("extra_urls", "find_links"):
        index[key] = [split_credentials(url)[0] for url in index[key]]
    index["proxy"] = index["proxy"] and split_credentials(index["proxy"])[0]
    return {section: _dashed(values) for section, values in said.items()}


def _dashed(value: Any) -> Any:
    match value:
        case dict():
            return {str(key).replace("_", "-"): _dashed(item) for key, item in value.items()}
        case list() | tuple():
            return [_dashed(item) for item in value]
        case _:
            return value
