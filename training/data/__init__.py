"""Labelled pictures: brought in, checked, parted, kept track of and read.

What the commands do, for use from Python: `importing.import_source`, `check.check_folders`, `splitting.split_folder`,
`data_sheet.write_data_sheet`; `datasets` reads labelled folders for training.
"""
