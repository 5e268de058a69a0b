"""The lab: data, training, evaluation, closed-loop score; nothing on the line imports it."""
