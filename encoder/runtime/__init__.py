"""Execution of VideoPrism's towers: precision, runners for CPU and CUDA, and the kernels that they use."""
