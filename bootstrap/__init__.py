"""What dev.py needs to set a machine up: written for a bare Python, installed nowhere."""
