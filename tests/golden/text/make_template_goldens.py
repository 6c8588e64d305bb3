#!/usr/bin/env python3
"""What Python's jinja2, set up as the transformers library does, makes of chat templates.

    pip install jinja2==3.1.6
    make_template_goldens.py OUT_FILE TEMPLATE_FOLDER

Writes one line of JSON for each template and conversation: {"template", "case", "variables",
"text"} or "error" where jinja2 refuses.
"""
import datetime
import json
import os
import sys

import jinja2
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime.datetime(2026, 11, 22, 8, 5, 9)


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.Scope(body).set_lineno(line)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                      sort_keys=sort_keys)


def compile_template(source):
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True,
        extensions=[Generation, jinja2.ext.loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = NOW.strftime
    return environment.from_string(source)


TOOL = {"type": "function", "function": {
    "name": "get_weather", "description": "Tells the weather \"now\" at a place.",
    "parameters": {"type": "object", "properties": {
        "city": {"type": "string", "description": "City, e.g. Köln"},
        "days": {"type": "integer", "description": "How many", "default": 3},
        "units": {"type": "string", "enum": ["metric", "imperial"]},
        "places": {"type": "array", "items": {"type": "string"}}},
        "required": ["city"]}}}
CLOCK = {"type": "function", "function": {
    "name": "clock", "description": "Tells the time.",
    "parameters": {"type": "object", "properties": {}}}}


def user(text):
    return {"role": "user", "content": text}


def assistant(text, **more):
    return {"role": "assistant", "content": text, **more}


SYSTEM = {"role": "system", "content": "You are <b>terse</b> & kind.\n"}
CALL = {"id": "call00001", "type": "function",
        "function": {"name": "get_weather", "arguments": {"city": "Köln", "days": 2}}}
CALL2 = {"id": "call00002", "type": "function", "function": {"name": "clock", "arguments": {}}}
CALL_TEXT = {"id": "call00001", "type": "function",
             "function": {"name": "get_weather", "arguments": "{\"city\": \"Köln\"}"}}


def reply(text, call="call00001", name="get_weather"):
    return {"role": "tool", "content": text, "tool_call_id": call, "name": name}


CONVERSATIONS = {
    "user": [user("Hello, wörld! 你好 😀")],
    "system": [SYSTEM, user("  Hi\nthere \n")],
    "turns": [SYSTEM, user("One?"), assistant("Two."), user("Three?"), assistant(" Four. "),
              user("Five?")],
    "answered": [user("One?"), assistant("Two.")],
    "thought": [user("Why?"), assistant("<think>\nHm, \"so\".\n</think>\n\nBecause."),
                user("Really?")],
    "reasoned": [user("Why?"), assistant("Because.", reasoning_content="Hm."), user("Really?")],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "Part one."},
                                           {"type": "text", "text": "Part two."}]}],
    "called": [SYSTEM, user("Weather?"), assistant("", tool_calls=[CALL]),
               reply("{\"temperature\": 21.5}"), assistant("It is 21.5 degrees."),
               user("Thanks.")],
    "called_none": [user("Weather?"), assistant(None, tool_calls=[CALL]), reply("rain")],
    "called_text": [user("Weather?"), assistant("", tool_calls=[CALL_TEXT]), reply("sun & fun")],
    "called_twice": [user("Both?"), assistant("Let me see.", tool_calls=[CALL, CALL2]),
                     reply("rain"), reply("12:05", "call00002", "clock")],
    "assistant_first": [assistant("Hello."), user("Hi.")],
    "two_users": [user("One."), user("Two.")],
    "empty": [],
}


def cases():
    for name, messages in CONVERSATIONS.items():
        for tools in (None, [TOOL, CLOCK]):
            for prompt in (True, False):
                variables = {"messages": messages, "add_generation_prompt": prompt,
                             "bos_token": "<s>", "eos_token": "</s>"}
                if tools:
                    variables["tools"] = tools
                else:
                    variables["tools"] = None
                case = name + ("+tools" if tools else "") + ("+prompt" if prompt else "")
                yield case, variables
    yield "thinking", {"messages": CONVERSATIONS["turns"], "add_generation_prompt": True,
                       "bos_token": "<s>", "eos_token": "</s>", "enable_thinking": True}
    yield "not_thinking", {"messages": CONVERSATIONS["turns"], "add_generation_prompt": True,
                           "bos_token": "<s>", "eos_token": "</s>", "enable_thinking": False}
    yield "nothing", {"messages": CONVERSATIONS["user"]}


def main():
    out_path, folder = sys.argv[1:3]
    with open(out_path, "w", encoding="utf-8") as out:
        for name in sorted(os.listdir(folder)):
            if not name.endswith(".jinja"):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                template = compile_template(file.read())
            for case, variables in cases():
                line = {"template": name, "case": case, "variables": variables}
                try:
                    line["text"] = template.render(**variables)
                except Exception as error:  # whatever jinja2 refuses, we must refuse
                    line["error"] = f"{type(error).__name__}: {error}"
                out.write(json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
