"""Forecasts made better by what is known about them: smoothing of noise, and blending with what came before."""
