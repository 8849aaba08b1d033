"""The embedded Airbyte: a stand-in for development that answers Airbyte's API over SQLite.

Knows nothing of the client, and never talks to the outside.
"""
