from google import genai


def client(base):
    return genai.Client(api_key=KEY, http_options={"base_url": base})


def ask(base):
    # A client without a name would be closed before its call.
    with client(base) as opened:
        return opened.models.generate_content(model="m", contents="Hello").text


with client(BASE) as opened:
    stream = opened.models.generate_content_stream(model="m", contents="Hello")
    result = {"text": ask(BASE), "stream": "".join(chunk.text for chunk in stream)}
report(result=result, unknown=shown(ask, UNKNOWN), broken=shown(ask, BROKEN))
