// Bundles the browser side into src/commonwatt/kit/pages/static/built: hashed names for far-future caching, a manifest
// that the templates resolve names by, and a gzip twin of whatever compresses.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import subsetFont from "subset-font";

const here = dirname(fileURLToPath(import.meta.url));
const home = join(here, "../src/commonwatt/kit/pages/static/built");
const built = `${home}.new`;  // takes the old one's place when it is whole
const manifest = {};

rmSync(built, { recursive: true, force: true });
mkdirSync(built, { recursive: true });

const hashed = (name, content) => {
  const dot = name.lastIndexOf(".");
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 10);
  return `${name.slice(0, dot)}-${digest}${name.slice(dot)}`;
};

const keep = (name, content) => {
  const file = hashed(name, content);
  writeFileSync(join(built, file), content);
  manifest[name] = file;
  return file;
};

// Inter, cut to the letters of our languages and the weights of our stylesheet: a phone loads 30 KB instead of 130 KB.
const characters = (from, to) => String.fromCodePoint(...Array.from({ length: to - from + 1 }, (_, i) => from + i));
const FONTS = {
  "inter-latin.woff2": {
    file: "inter-latin-wght-normal.woff2",
    text: `${characters(0x20, 0x7e)}${characters(0xa0, 0xff)}ŒœŸ‐‑‒–—‘’‚“”„•…‹›€™−\u2009\u202f\u2003`,
    range: "U+0020-00FF,U+0152-0153,U+0178,U+2000-206F,U+20AC,U+2122,U+2212",
  },
  "inter-latin-ext.woff2": {
    file: "inter-latin-ext-wght-normal.woff2",
    text: "ĀāĂ㥹ĆćČčĎďĐđĒēĖėĘęĚěĞğĢģĪīĮįİıĶķĹĺĻļĽľŁłŃńŅņŇňŐőŒœŔŕŘřŚśŞşŠšŢţŤťŪūŮůŰűŲųŹźŻżŽžȘșȚț₿",
    range: "U+0100-0151,U+0154-0177,U+0179-024F,U+20BF",
  },
};
let faces = "";
for (const [name, font] of Object.entries(FONTS)) {
  const source = readFileSync(join(here, "node_modules/@fontsource-variable/inter/files", font.file));
  const cut = await subsetFont(source, font.text, {
    targetFormat: "woff2",
    variationAxes: { wght: { min: 400, max: 700 } },
  });
  const file = keep(name, cut);
  faces += `@font-face{font-family:Inter;font-style:normal;font-display:swap;font-weight:400 700;` +
    `src:url(./${file}) format("woff2");unicode-range:${font.range}}\n`;
}

// The icons that pages use, as one sprite; an icon that Lucide does not have stops the build.
const icons = JSON.parse(readFileSync(join(here, "icons.json"), "utf8"));
let sprite = '<svg xmlns="http://www.w3.org/2000/svg">';
for (const name of icons) {
  const svg = readFileSync(join(here, `node_modules/lucide-static/icons/${name}.svg`), "utf8");
  const inner = svg.replace(/<!--.*?-->/gs, "").replace(/^[\s\S]*?<svg[\s\S]*?>/, "").replace(/<\/svg>\s*$/, "");
  sprite += `<symbol id="${name}" viewBox="0 0 24 24">${inner.replace(/\s+/g, " ").trim()}</symbol>`;
}
keep("icons.svg", `${sprite}</svg>\n`);
keep("mark.svg", readFileSync(join(here, "src/mark.svg")));

// Stylesheets: the faces above, Pico, then ours.
const css = await esbuild.build({
  stdin: {
    contents: ["@picocss/pico/css/pico.min.css", ...["tokens", "shell", "parts", "passer", "print"].map((name) => `./style/${name}.css`)]
      .map((path) => `@import "${path}";\n`).join("") + faces,
    loader: "css",
    resolveDir: join(here, "src"),
  },
  bundle: true, minify: true, write: false, external: ["*.woff2"], target: ["chrome90", "firefox90", "safari15"],
});
keep("app.css", css.outputFiles[0].contents);

// Modules: `passer` for everybody, `owner` on top of it; charts, scanner and passkeys are fetched when a page has one.
const js = await esbuild.build({
  entryPoints: ["passer", "owner"].map((name) => join(here, `src/${name}.js`)),
  bundle: true, minify: true, splitting: true, format: "esm", target: ["chrome90", "firefox90", "safari15"],
  outdir: built, entryNames: "[name]-[hash]", chunkNames: "part-[hash]", metafile: true, legalComments: "eof",
});
for (const [path, output] of Object.entries(js.metafile.outputs)) {
  const file = path.split("/").pop();
  if (output.entryPoint) manifest[output.entryPoint.split("/").pop()] = file;
}

for (const file of readdirSync(built)) {
  if (/\.(css|js|svg)$/.test(file)) {
    const content = readFileSync(join(built, file));
    writeFileSync(join(built, `${file}.gz`), gzipSync(content, { level: 9 }));
  }
}
writeFileSync(join(built, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
rmSync(home, { recursive: true, force: true });
renameSync(built, home);
