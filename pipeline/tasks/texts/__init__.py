"""Texts on their way in and out of a network: encoded, prompted, continued, and measured."""
