{{recipe twilio-python}}


def messages(base):
    return connect(base).messages


def create(base):
    return messages(base).create(to="+15550001", from_="+15550002", body="Good morning")


result = {
    "messages": [message.sid for message in messages(BASE).list(page_size=1)],
    "created": create(BASE).sid,
}
report(result=result, unknown=shown(create, UNKNOWN), broken=shown(create, BROKEN))
