"""``--env``: environment variables, as builds and functions take them."""

from layerkit.cli.order_errors import BadVariable


def variable(text: str) -> tuple[str, str]:
    """Take ``NAME=VALUE`` apart. Raises ``BadVariable``."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise BadVariable(name=name)
    return name, value
