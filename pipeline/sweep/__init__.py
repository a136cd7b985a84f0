"""Optuna's searches over one arm's settings. The only importer of Optuna."""
