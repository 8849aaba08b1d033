"""Airbyte's APIs behind one Protocol."""
