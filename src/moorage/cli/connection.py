"""A connection to the running Moorage through the public AWS API: what every command but `up` and `down` works with.

Commands see boto3 clients and nothing of the inside, so that whatever they can do, a user's own script can do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from boto3.exceptions import Boto3Error
from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, ParamValidationError

from moorage.app import credentials, lifecycle
from moorage.aws.client_session import make_session
from moorage.cli.failures import Failure
from moorage.cli.target import command_line

if TYPE_CHECKING:
    from moorage.app.settings import Settings

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=75,  # an invocation may take 60 s
    retries={"mode": "standard", "total_max_attempts": 3},
    s3={"addressing_style": "path"},
    proxies={},  # Moorage runs on this machine: a proxy meant for the outside world could not reach it
)
_OUR_FAULTS: Final = frozenset({"ServiceUnavailable", "InternalFailure", "InternalError"})
_DOCTOR: Final = "See whether the machine lacks something: {}"


@dataclass(frozen=True, slots=True)
class Connection:
    """Clients of one Moorage, with its own key and region whatever the user's AWS configuration says."""

    session: Session
    endpoint_url: str

    @property
    def region(self) -> str:
        """The region that commands work in."""
        return str(self.session.region_name)

    def client(self, service: str) -> Any:
        """A boto3 client."""
        return self.session.client(service, endpoint_url=self.endpoint_url, config=_CONFIG)


@contextmanager
def connected(settings: Settings) -> Iterator[Connection]:
    """A connection; inside, errors of the API become a `Failure`. Raises NotRunning, CredentialsError."""
    url = lifecycle.endpoint_url(settings)
    key = credentials.load(settings)
    session = Session(
        botocore_session=make_session(),
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        region_name=settings.region,
    )
    try:
        yield Connection(session, url)
    except ClientError as error:
        hint = _DOCTOR.format(command_line(settings, "doctor")) if error_code(error) in _OUR_FAULTS else None
        raise Failure(f"{error_code(error)}: {error.response['Error'].get('Message', '')}", hint=hint) from error
    except ParamValidationError as error:
        raise Failure(str(error).strip()) from error
    except EndpointConnectionError as error:
        hint = f"See what is wrong: {command_line(settings, 'status')}"
        raise Failure(f"Moorage does not answer at {url}.", hint=hint) from error
    except Boto3Error as error:  # of a transfer: it carries what S3 answered in its text
        raise Failure(f"{error}", hint=_DOCTOR.format(command_line(settings, "doctor"))) from error
    except BotoCoreError as error:
        raise Failure(f"The call to {url} failed: {error}") from error


def error_code(error: ClientError) -> str:
    """The code of an AWS error, such as `ValidationException`."""
    return str(error.response["Error"]["Code"])
