call() { wget --no-config --quiet --output-document=- --content-on-error --header "authorization: Bearer $KEY" "$@"; }
create() { call --header 'content-type: application/json' --post-data '{"name":"d"}' "$1/v1/things"; }

things=$(call "$BASE/v1/things?page=2")
# wget sends a user and a password only after a challenge.
stream=$(wget --no-config --quiet --output-document=- --user=a --password="$KEY" "$BASE/v1/stream")
pieces >upload
upload=$(call --method=PUT --body-file=upload "$BASE/v1/upload")
created=$(create "$BASE")
things=${things#*:} created=${created#*:}
result="{\"things\":${things%\}},\"stream\":\"$stream\",\"upload\":$upload,\"created\":[201,${created%\}}]}"
report "$result" "$(fails create "$UNKNOWN")" "$(fails create "$BROKEN")"
