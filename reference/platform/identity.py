"""Who asks: principals, their roles and tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac


def administrator_token(secret: str) -> str:
    """The token of a stack's administrator, which all its servers derive from their secret."""
    digest = hmac.digest(secret.encode(), b"administrator", hashlib.sha256)
    return base64.urlsafe_b64encode(digest)[:32].decode()
