"""Any policy over recorded arrivals and signals, with the forecasts of the time, against run-now and perfect knowledge."""
