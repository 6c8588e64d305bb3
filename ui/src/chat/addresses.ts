// Web addresses in what a person writes, as the server finds them: what will be read.
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`]+/gi;

export function addressesIn(text: string): string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(ADDRESS)) {
    let address = match[0].replace(/[.,;:!?，。；：！？、]+$/u, "");
    for (const [open, close] of ["()", "[]", "{}"].map((pair) => [...pair])) {
      const count = (c: string) => address.split(c).length - 1;
      while (address.endsWith(close!) && count(close!) > count(open!)) address = address.slice(0, -1);
    }
    try {
      found.add(new URL(address).href);
    } catch {
      // Not an address after all.
    }
  }
  return [...found];
}

export function shortAddress(address: string): string {
  try {
    const url = new URL(address);
    const path = url.pathname === "/" ? "" : url.pathname;
    const short = url.host + path;
    return short.length > 42 ? short.slice(0, 40) + "…" : short;
  } catch {
    return address;
  }
}
