{{recipe openai-python}}


def complete(base, **options):
    messages = [{"role": "user", "content": "Hello"}]
    return connect(base).chat.completions.create(model="m", messages=messages, **options)


result = {
    "models": [model.id for model in connect(BASE).models.list()],
    "stream": "".join(chunk.choices[0].delta.content for chunk in complete(BASE, stream=True)),
    "file": connect(BASE).files.create(file=("f.jsonl", b'{"line":1}'), purpose="batch").id,
}
report(result=result, unknown=shown(complete, UNKNOWN), broken=shown(complete, BROKEN))
