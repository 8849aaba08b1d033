"""The pure core: values in, values out. No files, no network, no clock, no randomness."""
