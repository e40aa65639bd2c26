"""Who used it: energy, carbon and money of each window, split over jobs, idle, overhead and unattributed."""
