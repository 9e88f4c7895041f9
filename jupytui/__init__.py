"""Run all your Jupyter servers, on this machine and over SSH, from one terminal screen."""

__version__ = "0.1.0"
