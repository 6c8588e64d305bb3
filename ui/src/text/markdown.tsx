// Markdown as elements of the page. What a model or a page writes is data: nothing of it becomes
// markup (raw HTML is shown as text), no picture is loaded, and a link shows where it leads.
import { memo } from "preact/compat";
import { useMemo, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { Marked, type Token, type Tokens } from "marked";
import { t } from "../words";
import { Code } from "./code";
import { Formula } from "./formula";
import { GrowingBlocks } from "./blocks";

interface MathToken {
  type: "formula";
  raw: string;
  text: string;
  display: boolean;
}

const INLINE_MATH = /^(?:\\\((.+?)\\\)|\$(?!\s)((?:[^$\\\n]|\\.)+?)(?<!\s)\$(?!\d))/s;
const BLOCK_MATH = /^ {0,3}(?:\$\$(.+?)\$\$|\\\[(.+?)\\\])[^\S\n]*(?:\n|$)/s;

function mathToken(match: RegExpExecArray | null, display: boolean): MathToken | undefined {
  if (!match) return undefined;
  return { type: "formula", raw: match[0], text: (match[1] ?? match[2])!.trim(), display };
}

const marked = new Marked({
  gfm: true,
  extensions: [
    {
      name: "blockFormula",
      level: "block",
      start: (text) => /(?:^|\n) {0,3}(?:\$\$|\\\[)/.exec(text)?.index,
      tokenizer: (text) => mathToken(BLOCK_MATH.exec(text), true),
    },
    {
      name: "inlineFormula",
      level: "inline",
      start: (text) => /\$|\\\(/.exec(text)?.index,
      tokenizer: (text) => mathToken(INLINE_MATH.exec(text), false),
    },
  ],
});

const ENTITIES: Record<string, string> = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", hellip: "…", mdash: "—",
  ndash: "–", copy: "©", reg: "®", times: "×", deg: "°", euro: "€", middot: "·",
};

function decode(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,8}));/gi, (all, dec, hex, name) => {
    if (name) return ENTITIES[name] ?? all;
    const code = dec ? Number(dec) : parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
  });
}

export function safeLink(address: string): URL | null {
  try {
    const url = new URL(address);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

/** Makes [n] of a text into whatever shows source n; null leaves it as it is. */
export type CiteRenderer = (n: number) => ComponentChildren | null;

function withCitations(text: string, cite?: CiteRenderer): ComponentChildren {
  if (!cite || !text.includes("[")) return text;
  return text.split(/\[(\d{1,3})\]/).map((part, i) => (i % 2 ? (cite(Number(part)) ?? `[${part}]`) : part));
}

function Link({ href, children }: { href: string; children: ComponentChildren }) {
  const url = safeLink(decode(href));
  if (!url) return <>{children}</>;
  return (
    <a href={url.href} target="_blank" rel="noopener noreferrer nofollow" title={url.href}>
      {children}
      <span class="link-host">{url.protocol === "mailto:" ? url.pathname : url.host}</span>
    </a>
  );
}

function inline(tokens: Token[] | undefined, cite?: CiteRenderer): ComponentChildren {
  return tokens?.map((token, key) => {
    switch (token.type) {
      case "strong":
        return <strong key={key}>{inline(token.tokens, cite)}</strong>;
      case "em":
        return <em key={key}>{inline(token.tokens, cite)}</em>;
      case "del":
        return <del key={key}>{inline(token.tokens, cite)}</del>;
      case "codespan":
        return <code key={key}>{decode(token.text)}</code>;
      case "br":
        return <br key={key} />;
      case "link": {
        const link = token as Tokens.Link;
        const isBare = link.text === link.href;
        return isBare ? (
          <Bare key={key} href={link.href} />
        ) : (
          <Link key={key} href={link.href}>
            {inline(link.tokens, cite)}
          </Link>
        );
      }
      case "image":
        return (
          <span key={key} class="picture-left-out">
            {t("remoteImage")}: {decode(token.text) || safeLink(token.href)?.host || "?"}
          </span>
        );
      case "formula":
        return <Formula key={key} source={token.text} display={(token as MathToken).display} />;
      case "escape":
        return token.text;
      case "html":
        return token.raw;
      case "text":
        if (token.tokens) return inline(token.tokens, cite);
        return <span key={key}>{withCitations(decode(token.text), cite)}</span>;
      default:
        return token.raw;
    }
  });
}

function Bare({ href }: { href: string }) {
  const url = safeLink(href);
  if (!url) return <>{href}</>;
  return (
    <a href={url.href} target="_blank" rel="noopener noreferrer nofollow">
      {href}
    </a>
  );
}

function Item({ item, cite }: { item: Tokens.ListItem; cite?: CiteRenderer | undefined }) {
  return (
    <li class={item.task ? "task" : undefined}>
      {item.task && <input type="checkbox" checked={!!item.checked} disabled aria-label={item.text} />}
      {block(
        item.tokens.filter((token) => token.type !== "checkbox"),
        cite,
      )}
    </li>
  );
}

function Table({ token, cite }: { token: Tokens.Table; cite?: CiteRenderer | undefined }) {
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={t("table")}>
      <table>
        <thead>
          <tr>
            {token.header.map((cell, i) => (
              <th key={i} scope="col" class={cell.align ? `align-${cell.align}` : undefined}>
                {inline(cell.tokens, cite)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {token.rows.map((row, r) => (
            <tr key={r}>
              {row.map((cell, i) => (
                <td key={i} class={cell.align ? `align-${cell.align}` : undefined}>
                  {inline(cell.tokens, cite)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// Answers stand below the page's own headings, and begin with any depth: the upper three are one
// level, so that none is left out, and differ in looks.
const HEADINGS = ["h2", "h2", "h2", "h3", "h4", "h5"] as const;

function block(tokens: Token[], cite?: CiteRenderer): ComponentChildren {
  return tokens.map((token, key) => {
    switch (token.type) {
      case "heading": {
        const { depth } = token as Tokens.Heading;
        const Heading = HEADINGS[depth - 1]!;
        return (
          <Heading key={key} class={`depth-${depth}`}>
            {inline(token.tokens, cite)}
          </Heading>
        );
      }
      case "paragraph":
        return <p key={key}>{inline(token.tokens, cite)}</p>;
      case "code":
        return <Code key={key} text={token.text} language={(token as Tokens.Code).lang ?? ""} />;
      case "blockquote":
        return <blockquote key={key}>{block(token.tokens ?? [], cite)}</blockquote>;
      case "list": {
        const list = token as Tokens.List;
        const items = list.items.map((item, i) => <Item key={i} item={item} cite={cite} />);
        return list.ordered ? (
          <ol key={key} start={Number(list.start) || 1}>
            {items}
          </ol>
        ) : (
          <ul key={key}>{items}</ul>
        );
      }
      case "table":
        return <Table key={key} token={token as Tokens.Table} cite={cite} />;
      case "hr":
        return <hr key={key} />;
      case "formula":
        return <Formula key={key} source={token.text} display />;
      case "html":
        return <p key={key}>{token.raw}</p>;
      case "space":
      case "def":
        return null;
      case "text":
        return <span key={key}>{inline(token.tokens ?? [token], cite)}</span>;
      default:
        return inline([token], cite);
    }
  });
}

const Block = memo(function Block({ text, cite }: { text: string; cite?: CiteRenderer | undefined }) {
  const tokens = useMemo(() => marked.lexer(text) as Token[], [text]);
  return <>{block(tokens, cite)}</>;
});

export function Markdown({ text, cite }: { text: string; cite?: CiteRenderer | undefined }) {
  const blocks = useRef<GrowingBlocks>(null);
  blocks.current ??= new GrowingBlocks();
  const parts = blocks.current.update(text);
  return (
    <div class="markdown">
      {parts.map((part, key) => (
        <Block key={key} text={part} cite={cite} />
      ))}
    </div>
  );
}
