"""The verifier diary: from a raw log to a page.

The rooms, in the order in which a log passes them:

capture   model journal origin scrub ownership | bcc_capture flight_recorder watching pytest_plugin
reading   clean prefixes lines parser registers ranges operations logfile events loops
judging   catalogue/ classes messages refusals classifier kernel_report
saying    explain scene reason path source hotspots words report lessons
keeping   schema store filing fingerprint cures journal_import log_import refresh texts
finding   entries search statistics differences finding
showing   views page page_record listing browser/ serving commands
publishing  export exported publish generated markdown; pages: entry class index numbers development
            wordings (how kernels reworded messages)
measuring scale
"""
