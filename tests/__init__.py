"""Several processes run tests at once, and numpy's threads in each would only wait for each other's cores."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is loaded
