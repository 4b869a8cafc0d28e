index() { printf 'http://user:%s@%s/simple/' "$KEY" "${1#http://}"; }
get() { "$CLIENTS_PYTHON" -m pip --isolated --disable-pip-version-check --no-cache-dir --retries 0 install --quiet --no-deps --target found --index-url "$(index "$1")" thing; }

get "$BASE"
report "\"$(cat found/thing.py)\"" "$(fails get "$UNKNOWN")" "$(fails get "$BROKEN")"
