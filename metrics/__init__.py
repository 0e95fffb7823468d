"""Quality measures of rankings, detections and ranges, over numpy arrays alone.

`ranking` has AUC, true positives at a rate of false ones, average precision and recall at k of one question;
`retrieval` has R@k and ranks of many; `classification` has accuracy, means over classes, confusion and agreement;
`bouts` has the events of a behaviour; `moments` has the ranges of time that answer a question; `ranges` has overlaps of
time ranges; `bootstrap` has confidence intervals over groups, also of the difference of two systems. A measure that is
not defined for its input is None. Equal scores never profit from the order in which they happen to be stored.
"""
