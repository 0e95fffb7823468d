"""Training as an application: captions and clips of a person, stored rows, plans and run folders. It prints nothing."""
