"""OpenAI's own Python client against /v1, over the extractive generator and a scripted upstream."""

import math

import openai
import pytest
from conftest import make_pdf

PAGES = [["The archive opens every weekday at nine.", "Visitors need a card."],
         ["The reading room holds twelve desks.", "Silence is kept."]]


def client_of(server, key="none"):
    return openai.OpenAI(base_url=server.url + "/v1", api_key=key, max_retries=0)


def ask(text):
    return [{"role": "user", "content": text}]


@pytest.fixture(scope="module")
def client(heddle):
    return client_of(heddle)


def test_models_are_listed(client):
    names = [model.id for model in client.models.list()]
    assert "heddle-extractive" in names
    assert client.models.retrieve(names[0]).id == names[0]
    with pytest.raises(openai.NotFoundError) as missing:
        client.models.retrieve("none")
    assert missing.value.code == "model_not_found"


def test_a_grounded_chat_names_its_sources(client, heddle):
    document = heddle.upload("archive.pdf", make_pdf(PAGES)).json()["id"]
    assert heddle.wait_ready(document)["state"] == "ready"
    answer = client.chat.completions.create(
        model="heddle-extractive", messages=ask("How many desks has the reading room?"),
        extra_body={"heddle": {"ground": True}})
    assert "twelve desks" in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens > 0
    sources = answer.model_extra["heddle"]["sources"]
    assert sources[0]["document"] == document and sources[0]["page"] == 2


def test_a_stream_says_the_same_as_the_whole(client, upstream, serve):
    server = serve("--upstream", upstream)
    upstreamed = client_of(server)
    model = upstreamed.models.list().data[0].id
    whole = upstreamed.chat.completions.create(model=model, messages=ask("hello"))
    chunks = list(upstreamed.chat.completions.create(
        model=model, messages=ask("hello"), stream=True,
        stream_options={"include_usage": True}))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert len({c.id for c in chunks}) == 1


def test_embeddings_come_as_numbers_and_packed(client):
    model = [m.id for m in client.models.list() if m.id != "heddle-extractive"]
    if not model:
        pytest.skip("no embedder is installed")
    texts = ["a pump", "a centrifugal pump", "the weather"]
    packed = client.embeddings.create(model=model[-1], input=texts)
    plain = client.embeddings.create(model=model[-1], input=texts, encoding_format="float")
    assert packed.usage.prompt_tokens > 0
    for one, other in zip(packed.data, plain.data):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
        assert math.isclose(sum(x * x for x in one.embedding), 1, abs_tol=1e-3)


def test_errors_have_the_clients_types(client, serve, tmp_path):
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="none", messages=ask("x"))
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="heddle-extractive", messages=ask("x"), n=3)
    assert refused.value.param == "n"
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="heddle-extractive", messages=ask("x"),
                                       temperature=3)
    keys = tmp_path / "keys"
    keys.write_text("hd-secret-key-for-this-test\n")
    keys.chmod(0o600)
    guarded = serve("--api-key-file", keys, folder="guarded")
    with pytest.raises(openai.AuthenticationError):
        client_of(guarded).models.list()
    assert client_of(guarded, "hd-secret-key-for-this-test").models.list().data
