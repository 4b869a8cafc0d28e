from slack_sdk.errors import SlackApiError


{{recipe slack-python}}


def post(base):
    return connect(base).chat_postMessage(channel="C1", text="Good morning")


try:
    connect(BASE).chat_delete(channel="C1", ts="1")
except SlackApiError as error:
    refused = error.response["error"]
pages = connect(BASE).conversations_list(limit=1)
result = {
    "channels": [channel["name"] for page in pages for channel in page["channels"]],
    "posted": post(BASE)["ts"],
    "refused": refused,
}
report(result=result, unknown=shown(post, UNKNOWN), broken=shown(post, BROKEN))
