"""Quality measures of rankings, detections and ranges, over numpy arrays alone.

`ranking` has AUC, true positives at a rate of false ones, average precision and recall at k; `ranges` has overlaps of
time ranges; `bootstrap` has confidence intervals over groups. A measure that is not defined for its input is None.
"""
