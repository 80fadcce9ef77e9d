"""The arrays that the local engines pass on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats32 = NDArray[np.float32]  # logits and weights
Ids = NDArray[np.int64]  # of tokens
