"""How a command ends that has processes and folders to clear away when the system asks it to end."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

_ASKING: Final = ("SIGTERM", "SIGHUP")  # the latter is not on Windows


@contextlib.contextmanager
def orderly_end() -> Iterator[None]:
    """Let the block clear away what it made, as at Ctrl-C, when the system asks this process to end; then end it so."""
    asked: list[int] = []
    asking = [each for name in _ASKING if (each := getattr(signal, name, None)) is not None]

    def end(number: int, _: FrameType | None) -> None:
        asked.append(number)
        for each in handled:
            signal.signal(each, signal.SIG_IGN)  # once is enough
        raise KeyboardInterrupt

    # what is ignored, as under nohup, stays so; only the main thread may say what is to be done
    here = threading.current_thread() is threading.main_thread()
    handled = [each for each in asking if here and signal.getsignal(each) is signal.SIG_DFL]
    for each in handled:
        signal.signal(each, end)
    try:
        yield
    finally:
        for each in handled:
            signal.signal(each, signal.SIG_DFL)
        if asked:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
            os.kill(os.getpid(), asked[0])
