{
    echo "registry=$BASE/"
    # Registries name files by absolute URLs, which the gateway doesn't change.
    echo "replace-registry-host=always"
    echo "${BASE#http:}/:_authToken=$KEY"
    echo "${UNKNOWN#http:}/:_authToken=$KEY"
    echo "${BROKEN#http:}/:_authToken=$KEY"
    echo "fund=false"
    echo "audit=false"
    echo "update-notifier=false"
    echo "fetch-retries=0"
} >.npmrc
mkdir project
cp .npmrc project
cd project
echo '{}' >package.json
npm install --silent @scope/thing >&2
found=$(node -p 'require("@scope/thing")')
report "\"$found\"" "$(fails npm view --registry "$UNKNOWN/" @scope/other)" "$(fails npm view --registry "$BROKEN/" @scope/other)"
