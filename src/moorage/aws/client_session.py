"""The client's side: a botocore session that knows Moorage's own operations as well as AWS's."""

from __future__ import annotations

import botocore.session

from moorage.aws.services import OWN_MODELS


def make_session() -> botocore.session.Session:
    """A new session; its clients are made as ever, `client("moorage")` among them."""
    session = botocore.session.Session()
    session.get_component("data_loader").search_paths.append(str(OWN_MODELS))
    return session
