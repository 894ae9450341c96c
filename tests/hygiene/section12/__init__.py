"""The tricky inputs, by number: what AWS, a proxy or a spreadsheet may hand to a poll, and what must come of it.

`test_row_NN_...` tests number NN; the files hold them in tens or so. Whatever comes: no worker dies, no history is deleted, and nothing
that was not read is called safe. "Kept": the earlier inventory stays, with its report's time.

Shape of the report
 1  a column more, known or unknown: read by name and kept raw; where the known one is not empty its user is listed
 2  columns in another order: the same result
 3  optional columns missing: what they tell is unknown, never "never used" or "no key"
 4  a required column missing: rejected, with the column's name; kept
 5  a header and no rows: rejected; nobody is deleted
 6  no bytes: rejected; kept

Root
 7  no root row: root by the live summary alone, with a warning
 8  root's password "not_supported": unknown, not false
 9  root's row as AWS writes it since 2026, with true or false and a date: both are read
10  an active and an inactive root key: both are shown, both are critical
11  root of a member account without credentials: good
12  root in GovCloud: the partition stays, no finding about MFA unless it has an active key

Who is who
13  a user renamed: one identity, with its keys and history
14  a user deleted and made anew under the same name: inherits nothing
15  a user missing from a newer complete report: deleted as of its time; what waits for it is cancelled

Time
16  an older report that arrives late: changes nothing
17  the same report again: no news, and no fresher
18  an expired report: generated again; without success kept, and no alarm before its time
19  a report in the making, ours or another's: waited for, by one poll
20  in the making for too long: the poll stops with a warning that is seen; kept
21  generating refused or throttled: the report that is there is taken; without one polls back off
22  a key disabled here after the report was made: stays disabled
23  a newer report that says active again: believed, and called a change from outside

Slots and keys
24  an inactive key that was never used: exists, with its age
25  a key in the second slot alone: found by its date
26  two keys of one second, one of them inactive: told apart by status
27  two keys of one second, alike: no slot's data, but their own last use, by id
28  a slot without a listed key: deleted since the report
29  a listed key without a slot: new since the report, with no claim about its use
30  active without a date: exists, its age unknown, matched to nothing
31  a use up to a minute before birth, or a key older than its user: accepted
32  a date of use without a region: used

Words and dates
33  "no_information" and "N/A" of a password's use: two things
34  no password now, but a sign-in on record: kept
35  dates in the future: up to 5 minutes count as now; further ahead they are flagged and have no age
36  dates with Z, an offset, fractions, or none of these: brought to UTC, without a zone with a warning
37  true and false in any case, with spaces: accepted
38  an unknown word in a date: that field is unknown, the row is kept
39  CRLF, BOM and blank lines: no phantom rows
40  a quoted name with a comma: one name
41  an unquoted name with a comma: repaired, else its row is set aside and the report is partial
42  bytes that are not UTF-8: spoil their row alone

Bytes
43  base64 that is cut off: tried again, then rejected; kept
44  a report cut off where base64 ends well: partial, found out by the summary; nobody is deleted
45  broken XML: asked again, then kept
46  a row twice: one where both say the same, else flagged, and nothing is decided
47  names that differ in case only: flagged and kept apart
48  a row of another account: the report is rejected whole
49  a large account: few statements, seconds (1,000 users here, 5,000 in `make bench`)
50  hostile text: kept raw, escaped in HTML, harmless in CSV

Live calls
51  ListAccessKeys refused: the report is recorded, ids are unknown, and actions say why not
52  a user gone since the report: no error
53  the role cannot be assumed: access lost with the reason; kept; other accounts are not touched
54  an account that is not active: not polled; its history stays
55  STS off in a Region: the second one is tried; both off is an error of this account alone
56  a root key that the summary counts and the report does not have: a finding at once
57  a status beside Active and Inactive: shown as not usable, without a button
58  one key id in two accounts: set aside
59  a deletion of a key that is gone: succeeded, and the audit log says so
60  an answer to a change that is lost: settled by reading, never by calling again
"""
