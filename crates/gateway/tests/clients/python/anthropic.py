from anthropic import Anthropic

ASK = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "Hello"}]}


def client(base):
    return Anthropic(api_key=KEY, base_url=base)


def ask(base):
    return client(base).messages.create(**ASK)


with client(BASE).messages.stream(**ASK) as stream:
    text = "".join(stream.text_stream)
result = {"message": ask(BASE).content[0].text, "stream": text}
report(result=result, unknown=shown(ask, UNKNOWN), broken=shown(ask, BROKEN))
