"""Hands that make images on this machine, without a Docker Engine and without root."""
