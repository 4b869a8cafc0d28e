call() { curl --disable --silent --show-error --fail-with-body -H "authorization: Bearer $KEY" "$@"; }
create() { call -H 'content-type: application/json' -d '{"name":"d"}' "$1/v1/things"; }

things=$(call "$BASE/v1/things?page=2")
stream=$(call --no-buffer "$BASE/v1/stream")
upload=$(pieces | call --upload-file - "$BASE/v1/upload")
created=$(create "$BASE")
things=${things#*:} created=${created#*:}
result="{\"things\":${things%\}},\"stream\":\"$stream\",\"upload\":$upload,\"created\":[201,${created%\}}]}"
report "$result" "$(fails create "$UNKNOWN")" "$(fails create "$BROKEN")"
