export GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
git config --global user.name a
git config --global user.email a@b.test
with_key() { printf 'http://x-access-token:%s@%s/repo.git' "$KEY" "${1#http://}"; }

git clone --quiet "$(with_key "$BASE")" first
cd first
# Larger than `http.postBuffer`, so that git sends chunks.
head -c 3000000 /dev/urandom >large
git add large
git commit --quiet --message large
git push --quiet origin HEAD
cd ..
# The key can also be in a field, as continuous integration sends it.
git -c http.extraHeader="authorization: Bearer $KEY" clone --quiet --depth 1 "$BASE/repo.git" second
cmp first/large second/large
report "{\"first\":\"$(cat second/first)\"}" "$(fails git clone "$(with_key "$UNKNOWN")")" "$(fails git clone "$(with_key "$BROKEN")")"
