// Builds the client into dist/: `node build.mjs`, or with --check into a folder of its own and
// compares it with what stands in the tree. Files are kept brotli-compressed; their names carry a
// hash of their content, so that browsers may keep them for ever. Needs no network.
import * as esbuild from "esbuild";
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";

const FIRST_LOAD_BYTES_MAX = 150 * 1024; // gzipped
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
process.chdir(here);

function files(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

// The licences of the packages whose code is in the bundle: their terms ask for that.
function licences(metafile) {
  const names = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found) names.add(found[1]);
  }
  let text = "The web client of Heddle carries code of these packages.\n";
  for (const name of [...names].sort()) {
    const folder = path.join("node_modules", name);
    const about = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
    const file = fs.readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const terms = file ? fs.readFileSync(path.join(folder, file), "utf8").trim() : "";
    text += `\n---\n${name} ${about.version} (${about.license})\n\n${terms}\n`;
  }
  return text;
}

// What a browser loads before it shows the page: the entry, what it imports at once, and its style.
function firstLoad(metafile, entry) {
  const wanted = new Set();
  const visit = (output) => {
    if (wanted.has(output)) return;
    wanted.add(output);
    for (const one of metafile.outputs[output].imports) {
      if (one.kind === "import-statement") visit(one.path);
    }
    const { cssBundle } = metafile.outputs[output];
    if (cssBundle) visit(cssBundle);
  };
  visit(entry);
  return [...wanted];
}

async function bundle() {
  const result = await esbuild.build({
    entryPoints: { app: "src/main.tsx" },
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: true,
    charset: "utf8",
    legalComments: "none",
    jsx: "automatic",
    jsxImportSource: "preact",
    metafile: true,
    write: false,
    outdir: "dist",
    entryNames: "assets/[name]-[hash]",
    chunkNames: "assets/[name]-[hash]",
    assetNames: "assets/[name]-[hash]",
    loader: { ".pdf": "file", ".svg": "text" },
    publicPath: "/",
  });
  const outputs = new Map();
  for (const file of result.outputFiles) {
    outputs.set(path.relative("dist", file.path), Buffer.from(file.contents));
  }
  const entry = Object.keys(result.metafile.outputs).find(
    (name) => result.metafile.outputs[name].entryPoint === "src/main.tsx",
  );
  const { cssBundle } = result.metafile.outputs[entry];
  const page = fs
    .readFileSync("index.html", "utf8")
    .replace("@SCRIPT@", "/" + path.relative("dist", entry))
    .replace("@STYLE@", "/" + path.relative("dist", cssBundle));
  outputs.set("index.html", Buffer.from(page));
  for (const file of files("public")) outputs.set(file, fs.readFileSync(path.join("public", file)));
  outputs.set("licences.txt", Buffer.from(licences(result.metafile)));

  const first = ["index.html", ...firstLoad(result.metafile, entry).map((f) => path.relative("dist", f))];
  const bytes = first.reduce((sum, name) => sum + zlib.gzipSync(outputs.get(name)).length, 0);
  console.log(`first load: ${(bytes / 1024).toFixed(1)} KiB gzipped, in ${first.length} files`);
  if (bytes > FIRST_LOAD_BYTES_MAX) {
    console.error(`the first load may have ${FIRST_LOAD_BYTES_MAX} bytes, and has ${bytes}`);
    process.exit(1);
  }
  return outputs;
}

function write(outputs) {
  fs.rmSync("dist", { recursive: true, force: true });
  for (const [name, content] of outputs) {
    const file = path.join("dist", name + ".br");
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const options = {
      params: {
        [zlib.constants.BROTLI_PARAM_QUALITY]: 11,
        [zlib.constants.BROTLI_PARAM_LGWIN]: 22,
        [zlib.constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      },
    };
    fs.writeFileSync(file, zlib.brotliCompressSync(content, options));
  }
  console.log(`wrote ${outputs.size} files to ui/dist`);
}

function check(outputs) {
  const wrong = [];
  const kept = new Set(files("dist"));
  for (const [name, content] of outputs) {
    const file = name + ".br";
    if (!kept.delete(file)) wrong.push(`${name} is missing`);
    else if (!zlib.brotliDecompressSync(fs.readFileSync(path.join("dist", file))).equals(content)) {
      wrong.push(`${name} differs`);
    }
  }
  for (const file of kept) wrong.push(`${file} is not made by the sources`);
  for (const line of wrong) console.error(line);
  if (wrong.length) {
    console.error("ui/dist does not match its sources: run ./dev ui");
    process.exit(1);
  }
  console.log(`ui/dist matches its sources (${outputs.size} files)`);
}

const outputs = await bundle();
if (process.argv.includes("--check")) check(outputs);
else write(outputs);
