"""HTTP to one API at one base URL: credentials, retries, timeouts, paging, readable errors.

Knows HTTP and how Airbyte answers in general; knows none of Airbyte's resources.
"""

from reconciler.transport.client import Transport
from reconciler.transport.exchange import Exchange
from reconciler.transport.pages import Row

__all__ = ["Exchange", "Row", "Transport"]
