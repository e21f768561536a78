"""Runs the tests; a warning of a library about how it is used is a failure."""

import pathlib
import sys
import unittest
import warnings

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import beside  # noqa: E402

warnings.filterwarnings("error", category=DeprecationWarning, module="djedge")
warnings.filterwarnings("error", message=".*discouraged.*")
names = sys.argv[1:]
suite = unittest.defaultTestLoader.loadTestsFromNames(names) if names else unittest.defaultTestLoader.discover(str(HERE))
result = unittest.TextTestRunner(verbosity=2).run(suite)
if beside.django:
    beside.django.close()
sys.exit(not result.wasSuccessful())
