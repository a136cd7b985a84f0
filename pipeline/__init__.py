"""Headstart: does starting from a pretrained model pay, for your task, data and hardware?"""

__version__ = "0.1.0"
