"""SSH keys of a lab: one to open its hosts, one for each host to be known by.

>>> pair = make_key("overlaykit lab default")
>>> pair.public
'ssh-ed25519 AAAA… overlaykit lab default'
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from overlaykit.words.secret import Secret


@dataclass(frozen=True)
class KeyPair:
    """An ed25519 key in OpenSSH's format."""

    private: Secret
    public: str

    @property
    def known_as(self) -> str:
        """Kind and key, as known_hosts has them."""
        return " ".join(self.public.split()[:2])


def make_key(comment: str) -> KeyPair:
    """A new key."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return KeyPair(Secret(private.decode()), f"{public.decode()} {comment}")
