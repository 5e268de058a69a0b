"""Work on an NVIDIA GPU: the kernels, how they are built and loaded, and the door to pycuda, opened only on use."""
