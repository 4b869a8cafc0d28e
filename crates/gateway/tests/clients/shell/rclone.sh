export RCLONE_CONFIG_R_TYPE=s3 RCLONE_CONFIG_R_PROVIDER=Other RCLONE_CONFIG_R_REGION=eu-central-1
export RCLONE_CONFIG_R_ACCESS_KEY_ID="$KEY" RCLONE_CONFIG_R_SECRET_ACCESS_KEY=any RCLONE_CONFIG_R_FORCE_PATH_STYLE=true
call() { RCLONE_CONFIG_R_ENDPOINT=$1 rclone --retries 1 --low-level-retries 1 --s3-no-check-bucket --s3-no-head "$2" ${3+"$3"} ${4+"$4"}; }

names=$(call "$BASE" lsf r:bucket | tr '\n' ' ')
text=$(call "$BASE" cat 'r:bucket/a b')
printf new >new
call "$BASE" copyto new r:bucket/new
report "{\"names\":\"$names\",\"text\":\"$text\"}" "$(fails call "$UNKNOWN" lsf r:bucket)" "$(fails call "$BROKEN" lsf r:bucket)"
