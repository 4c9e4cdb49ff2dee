"""tuneval fine-tunes open language models on your own data and tells you whether it worked."""

__version__ = "0.1.0"
