"""Fitting of small heads on features of a frozen encoder: what was fitted goes back as a head of `encoder.heads`."""
