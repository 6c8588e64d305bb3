// GET /docs: the OpenAPI document as a page that works without a network. The page holds one script
// of its own, named to the browser by a nonce made for each response; everything it shows is set
// as text.
#include <array>
#include <cstddef>
#include <string>

#include "api/base64.h"
#include "api/endpoints.h"
#include "base/random.h"

namespace heddle::api {
namespace {

constexpr std::string_view kPage = R"page(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Heddle: interface</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style nonce="@NONCE@">
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
details { border: 1px solid #8886; border-radius: 6px; margin: .4rem 0; padding: .3rem .8rem; }
summary { cursor: pointer; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow-x: auto; background: #8881; padding: .6rem; border-radius: 6px; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
.open { opacity: .7; font-size: .85em; }
textarea { width: 100%; min-height: 6rem; font-family: ui-monospace, monospace; }
input[type=text] { width: 16rem; }
label { display: block; margin: .3rem 0; }
</style></head><body>
<h1>Heddle</h1>
<p id="about"></p>
<label>API key <input type="password" id="key" autocomplete="off"></label>
<div id="operations"></div>
<script nonce="@NONCE@">
"use strict";
const element = (tag, text, parent, name) => {
  const node = document.createElement(tag);
  if (text) node.textContent = text;
  if (name) node.className = name;
  if (parent) parent.append(node);
  return node;
};
const headers = () => {
  const key = document.getElementById("key").value;
  return key ? { Authorization: "Bearer " + key } : {};
};
const example = schema => {
  const out = {};
  for (const name of schema.required || []) {
    const type = ((schema.properties || {})[name] || {}).type;
    out[name] = type === "array" ? [] : type === "number" || type === "integer" ? 0 : "";
  }
  return JSON.stringify(out, null, 2);
};
const tryOut = (box, path, method, operation) => {
  const inputs = {};
  for (const parameter of operation.parameters || []) {
    const label = element("label", parameter.name + " ", box);
    inputs[parameter.name] = element("input", "", label);
    inputs[parameter.name].type = "text";
    inputs[parameter.name].placeholder = parameter.description || parameter.in;
  }
  const json = operation.requestBody && operation.requestBody.content["application/json"];
  const area = json && element("textarea", "", box);
  if (area) area.value = example(json.schema);
  const button = element("button", "Send", box);
  const output = element("pre", "", box);
  button.onclick = async () => {
    let address = path;
    const query = new URLSearchParams();
    for (const parameter of operation.parameters || []) {
      const value = inputs[parameter.name].value;
      if (parameter.in === "path") {
        address = address.replace("{" + parameter.name + "}", encodeURIComponent(value));
      } else if (value) query.set(parameter.name, value);
    }
    if ([...query].length) address += "?" + query;
    const request = { method: method.toUpperCase(), headers: headers() };
    if (area) {
      request.body = area.value;
      request.headers["Content-Type"] = "application/json";
    }
    output.textContent = "…";
    try {
      const response = await fetch(address, request);
      output.textContent = response.status + " " + response.statusText + "\n";
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        output.textContent += decoder.decode(value, { stream: true });
      }
    } catch (error) { output.textContent += String(error); }
  };
};
const show = api => {
  document.getElementById("about").textContent = "Version " + api.info.version +
    ". The document behind this page is /openapi.json.";
  const groups = {};
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      (groups[operation.tags[0]] = groups[operation.tags[0]] || []).push([path, method, operation]);
    }
  }
  const list = document.getElementById("operations");
  list.replaceChildren();
  for (const [tag, operations] of Object.entries(groups)) {
    element("h2", tag, list);
    for (const [path, method, operation] of operations) {
      const box = element("details", "", list);
      const line = element("summary", "", box);
      element("span", method.toUpperCase(), line, "method");
      element("code", path, line);
      element("span", " — " + operation.summary, line);
      const isOpen = operation.security && !operation.security.length;
      if (isOpen) element("span", " (open)", line, "open");
      for (const [type, body] of Object.entries((operation.requestBody || {}).content || {})) {
        element("p", type, box);
        element("pre", JSON.stringify(body.schema, null, 2), box);
      }
      const upload = operation.requestBody && !operation.requestBody.content["application/json"];
      if (!upload && !path.endsWith("/ws")) tryOut(box, path, method, operation);
    }
  }
};
const load = () => fetch("/openapi.json", { headers: headers() }).then(async response => {
  if (response.ok) return show(await response.json());
  document.getElementById("about").textContent = "Enter an API key to see the interface.";
});
document.getElementById("key").onchange = load;
load();
</script></body></html>
)page";

async::Task<http::Response> docs_page(Context& /*context*/, Call /*call*/) {
    std::array<std::byte, 18> random;
    secure_random(random);
    const std::string nonce =
        base64_encode({reinterpret_cast<const char*>(random.data()), random.size()});
    std::string page(kPage);
    constexpr std::string_view kMark = "@NONCE@";
    for (std::size_t at = page.find(kMark); at != std::string::npos; at = page.find(kMark, at)) {
        page.replace(at, kMark.size(), nonce);
    }
    http::Response response =
        http::Response::text(200, "text/html; charset=utf-8", std::move(page));
    response.headers.set("Content-Security-Policy",
                         "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action "
                         "'none'; frame-ancestors 'none'; style-src 'nonce-" +
                             nonce + "'; script-src 'nonce-" + nonce + "'");
    co_return response;
}

}  // namespace

Endpoint docs_page_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/docs",
            .run = docs_page,
            .summary = "This interface as a page",
            .tag = "operation",
            .response_type = "text/html"};
}

}  // namespace heddle::api
