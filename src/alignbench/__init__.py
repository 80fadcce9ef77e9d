"""alignbench: a terminal workbench for studying what alignment does to a language model."""

__version__ = "0.1.0"
