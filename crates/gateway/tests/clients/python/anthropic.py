ASK = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "Hello"}]}


{{recipe anthropic-python}}


def ask(base):
    return connect(base).messages.create(**ASK)


with connect(BASE).messages.stream(**ASK) as stream:
    text = "".join(stream.text_stream)
result = {"message": ask(BASE).content[0].text, "stream": text}
report(result=result, unknown=shown(ask, UNKNOWN), broken=shown(ask, BROKEN))
