"""The command line once more, as it can be pasted, without an option."""

import shlex
from collections.abc import Sequence


def command_without(flag: str, argv: Sequence[str]) -> str:
    """Return the command that ``argv`` is, without a flag that takes no value; passwords in URLs are left out.

    Where the flag does not stand in ``argv``, its environment variable set it, and is unset for the command.
    """
    kept = [_without_password(argument) for argument in argv if argument != flag]
    variable = f"LAYERKIT_{flag.removeprefix('--').upper().replace('-', '_')}=0"
    return shlex.join([*([] if flag in argv else [variable]), "layerkit", *kept])


def _without_password(argument: str) -> str:
    if "://" not in argument or "@" not in argument:
        return argument
    from layerkit.lock.inputs import without_credentials

    return without_credentials(argument)
