"""OpenAI's own Python client against a model of the server itself: a tiny random Llama, so that
the mechanism is checked and not the quality."""

import concurrent.futures
import json
import sys
import time

import openai
import pytest
from conftest import ROOT, Heddle, make_pdf

sys.path.insert(0, str(ROOT / "tests"))
import tiny_model  # noqa: E402

TOOL = {"type": "function", "function": {
    "name": "add", "description": "Adds two numbers",
    "parameters": {"type": "object", "additionalProperties": False, "required": ["a", "b"],
                   "properties": {"a": {"enum": [1, 2]}, "b": {"$ref": "#/$defs/digit"}},
                   "$defs": {"digit": {"enum": [3, 4]}}}}}
SCHEMA = {"type": "object", "additionalProperties": False, "required": ["name", "age"],
          "properties": {"name": {"enum": ["anna", "ben"]},
                         "age": {"type": "integer", "minimum": 1, "maximum": 99}}}


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    folder = tmp_path_factory.mktemp("local")
    model = tiny_model.make(folder / "tiny")
    reranker = tiny_model.make_reranker(folder / "judge")
    server = Heddle(folder / "data", "--model", model, "--kv-memory", "8MiB",
                    "--model-threads", "1", "--max-sequences", "16", "--reranker", reranker)
    yield server
    assert server.stop() == 0, server.log()


@pytest.fixture(scope="module")
def client(local):
    return openai.OpenAI(base_url=local.url + "/v1", api_key="none", max_retries=0)


def ask(text):
    return [{"role": "user", "content": text}]


def chat(client, text="hello", **options):
    options.setdefault("max_tokens", 12)
    options.setdefault("seed", 3)
    return client.chat.completions.create(model="tiny", messages=ask(text), **options)


def text_of(chunks, choice=0):
    return "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices
                   if c.index == choice)


def test_the_model_is_the_default(client, local):
    first = client.models.list().data[0]
    assert first.id == "tiny" and first.owned_by == "heddle"
    assert first.model_extra["max_model_len"] == 2048
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="gpt-9", messages=ask("x"))
    assert unknown.value.code == "model_not_found"


def test_a_stream_says_the_same_as_the_whole(client):
    whole = chat(client, extra_body={"ignore_eos": True})
    chunks = list(chat(client, stream=True, stream_options={"include_usage": True},
                       extra_body={"ignore_eos": True}))
    assert whole.usage.completion_tokens == 12 and whole.choices[0].finish_reason == "length"
    assert text_of(chunks) == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].usage.completion_tokens == 12
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "length"


def test_a_seed_repeats_whatever_else_runs(client):
    alone = chat(client, seed=11, temperature=1).choices[0].message.content
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        same = [pool.submit(chat, client, seed=11, temperature=1) for _ in range(4)]
        others = [pool.submit(chat, client, "other " * i, seed=i) for i in range(8)]
        assert {one.result().choices[0].message.content for one in same} == {alone}
        assert len({one.result().id for one in others}) == 8


def test_several_answers(client):
    answers = chat(client, n=3, temperature=1, extra_body={"ignore_eos": True}).choices
    assert [a.index for a in answers] == [0, 1, 2]
    assert len({a.message.content for a in answers}) == 3
    chunks = list(chat(client, n=3, temperature=1, stream=True, extra_body={"ignore_eos": True}))
    for answer in answers:
        assert text_of(chunks, answer.index) == answer.message.content
    ends = [c.index for chunk in chunks for c in chunk.choices if c.finish_reason]
    assert sorted(ends) == [0, 1, 2]


def test_sampling_parameters_are_taken(client):
    greedy = chat(client, temperature=0).choices[0].message.content
    assert chat(client, temperature=1, extra_body={"top_k": 1}).choices[0].message.content == greedy
    assert chat(client, temperature=0, presence_penalty=2, frequency_penalty=2,
                extra_body={"repetition_penalty": 2.0, "min_p": 0.1, "typical_p": 0.9}).choices
    only = client.completions.create(model="tiny", prompt="x", max_tokens=3, temperature=0,
                                     logit_bias={"40": 100}, logprobs=0)
    assert len(set(only.choices[0].logprobs.tokens)) == 1
    least = client.completions.create(model="tiny", prompt="x", max_tokens=20, temperature=0,
                                      logit_bias={"701": 100}, extra_body={"min_tokens": 5})
    assert 5 < least.usage.completion_tokens < 20 and least.choices[0].finish_reason == "stop"


def test_a_stop_string_ends_the_answer_and_is_not_shown(client):
    whole = chat(client, temperature=0, max_tokens=30,
                 extra_body={"ignore_eos": True}).choices[0].message.content
    middle = whole[len(whole) // 2:len(whole) // 2 + 2]
    stopped = chat(client, temperature=0, max_tokens=30, stop=[middle],
                   extra_body={"ignore_eos": True}).choices[0]
    assert stopped.finish_reason == "stop"
    assert stopped.message.content == whole[:whole.index(middle)]


def test_logprobs(client):
    answer = chat(client, temperature=0, logprobs=True, top_logprobs=2).choices[0]
    tokens = answer.logprobs.content
    assert "".join(t.token for t in tokens) == answer.message.content or len(tokens) <= 12
    for token in tokens:
        assert token.logprob <= 0 and len(token.top_logprobs) == 2
        assert token.top_logprobs[0].token == token.token
        assert bytes(token.bytes).decode(errors="replace") == token.token
    streamed = [t for chunk in chat(client, temperature=0, logprobs=True, top_logprobs=2,
                                    stream=True)
                for c in chunk.choices if c.logprobs for t in c.logprobs.content]
    assert [t.token for t in streamed] == [t.token for t in tokens]
    text = client.completions.create(model="tiny", prompt="abc", max_tokens=5, logprobs=2,
                                     temperature=0, extra_body={"ignore_eos": True}).choices[0]
    assert len(text.logprobs.tokens) == len(text.logprobs.text_offset) == 5
    assert all(len(top) == 2 for top in text.logprobs.top_logprobs)


def test_completions_continue_prompts(client):
    several = client.completions.create(model="tiny", prompt=["Once", "Twice"], max_tokens=4, n=2,
                                        echo=True, seed=1, extra_body={"ignore_eos": True})
    assert [c.index for c in several.choices] == [0, 1, 2, 3]
    assert several.choices[1].text.startswith("Once")
    assert several.choices[2].text.startswith("Twice")
    assert several.usage.completion_tokens == 16
    tokens = client.completions.create(model="tiny", prompt=[40, 41, 42], max_tokens=2)
    assert tokens.usage.prompt_tokens == 3
    chunks = list(client.completions.create(model="tiny", prompt="Once", max_tokens=4, n=2, seed=1,
                                            stream=True, extra_body={"ignore_eos": True}))
    text = "".join(c.text for chunk in chunks for c in chunk.choices if c.index == 1)
    assert several.choices[1].text == "Once" + text


def test_a_required_tool_is_called(client):
    for choice in ("required", {"type": "function", "function": {"name": "add"}}):
        answer = chat(client, tools=[TOOL], tool_choice=choice, max_tokens=1000).choices[0]
        assert answer.finish_reason == "tool_calls" and answer.message.content is None
        call = answer.message.tool_calls[0]
        assert call.function.name == "add" and call.id
        arguments = json.loads(call.function.arguments)
        assert arguments["a"] in (1, 2) and arguments["b"] in (3, 4)
    name, arguments, ids = "", "", set()
    for chunk in chat(client, tools=[TOOL], tool_choice="required", max_tokens=1000, stream=True):
        for call in chunk.choices[0].delta.tool_calls or []:
            name += call.function.name or ""
            arguments += call.function.arguments or ""
            ids |= {call.id} if call.id else set()
    assert name == "add" and len(ids) == 1 and json.loads(arguments)
    free = chat(client, tools=[TOOL], tool_choice="none")
    assert not free.choices[0].message.tool_calls
    told = client.chat.completions.create(model="tiny", max_tokens=4, tools=[TOOL], messages=[
        *ask("1 + 3?"),
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "abcdefghi", "type": "function",
             "function": {"name": "add", "arguments": "{\"a\": 1, \"b\": 3}"}}]},
        {"role": "tool", "tool_call_id": "abcdefghi", "content": "4"}])
    assert told.usage.prompt_tokens > 20


def test_structured_output(client):
    for seed in range(3):
        answer = chat(client, seed=seed, max_tokens=1000, response_format={
            "type": "json_schema",
            "json_schema": {"name": "person", "schema": SCHEMA, "strict": True}})
        person = json.loads(answer.choices[0].message.content)
        assert person["name"] in ("anna", "ben") and 1 <= person["age"] <= 99
    for form, fits in (({"choice": ["yes", "no"]}, lambda t: t in ("yes", "no")),
                       ({"regex": "[0-9]{3}-x"}, lambda t: len(t) == 5 and t.endswith("-x")),
                       ({"grammar": "root ::= \"a\"+ \"b\""}, lambda t: t.strip("a") in ("b", ""))):
        text = chat(client, max_tokens=40, temperature=1,
                    extra_body={"structured_outputs": form}).choices[0].message.content
        assert fits(text), (form, text)
    assert chat(client, max_tokens=40, extra_body={"guided_choice": ["left"]}
                ).choices[0].message.content == "left"


@pytest.mark.parametrize("field, value", [
    ("best_of", 3), ("suffix", "x"), ("use_beam_search", True), ("prompt_logprobs", 1),
    ("response_format", {"type": "xml"}), ("n", 1000), ("top_p", 2), ("logit_bias", {"x": 1}),
    ("structured_outputs", {"regex": "("}), ("guided_json", {"type": "object", "not": 3})])
def test_what_is_not_honoured_is_refused_by_name(client, field, value):
    with pytest.raises(openai.BadRequestError) as refused:
        client.completions.create(model="tiny", prompt="x", max_tokens=2,
                                  extra_body={field: value})
    named = refused.value.param or ""
    assert named.startswith(field) or "response_format" in named, refused.value


def test_too_long_is_an_error_and_not_a_cut(client):
    with pytest.raises(openai.BadRequestError) as refused:
        chat(client, "word " * 3000)
    assert refused.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError) as refused:
        chat(client, "word", max_tokens=5000)
    assert refused.value.code == "context_length_exceeded"


def metric(server, name):
    for line in server.get("/metrics").body.decode().splitlines():
        if line.startswith(f"heddle:{name}{{"):
            return float(line.split()[-1])
    raise AssertionError(f"no metric {name}")


def test_a_client_that_leaves_frees_its_blocks(client, local):
    streams = [chat(client, f"go on {i}", stream=True, max_tokens=1500,
                    extra_body={"ignore_eos": True}) for i in range(6)]
    for stream in streams:
        next(iter(stream))
        stream.close()
    deadline = time.time() + 30
    while time.time() < deadline and metric(local, "kv_cache_usage_perc") > 0:
        time.sleep(0.05)
    assert metric(local, "kv_cache_usage_perc") == 0
    assert metric(local, "num_requests_running") == 0
    for name in ("num_requests_waiting", "prompt_tokens_total", "generation_tokens_total",
                 "time_to_first_token_seconds_count", "inter_token_latency_seconds_count",
                 "e2e_request_latency_seconds_count", "request_queue_time_seconds_count"):
        assert metric(local, name) >= 0


def test_tokenize_and_back(local):
    reply = local.post("/tokenize", {"prompt": "the thing", "return_token_strs": True}).json()
    assert reply["count"] == len(reply["tokens"]) == len(reply["token_strs"])
    assert reply["max_model_len"] == 2048
    back = local.post("/detokenize", {"model": "tiny", "tokens": reply["tokens"]}).json()
    assert back["prompt"] == "the thing"
    chatted = local.post("/tokenize", {"messages": ask("a<|im_end|>b")}).json()
    assert chatted["tokens"].count(701) == 1, "words of a user end no turn"
    assert local.post("/tokenize", {"prompt": "x", "model": "none"}).status == 404
    assert local.post("/detokenize", {"tokens": [99999]}).status == 400


def test_rerank(local):
    documents = ["valves are blue", {"text": "the pump starts at noon"}]
    reply = local.post("/v1/rerank", {"model": "judge", "query": "when does the pump start?",
                                      "documents": [{"text": documents[0]}, documents[1]],
                                      "return_documents": True}).json()
    assert sorted(r["index"] for r in reply["results"]) == [0, 1]
    scores = [r["relevance_score"] for r in reply["results"]]
    assert scores == sorted(scores, reverse=True) and all(0 < s < 1 for s in scores)
    assert reply["results"][0]["document"]["text"] and reply["usage"]["total_tokens"] > 0
    best = local.post("/v1/rerank", {"query": "when does the pump start?", "top_n": 1,
                                     "documents": [documents[0], documents[1]["text"]]}).json()
    assert best["results"][0]["index"] == reply["results"][0]["index"]
    unknown = {"query": "x", "documents": ["y"], "model": "none"}
    assert local.post("/v1/rerank", unknown).status == 404
    assert local.post("/v1/rerank", {"query": "x", "documents": []}).status == 400


def test_a_full_queue_says_when_to_come_back(tmp_path):
    model = tiny_model.make(tmp_path / "tiny")
    server = Heddle(tmp_path / "data", "--model", model, "--kv-memory", "8MiB",
                    "--model-threads", "1", "--max-sequences", "1", "--queue-requests", "2")
    call = {"prompt": "x", "max_tokens": 400, "ignore_eos": True}
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda _: server.post("/v1/completions", call), range(16)))
    refused = [r for r in replies if r.status in (429, 503)]
    assert refused and len(refused) < 16
    assert all(int(r.headers["Retry-After"]) >= 1 for r in refused)
    assert all(r.status == 200 for r in replies if r not in refused)
    assert server.stop() == 0


def test_the_main_job_is_written_by_the_model(local):
    document = local.upload("manual.pdf", make_pdf([["The pump starts at noon."]])).json()["id"]
    assert local.wait_ready(document)["state"] == "ready"
    events = local.events("/generate/text", {"prompt": "When does the pump start?",
                                             "max_tokens": 20, "stream": True})
    names = [name for name, _ in events]
    assert names[0] == "sources" and names[-2:] == ["usage", "done"]
    assert events[-1][1]["model"] == "tiny"
    assert events[0][1]["sources"][0]["page"] == 1


def test_a_damaged_model_is_one_line_and_the_end(tmp_path):
    model = tiny_model.make(tmp_path / "broken")
    (model / "model.safetensors").write_bytes(b"\xff" * 100)
    with pytest.raises(RuntimeError) as ended:
        Heddle(tmp_path / "data", "--model", f"mine={model}")
    line = str(ended.value).splitlines()[-1]
    assert line.startswith("heddle: --model mine=") and "model.safetensors" in line
