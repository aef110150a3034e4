"""What it costs to verify one invocation's signature: the gateway does it for every request.

The floor is the hashing that no implementation can avoid: one SHA-256 of the canonical request, one HMAC-SHA256.
"""

from __future__ import annotations

import hashlib
import hmac
import timeit
from collections.abc import Callable

from moorage.aws.canonical import header_fields
from moorage.aws.sigv4 import authenticate
from moorage.testing.signing import NOW, secret_of, sign

CALLS = 20_000
ROUNDS = 7


def main() -> None:
    """Print microseconds a request, the best of several rounds."""
    sent = sign(
        "POST",
        "http://127.0.0.1:4566/endpoints/iris/invocations",
        headers={
            "Content-Type": "application/json",
            "User-Agent": "Boto3/1.43 md/Botocore#1.43 ua/2.1 os/linux lang/python",
            "amz-sdk-invocation-id": "4d6f6f72-6167-4520-a177-732061206265",
            "amz-sdk-request": "attempt=1",
        },
        body=b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}',
    )
    body_sha256, fields = sent.body_sha256, header_fields(sent.headers)
    key, canonical_request, string_to_sign = b"k" * 32, b"x" * 420, b"x" * 130

    def verify() -> None:
        authenticate(
            sent.method,
            sent.path,
            query=sent.query,
            fields=fields,
            body_sha256=body_sha256,
            secret_of=secret_of,
            now=NOW,
        )

    def hash_only() -> None:
        hashlib.sha256(canonical_request).hexdigest()
        hmac.digest(key, string_to_sign, "sha256")

    print(f"verify a header-signed request  {_microseconds(verify):5.1f} µs")
    print(f"its hashing alone, plainly done {_microseconds(hash_only):5.1f} µs")


def _microseconds(function: Callable[[], None]) -> float:
    return min(timeit.repeat(function, number=CALLS, repeat=ROUNDS)) / CALLS * 1e6


if __name__ == "__main__":
    main()
