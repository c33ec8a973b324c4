"""layerkit turns requirements into AWS Lambda layers, proves that they fit, and publishes them."""

from typing import Final

__version__: Final = "0.1.0"
