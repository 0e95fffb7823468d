"""OpenCLIP models as encoders: the encoder, its weights on the hub, and a way to import torchvision."""
