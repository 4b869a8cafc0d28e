{{recipe google-genai-python}}


def ask(base):
    # A client without a name would be closed before its call.
    with connect(base) as opened:
        return opened.models.generate_content(model="m", contents="Hello").text


with connect(BASE) as opened:
    stream = opened.models.generate_content_stream(model="m", contents="Hello")
    result = {"text": ask(BASE), "stream": "".join(chunk.text for chunk in stream)}
report(result=result, unknown=shown(ask, UNKNOWN), broken=shown(ask, BROKEN))
