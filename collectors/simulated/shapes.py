"""Shapes of the simulated company: rounded statistics of public traces, each with the file it was fitted to.

The files are named as in the README of this source, which says how to derive each figure again. No row of any
of them is here.
"""

import numpy as np

# ITP jobs (elasticflow-traces, 69,351 jobs): standard deviation of log duration, and shares of 1, 2, 4 and 8 GPUs.
LOG_DURATION_SIGMA = 1.2
MEDIAN_DURATION_S = 10_500
GPU_COUNT_SHARES = {1: 0.83, 2: 0.02, 4: 0.03, 8: 0.10}

# ServeGen m-small (43 tenants, 14 days): requests by hour of day and by day of week over their means.
REQUESTS_BY_HOUR = np.array(
    [0.84, 0.71, 0.73, 0.68, 0.71, 0.66, 0.68, 0.85, 1.02, 1.05, 1.13, 1.09,
     1.06, 1.07, 1.06, 1.05, 1.09, 1.08, 1.01, 1.23, 1.46, 1.40, 1.27, 1.06]
)  # fmt: skip
REQUESTS_BY_WEEKDAY = np.array([0.92, 0.92, 1.10, 1.07, 1.04, 0.99, 0.98])

# Azure LLM inference traces of November 2023: mean tokens of prompt and answer, conversation and code.
AZURE_CHAT_TOKENS, AZURE_CODE_TOKENS = (1155, 211), (2048, 28)

# Helios Earth (8 virtual clusters, May 2020): mean share of GPUs allocated.
ALLOCATED_SHARE = 0.57

# MLPerf inference v1.0 power, DGX-A100: wall watts per GPU at load; Acme Seren: GPU board watts, median and 90th percentile.
WALL_W_PER_A100 = 436
BOARD_W_MEDIAN, BOARD_W_P90 = 96, 395

# Electricity Maps and day-ahead / real-time prices, August to October 2023: by UTC hour over the mean, the mean, and the
# standard deviation over the mean.
DE_PRICE_BY_HOUR = np.array(
    [0.82, 0.79, 0.79, 0.86, 1.09, 1.29, 1.23, 1.07, 0.89, 0.78, 0.69, 0.62,
     0.62, 0.73, 0.87, 1.13, 1.42, 1.73, 1.50, 1.24, 1.11, 0.96, 0.92, 0.85]
)  # fmt: skip
PJM_PRICE_BY_HOUR = np.array(
    [1.14, 0.92, 0.85, 0.76, 0.61, 0.64, 0.52, 0.49, 0.52, 0.63, 0.84, 0.87,
     0.82, 0.77, 0.81, 1.03, 1.15, 1.31, 1.28, 1.43, 1.52, 1.95, 1.75, 1.40]
)  # fmt: skip
DE_CARBON_BY_HOUR = np.array(
    [1.07, 1.06, 1.07, 1.09, 1.10, 1.07, 1.02, 0.94, 0.84, 0.76, 0.73, 0.71,
     0.73, 0.78, 0.88, 1.01, 1.12, 1.17, 1.18, 1.17, 1.16, 1.14, 1.11, 1.08]
)  # fmt: skip
PJM_CARBON_BY_HOUR = np.array(
    [1.05, 1.05, 1.04, 1.02, 0.99, 0.97, 0.96, 0.95, 0.95, 0.96, 0.98, 0.99,
     0.99, 0.99, 0.99, 0.99, 1.00, 1.00, 1.01, 1.01, 1.01, 1.02, 1.04, 1.05]
)  # fmt: skip
DE_PRICE_MEAN_USD, DE_CARBON_MEAN_G, DE_CARBON_SPREAD = 102.0, 362.0, 0.33
PJM_PRICE_MEAN_USD, PJM_CARBON_MEAN_G, PJM_CARBON_SPREAD = 38.0, 400.0, 0.10
