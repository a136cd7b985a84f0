"""What is installed, what this machine offers, what was chosen and why, and what is wrong with its remedy."""

from pipeline.doctor.check import Check
from pipeline.doctor.examination import doctor, examine

__all__ = ["Check", "doctor", "examine"]
