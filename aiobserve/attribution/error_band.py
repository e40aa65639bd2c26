"""How far off an energy may be, either way: from what the sensor's maker says, from gaps, and from the model.

Errors add up linearly, because boards of one kind err in the same direction: a sum's band is the sum of bands,
and it is split over claimants like the energy itself.
"""

# NVML: power readings are accurate to within 5 % of the draw (nvmlDeviceGetPowerUsage; the energy counter integrates
# the same sensor).
SENSOR_RATIO = 0.05
# Sampled power misses what happens between samples; as much again as the sensor's own error. A choice of ours: the
# literature (Yang, Adamek, Armour: Part-time Power Measurements, SC24) finds errors of that size and more for
# short bursts.
SAMPLED_RATIO = 2 * SENSOR_RATIO
