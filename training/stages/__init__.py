"""The stages of VideoPrism as tasks of the training loop: contrastive, distillation, and locked towers.

Source: the VideoPrism paper (arXiv 2402.13217), sections 2.3 and 3.2 and appendix C.
"""
