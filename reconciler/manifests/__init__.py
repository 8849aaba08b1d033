"""Files to data: manifests as YAML, checked against their schemas, with references resolved for a target.

Knows nothing of any API; what manifests mean together is the core's.
"""

from reconciler.manifests.connectors import load_connectors
from reconciler.manifests.loader import Loaded, load
from reconciler.manifests.parse import Parsed
from reconciler.manifests.resolve import Resolved, resolve
from reconciler.manifests.schema import schema_text

__all__ = [
    "Loaded",
    "Parsed",
    "Resolved",
    "load",
    "load_connectors",
    "resolve",
    "schema_text",
]
