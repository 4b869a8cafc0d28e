# Prints the text of standard input as a string of JSON.
quoted() {
    printf '"'
    tr '\n\r\t' '   ' | sed 's/\\/\\\\/g; s/"/\\"/g' | tr -d '\000-\037'
    printf '"'
}

# Prints the report: the result as JSON, and the texts of both errors.
report() {
    printf '{"result":%s,"unknown":' "$1"
    printf '%s' "$2" | quoted
    printf ',"broken":'
    printf '%s' "$3" | quoted
    printf '}\n'
}

# Prints a body, whose length a pipe doesn't tell.
pieces() { head -c 300000 /dev/zero | tr '\0' x; }

# Runs a command that must fail, and prints its output.
fails() {
    if "$@" 2>&1; then
        echo "$1 didn't fail" >&2
        exit 1
    fi
}
