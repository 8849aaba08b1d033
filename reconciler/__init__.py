"""A declarative GitOps reconciler for Airbyte: manifests, validate, plan, apply."""

__version__ = "0.1.0"
