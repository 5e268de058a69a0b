"""How each figure of an evaluation is computed, one sentence each, as the page says it."""

METHODS: dict[str, str] = {
    "mAP50": (
        "Mean over the judged classes of average precision as COCO defines it (101 recalls, at most 100 "
        "detections a picture), a detection being right where it overlaps a free label of its class by half or "
        "more. A box counts once for every class that it may be of, each at that class's score, as Ultralytics counts; "
        "'one name' is the same figure with the likeliest class of each box alone."
    ),
    "mAP50-95": "The same averaged over the overlaps 0.50, 0.55, … 0.95, so it also asks how well boxes fit.",
    "intervals": (
        "The middle 95 % of the figure over resamples of the pictures, with replacement; pictures of one camera "
        "and hour resemble each other, so the truth is somewhat less certain than shown."
    ),
    "judged classes": "Only classes that a folder declares to label exhaustively, and that occur in it, count there.",
    "precision, recall": (
        "Share of detections that are right, and share of labels that are found, at a calibrated probability of "
        "0.5 or more and an overlap of 0.5 or more."
    ),
    "ECE": (
        "Expected calibration error: detections of probability 0.05 or more, parted into up to ten bins of equal "
        "number, and the gap between mean probability and share of hits averaged over the bins; its interval is "
        "corrected for the bias of resampling."
    ),
    "confusion": (
        "Detections of probability 0.5 or more claim the label they overlap most, by half or more, whatever its "
        "class, the surest first; rows are shares of the labels of a class."
    ),
    "purity, recovery": (
        "Each detection of a class is taken as a shot at the middle half of its box, which takes every labelled "
        "item whose centre lies there; recovery is the share of the class that is taken, purity its share of what "
        "is taken."
    ),
    "empty shots": (
        "A shot that takes no labelled item; the lower edge of the band is the purity if each had taken an "
        "impurity, since labels name the recyclables only."
    ),
    "by camera and size": (
        "A camera is what a file's name says before the date; sizes are thirds of the labels by area, and "
        "detections of items of another size are set aside as COCO does; the mean is over the classes that occur "
        "in the group."
    ),
    "closed loop": (
        "The pictures laid end to end as a moving belt, sorted once by the whole line in virtual time: tracking, "
        "policy, valves; intervals are Wilson's, with the item as the unit."
    ),
    "differences": (
        "This model minus the other on the same resamples of the same pictures, so that what is hard about a "
        "picture cancels out; a difference is clear where its interval leaves zero out."
    ),
}
