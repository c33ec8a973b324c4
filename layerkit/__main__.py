"""Run the command line with ``python -m layerkit``."""

from layerkit.cli.main import entry_point

if __name__ == "__main__":
    entry_point()
