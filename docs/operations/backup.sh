#!/bin/sh
# backup.sh FOLDER: keep records/ there as it stands now; mails may be going out meanwhile
set -eu
day=$(date +%F)
sqlite3 records/ledger.sqlite ".backup '$1/ledger-$day.sqlite'"
tar -C records -cf "$1/issued-$day.tar" issued
