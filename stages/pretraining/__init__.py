"""Experiments on pretraining and fine-tuning."""
