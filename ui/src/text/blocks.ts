// Cuts Markdown into blocks that no later text can change, so that a growing answer is parsed only
// at its end: a blank line ends a block unless it stands inside a fence or a formula, or the next
// line goes on with a list.

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const GOES_ON = /^(\s{2,}|\t| {0,3}(?:[-*+]|\d{1,9}[.)])\s|\s*$)/;

export interface Cut {
  blocks: string[];
  /** Where the last block begins; everything before is final while text is only added. */
  tail: number;
}

export function cutBlocks(text: string, from = 0): Cut {
  const blocks: string[] = [];
  let begin = from;
  let at = from;
  let fence = "";
  let formula = "";
  let blank = false;
  while (at < text.length) {
    let end = text.indexOf("\n", at);
    if (end < 0) end = text.length;
    const line = text.slice(at, end);
    if (fence) {
      const close = FENCE.exec(line);
      if (close && close[1]!.startsWith(fence) && !line.slice(close[0].length).trim()) fence = "";
    } else if (formula) {
      if (line.includes(formula)) formula = "";
    } else {
      if (blank && !GOES_ON.test(line) && text.slice(begin, at).trim()) {
        blocks.push(text.slice(begin, at));
        begin = at;
      }
      const open = FENCE.exec(line);
      if (open) fence = open[1]!;
      else if (/^\s*\$\$(?!.*\$\$)/.test(line)) formula = "$$";
      else if (/^\s*\\\[(?!.*\\\])/.test(line)) formula = "\\]";
    }
    blank = !fence && !formula && !line.trim();
    at = end + 1;
  }
  if (text.slice(begin).trim()) blocks.push(text.slice(begin));
  return { blocks, tail: begin };
}

/** Remembers the blocks of a text that grows. */
export class GrowingBlocks {
  private text = "";
  private final: string[] = [];
  private tail = 0;

  update(text: string): string[] {
    if (!text.startsWith(this.text.slice(0, this.tail))) {
      this.final = [];
      this.tail = 0;
    }
    const { blocks, tail } = cutBlocks(text, this.tail);
    const open = tail > this.tail || blocks.length > 1 ? blocks.slice(0, -1) : [];
    this.final.push(...open);
    if (blocks.length) this.tail = tail;
    this.text = text;
    return blocks.length ? [...this.final, blocks[blocks.length - 1]!] : [...this.final];
  }
}
