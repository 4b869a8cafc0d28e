from openai import OpenAI


def client(base):
    return OpenAI(api_key=KEY, base_url=base + "/v1")


def complete(base, **options):
    messages = [{"role": "user", "content": "Hello"}]
    return client(base).chat.completions.create(model="m", messages=messages, **options)


result = {
    "models": [model.id for model in client(BASE).models.list()],
    "stream": "".join(chunk.choices[0].delta.content for chunk in complete(BASE, stream=True)),
    "file": client(BASE).files.create(file=("f.jsonl", b'{"line":1}'), purpose="batch").id,
}
report(result=result, unknown=shown(complete, UNKNOWN), broken=shown(complete, BROKEN))
