"""Does Docker Hub answer here? Where it does, a tier may be its well-known image instead of the kit's stand-in.

OVERLAYKIT_DOCKER_HUB=no        never ask it, for a machine whose network swallows what it does not allow
"""

from __future__ import annotations

import os
import socket

VARIABLE = "OVERLAYKIT_DOCKER_HUB"
_REGISTRY = ("registry-1.docker.io", 443)
_SECONDS = 5


def docker_hub_answers() -> bool:
    """Whether a connection to Docker Hub's registry comes about; a closed network says no at once."""
    if os.environ.get(VARIABLE, "").lower() == "no":
        return False
    try:
        socket.create_connection(_REGISTRY, timeout=_SECONDS).close()
    except OSError:
        return False
    return True
